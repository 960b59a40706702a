/**
 * A coordinator of the consumer protocol (KIP-848) for specs: it assigns what the spec says.
 *
 * Writes what it is told into the log of the scripted group beside it, which serves commits.
 */
import {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatRequest,
  ErrorCode,
  type ResponseInput,
} from '@kafka-template/protocol';
import { networkError } from '../../errors.js';
import type { ScriptedCluster } from './scripted-cluster.js';

/** Partitions by topic name. */
export type Assigned = Readonly<Record<string, readonly number[]>>;

/** The coordinator. */
export class ScriptedConsumerGroup {
  epoch = 0;
  heartbeatIntervalMs = 5_000;
  /** Codes to refuse heartbeats with, one each; `lost` loses the answer, with all that it did. */
  codes: (number | 'lost')[] = [];
  readonly requests: ConsumerGroupHeartbeatRequest[] = [];
  private pending: Assigned | null = null;

  constructor(
    private readonly cluster: ScriptedCluster,
    private readonly log: string[],
  ) {
    cluster.on(ConsumerGroupHeartbeat, (body) => this.heartbeat(body) ?? networkError('reset'));
  }

  /** The next answer brings this assignment, and a higher epoch. */
  assign(assigned: Assigned): void {
    this.pending = assigned;
    this.epoch += 1;
  }

  /** The last request. */
  get last(): ConsumerGroupHeartbeatRequest {
    return this.requests.at(-1) as ConsumerGroupHeartbeatRequest;
  }

  private heartbeat(body: ConsumerGroupHeartbeatRequest): ResponseInput<typeof ConsumerGroupHeartbeat> | null {
    this.requests.push(body);
    if (body.memberEpoch === 0) this.log.push('join');
    else if (body.memberEpoch < 0) this.log.push(`leave ${body.memberEpoch}`);
    else if (body.topicPartitions !== null) this.log.push(`owns ${this.names(body.topicPartitions)}`);
    const code = this.codes.shift() ?? ErrorCode.NONE;
    if (code === 'lost') return null;
    if (code !== ErrorCode.NONE) return { errorCode: code, memberEpoch: 0, heartbeatIntervalMs: 0 };
    if (body.memberEpoch < 0) return { errorCode: 0, memberEpoch: body.memberEpoch, heartbeatIntervalMs: 0 };
    const { pending } = this;
    this.pending = null;
    return {
      errorCode: 0,
      memberId: body.memberId,
      memberEpoch: Math.max(1, this.epoch),
      heartbeatIntervalMs: this.heartbeatIntervalMs,
      assignment:
        pending === null
          ? null
          : {
              topicPartitions: Object.entries(pending).map(([name, partitions]) => ({
                topicId: this.cluster.topics.get(name)?.topicId ?? name,
                partitions,
              })),
            },
    };
  }

  private names(owned: readonly { topicId: string; partitions: readonly number[] }[]): string {
    const names = new Map([...this.cluster.topics].map(([name, { topicId }]) => [topicId, name]));
    return owned.map(({ topicId, partitions }) => `${names.get(topicId)}:${partitions.join()}`).join(' ') || 'nothing';
  }
}
