/**
 * A small Kafka cluster in memory for specs of the client: real bytes, a fake network, and faults on demand.
 *
 * Answers ApiVersions, Metadata, InitProducerId, FindCoordinator and Produce by itself; a spec may look at every request first
 * and close the connection before or after it is carried out, leave it without an answer, or answer in its own words.
 */
import {
  type Api,
  APIS,
  ApiVersions,
  ErrorCode,
  FindCoordinator,
  FrameSplitter,
  InitProducerId,
  Metadata,
  Produce,
  type ProduceRequest,
  type RequestOf,
  type ResponseInput,
  apiByKey,
  decodeRequestBody,
  decodeRequestHeader,
  encodeResponse,
  peekRequestHeader,
} from '@kafka-template/protocol';
import type { Clock } from '../io/clock.js';
import type { FakeNetwork, FakePeer } from './fake-network.js';
import { FakePartition } from './fake-partition.js';

/** One request as a broker sees it. */
export interface SeenRequest {
  readonly brokerId: number;
  readonly api: string;
  readonly version: number;
  readonly clientId: string | null;
  readonly body: unknown;
}

/** What a spec wants to become of a request. `carry-out-…` does what it asks before the fault. */
export type Fault =
  | { readonly kind: 'close' }
  | { readonly kind: 'carry-out-and-close' }
  | { readonly kind: 'silence' }
  | { readonly kind: 'carry-out-and-silence' }
  | { readonly kind: 'answer'; readonly body: unknown; readonly afterMs?: number }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'delay'; readonly milliseconds: number };

/** How many brokers, and which topics with how many partitions. */
export interface FakeKafkaOptions {
  readonly brokers?: number;
  readonly topics?: Readonly<Record<string, number>>;
}

const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** The cluster. Brokers have the ids 1, 2, … and listen on `broker-1:9092`, `broker-2:9092`, … */
export class FakeKafka {
  /** Every request, in the order of arrival. */
  readonly requests: SeenRequest[] = [];
  /** Looks at a request before it is carried out. */
  fault: (request: SeenRequest) => Fault | undefined = () => undefined;
  /** Version ranges that differ from the declarations, by API key; null hides the API. */
  readonly ranges = new Map<number, readonly [min: number, max: number] | null>();
  /** Answers of other fakes, by the name of the API; `carryOut` is what this one would answer. */
  readonly services = new Map<string, (request: SeenRequest, carryOut: () => unknown) => unknown>();
  /** Levels of the features the cluster has agreed on. */
  readonly finalizedFeatures = new Map<string, number>();
  /** Whether asking for an unknown topic creates it (with one partition). */
  autoCreate = false;
  private readonly topics = new Map<string, FakePartition[]>();
  private readonly live = new Set<number>();
  private readonly brokerCount: number;
  private nextProducerId = 1000;

  constructor(
    private readonly clock: Clock,
    private readonly network: FakeNetwork,
    options: FakeKafkaOptions = {},
  ) {
    this.brokerCount = options.brokers ?? 1;
    for (let id = 1; id <= this.brokerCount; id++) this.start(id);
    for (const [name, partitions] of Object.entries(options.topics ?? {})) this.createTopic(name, partitions);
  }

  /** For `bootstrapServers`: every broker. */
  get bootstrapServers(): string {
    return Array.from({ length: this.brokerCount }, (_, index) => address(index + 1)).join(',');
  }

  /** Starts (again) a broker. */
  start(id: number): void {
    this.live.add(id);
    this.network.listen(address(id), (peer) => this.accept(id, peer));
  }

  /** Stops a broker; connections to it are reset. */
  stop(id: number): void {
    this.live.delete(id);
    this.network.stop(address(id));
  }

  /** Creates a topic; leaders go round the brokers. */
  createTopic(name: string, partitions: number): void {
    const created = Array.from({ length: partitions }, (_, index) => new FakePartition(1 + (index % this.brokerCount)));
    this.topics.set(name, [...(this.topics.get(name) ?? []), ...created].slice(0, partitions));
  }

  /** Removes a topic. */
  deleteTopic(name: string): void {
    this.topics.delete(name);
  }

  /** A partition's log. */
  partition(topic: string, partition: number): FakePartition {
    const found = this.topics.get(topic)?.[partition];
    if (found === undefined) throw new Error(`no partition ${topic}-${partition}`);
    return found;
  }

  /** Moves a partition to another leader, in the next epoch. */
  elect(topic: string, partition: number, leader: number): void {
    const log = this.partition(topic, partition);
    log.leader = leader;
    log.leaderEpoch += 1;
  }

  /** Requests of one API so far. */
  seen(api: Api): SeenRequest[] {
    return this.requests.filter((request) => request.api === api.name);
  }

  private accept(brokerId: number, peer: FakePeer): { onData(chunk: Buffer): void } {
    const splitter = new FrameSplitter(FRAME_BYTES_MAX);
    return { onData: (chunk) => splitter.push(chunk, (frame) => this.handle(brokerId, peer, frame)) };
  }

  private handle(brokerId: number, peer: FakePeer, frame: Buffer): void {
    if (peer.isClosed) return;
    const { apiKey, apiVersion, correlationId } = peekRequestHeader(frame);
    const api = apiByKey(apiKey);
    if (api === undefined) throw new Error(`a request with the unknown API key ${apiKey}`);
    const range = this.range(api);
    if (api.key === ApiVersions.key && range !== null && apiVersion > range[1]) {
      this.refuseApiVersions(peer, correlationId);
      return;
    }
    if (range === null || apiVersion < range[0] || apiVersion > range[1]) {
      peer.close();
      return;
    }
    const { clientId, bodyOffset } = decodeRequestHeader(frame, api);
    const body = decodeRequestBody(api, apiVersion, frame, bodyOffset);
    const request = { brokerId, api: api.name, version: apiVersion, clientId, body };
    this.requests.push(request);
    const answer = (response: unknown): void => {
      if (response === null) return;
      peer.send(encodeResponse(api, apiVersion, correlationId, response as ResponseInput<Api>));
    };
    this.carryOut(request, peer, answer);
  }

  private carryOut(request: SeenRequest, peer: FakePeer, answer: (response: unknown) => void): void {
    const fault = this.fault(request);
    switch (fault?.kind) {
      case undefined:
        return answer(this.respond(request));
      case 'close':
        return peer.close(new Error('read ECONNRESET'));
      case 'silence':
        return undefined;
      case 'answer':
        if (fault.afterMs === undefined) return answer(fault.body);
        return void this.clock.setTimer(fault.afterMs, () => answer(fault.body));
      case 'bytes':
        return peer.send([fault.bytes]);
      case 'carry-out-and-silence':
        return void this.respond(request);
      case 'carry-out-and-close':
        this.respond(request);
        return peer.close(new Error('read ECONNRESET'));
      case 'delay': {
        const response = this.respond(request);
        return void this.clock.setTimer(fault.milliseconds, () => answer(response));
      }
    }
  }

  private range(api: Api): readonly [min: number, max: number] | null {
    const range = this.ranges.get(api.key);
    return range === undefined ? api.versions : range;
  }

  private refuseApiVersions(peer: FakePeer, correlationId: number): void {
    const [minVersion, maxVersion] = this.range(ApiVersions) ?? [0, 0];
    // Brokers before 2.4 name no range; KIP-511 added it.
    const apiKeys = maxVersion < 3 ? [] : [{ apiKey: ApiVersions.key, minVersion, maxVersion }];
    peer.send(encodeResponse(ApiVersions, 0, correlationId, { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys }));
  }

  private respond(request: SeenRequest): unknown {
    const service = this.services.get(request.api);
    return service === undefined ? this.respondItself(request) : service(request, () => this.respondItself(request));
  }

  private respondItself(request: SeenRequest): unknown {
    switch (request.api) {
      case ApiVersions.name:
        return this.apiVersions();
      case Metadata.name:
        return this.metadata(request.body as RequestOf<typeof Metadata>);
      case InitProducerId.name:
        return { errorCode: ErrorCode.NONE, producerId: this.nextProducerId++, producerEpoch: 0 };
      case FindCoordinator.name:
        return this.coordinator(request.brokerId, request.version, request.body as RequestOf<typeof FindCoordinator>);
      case Produce.name:
        return this.produce(request.brokerId, request.body as ProduceRequest);
      default:
        throw new Error(`the fake cluster does not answer ${request.api}; give an answer by fault()`);
    }
  }

  private apiVersions(): ResponseInput<typeof ApiVersions> {
    const apiKeys = APIS.flatMap((api) => {
      const range = this.range(api);
      return range === null ? [] : [{ apiKey: api.key, minVersion: range[0], maxVersion: range[1] }];
    });
    const finalizedFeatures = Array.from(this.finalizedFeatures, ([name, maxVersionLevel]) => ({
      name,
      maxVersionLevel,
      minVersionLevel: 0,
    }));
    return { errorCode: ErrorCode.NONE, apiKeys, finalizedFeaturesEpoch: 1, finalizedFeatures };
  }

  private metadata(request: RequestOf<typeof Metadata>): ResponseInput<typeof Metadata> {
    const names = request.topics === null ? [...this.topics.keys()] : request.topics.map(({ name }) => name ?? '');
    const brokers = [...this.live].map((nodeId) => ({ nodeId, host: `broker-${nodeId}`, port: 9092, rack: null }));
    const topics = names.map((name) => this.describeTopic(name));
    if (this.autoCreate) for (const name of names) if (!this.topics.has(name)) this.createTopic(name, 1);
    return { brokers, clusterId: 'fake', controllerId: Math.min(...this.live), topics, throttleTimeMs: 0 };
  }

  private describeTopic(name: string): NonNullable<ResponseInput<typeof Metadata>>['topics'][number] {
    const partitions = this.topics.get(name);
    if (partitions === undefined) return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name, partitions: [] };
    return {
      errorCode: ErrorCode.NONE,
      name,
      partitions: partitions.map(({ leader, leaderEpoch }, partitionIndex) => ({
        errorCode: this.live.has(leader) ? ErrorCode.NONE : ErrorCode.LEADER_NOT_AVAILABLE,
        partitionIndex,
        leaderId: this.live.has(leader) ? leader : -1,
        leaderEpoch,
        replicaNodes: [leader],
        isrNodes: [leader],
      })),
    };
  }

  private coordinator(
    nodeId: number,
    version: number,
    request: RequestOf<typeof FindCoordinator>,
  ): ResponseInput<typeof FindCoordinator> {
    const found = { nodeId, host: `broker-${nodeId}`, port: 9092, errorCode: ErrorCode.NONE, errorMessage: null };
    if (version < 4) return found;
    return { coordinators: request.coordinatorKeys.map((key) => ({ key, ...found })) };
  }

  private produce(brokerId: number, request: ProduceRequest): ResponseInput<typeof Produce> | null {
    const responses = request.topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }) => {
        const log = this.topics.get(name)?.[index];
        if (log === undefined) return { index, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, baseOffset: -1 };
        if (log.leader !== brokerId) return { index, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, baseOffset: -1 };
        return { index, ...log.append(records ?? Buffer.alloc(0)) };
      }),
    }));
    return request.acks === 0 ? null : { responses };
  }
}

function address(brokerId: number): string {
  return `broker-${brokerId}:9092`;
}
