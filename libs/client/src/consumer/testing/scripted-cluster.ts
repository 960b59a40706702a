/**
 * A cluster for specs of the consumer and the admin client: every request goes to a handler of the spec's own.
 *
 * Guarantees that what is sent and what is answered passes through the real codecs at the negotiated version, so that a
 * field which that version cannot carry fails the spec. Metadata is the real cache, fed from `topics`.
 */
import {
  type Api,
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  ErrorCode,
  Metadata,
  type RequestOf,
  type ResponseInput,
  type ResponseOf,
} from '@kafka-template/protocol';
import { closedError, KafkaError } from '../../errors.js';
import type { ClientIo } from '../../io/io.js';
import { silentLogger } from '../../io/logger.js';
import { MetadataCache } from '../../metadata/metadata-cache.js';
import { ApiRanges } from '../../network/api-ranges.js';
import type { SendTarget } from '../../network/cluster.js';
import type { RequestBody, ResponseCallback, SendOptions } from '../../network/request.js';
import type { ConsumerCluster } from '../consumer-context.js';

/** A request that was sent. */
export interface Sent {
  readonly target: SendTarget;
  readonly api: string;
  readonly version: number;
  readonly lane: string;
  readonly body: unknown;
}

/** Answers a request: with a response, or an error as if the connection had failed. */
export type Handler<A extends Api> = (
  body: RequestOf<A>,
  sent: Sent,
) => ResponseInput<A> | KafkaError | Promise<ResponseInput<A> | KafkaError>;

/** A topic of the scripted cluster. */
export interface ScriptedTopic {
  readonly topicId: string;
  /** Leaders by partition. */
  leaders: number[];
  leaderEpoch: number;
}

/** The scripted cluster. */
export class ScriptedCluster implements ConsumerCluster {
  readonly sent: Sent[] = [];
  readonly metadata: MetadataCache;
  readonly topics = new Map<string, ScriptedTopic>();
  /** Topics the metadata refuses, with the code. */
  readonly topicErrors = new Map<string, number>();
  readonly brokers = new Set([1]);
  /** Highest version of an API this cluster speaks, by API name; 0 hides nothing. */
  readonly maxVersions = new Map<string, number>();
  /** How often the coordinator was forgotten. */
  forgotten = 0;
  coordinatorId = 1;
  closed = false;
  private readonly handlers = new Map<string, Handler<Api>>();

  constructor(private readonly io: ClientIo) {
    const limits = { retryBackoffMs: 100, retryBackoffMaxMs: 1_000, metadataMaxAgeMs: 300_000, logger: silentLogger };
    this.metadata = new MetadataCache(limits, io, (body, callback) => this.send('any', Metadata, body, {}, callback));
    this.on(Metadata, (body) => this.describe(body));
  }

  /** Sets the handler of an API. */
  on<A extends Api>(api: A, handler: Handler<A>): void {
    this.handlers.set(api.name, handler);
  }

  /** The handler of an API, to be wrapped by another. */
  handlerOf<A extends Api>(api: A): Handler<A> {
    return this.handlers.get(api.name) as unknown as Handler<A>;
  }

  /** Adds a topic, or changes its partitions. */
  setTopic(name: string, partitions: number, topicId = `${name}AAAAAAAAAAAAAAAAAAAAAA`.slice(0, 21) + 'A'): void {
    this.topics.set(name, { topicId, leaders: new Array<number>(partitions).fill(1), leaderEpoch: 0 });
  }

  /** The bodies of the requests of one API so far. */
  bodies<A extends Api>(api: A): RequestOf<A>[] {
    return this.sent.filter((each) => each.api === api.name).map((each) => each.body as RequestOf<A>);
  }

  send<A extends Api>(
    target: SendTarget,
    api: A,
    body: RequestBody<A>,
    options: SendOptions,
    callback: ResponseCallback<A>,
  ): void {
    if (this.closed) {
      this.io.clock.defer(() => callback(closedError('The client is closed.'), null, -1));
      return;
    }
    let version: number;
    try {
      version = this.ranges(api).choose(api, options, 'The scripted broker');
    } catch (error) {
      this.io.clock.defer(() => callback(error as KafkaError, null, -1));
      return;
    }
    const value = typeof body === 'function' ? body(version) : body;
    const frame = Buffer.concat(encodeRequest(api, version, 1, 'spec', value)).subarray(4);
    const decoded = decodeRequestBody<Api>(api, version, frame, decodeRequestHeader(frame, api).bodyOffset);
    const sent: Sent = { target, api: api.name, version, lane: options.lane ?? 'main', body: decoded };
    this.sent.push(sent);
    this.io.clock.defer(() => void this.answer(api, sent, callback));
  }

  request<A extends Api>(
    target: SendTarget,
    api: A,
    body: RequestBody<A>,
    options: SendOptions = {},
  ): Promise<ResponseOf<A>> {
    return new Promise((resolve, reject) => {
      this.send(target, api, body, options, (error, response) => {
        if (error !== null) reject(error);
        else resolve(response as ResponseOf<A>);
      });
    });
  }

  coordinator(): Promise<number> {
    return this.closed ? Promise.reject(closedError('The client is closed.')) : Promise.resolve(this.coordinatorId);
  }

  invalidateCoordinator(): void {
    this.forgotten++;
  }

  close(): void {
    this.closed = true;
    this.metadata.close();
  }

  private ranges(api: Api): ApiRanges {
    const max = this.maxVersions.get(api.name) ?? api.versions[1];
    return new ApiRanges([{ apiKey: api.key, minVersion: api.versions[0], maxVersion: max }]);
  }

  private async answer<A extends Api>(api: A, sent: Sent, callback: ResponseCallback<A>): Promise<void> {
    const handler = this.handlers.get(api.name);
    if (handler === undefined) throw new Error(`the spec has no handler for ${api.name}`);
    const response = await handler(sent.body as RequestOf<Api>, sent);
    if (this.closed) callback(closedError('The client was closed before the answer came.'), null, sent.version);
    else if (response instanceof KafkaError) callback(response, null, sent.version);
    else {
      const frame = Buffer.concat(encodeResponse(api, sent.version, 1, response as ResponseInput<A>)).subarray(4);
      callback(null, decodeResponse<A>(api, sent.version, frame), sent.version);
    }
  }

  private describe(body: RequestOf<typeof Metadata>): ResponseInput<typeof Metadata> {
    const names = body.topics === null ? [...this.topics.keys()] : body.topics.map((topic) => topic.name ?? '');
    return {
      brokers: [...this.brokers].map((nodeId) => ({ nodeId, host: `broker-${nodeId}`, port: 9092 })),
      clusterId: 'scripted',
      controllerId: 1,
      topics: names.map((name) => {
        const topic = this.topics.get(name);
        const errorCode = this.topicErrors.get(name) ?? (topic ? ErrorCode.NONE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        const leaders = topic?.leaders ?? [];
        return {
          errorCode,
          name,
          topicId: topic?.topicId ?? 'AAAAAAAAAAAAAAAAAAAAAA',
          isInternal: name.startsWith('__'),
          partitions: leaders.map((leaderId, partitionIndex) => ({
            errorCode: ErrorCode.NONE,
            partitionIndex,
            leaderId,
            leaderEpoch: topic?.leaderEpoch ?? -1,
            replicaNodes: [leaderId],
            isrNodes: [leaderId],
          })),
        };
      }),
    };
  }
}
