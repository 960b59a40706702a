/**
 * GET /status: what was sent, received and committed, and what the listeners are doing.
 */
import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { KafkaAdmin, KafkaListenerEndpointRegistry, type OffsetCommit } from '@kafka-template/nestjs';
import { Activity, type ReceivedPartition, type SentOrders } from './activity.js';

/** What a listener is doing. */
interface ListenerStatus {
  readonly id: string;
  readonly group: string | null;
  readonly running: boolean;
  readonly partitions: readonly string[];
}

/** The answer. */
export interface Status {
  /** Orders sent since the start, by mode, and what became of them. */
  readonly sent: SentOrders;
  /** Records received since the start, by listener and partition. */
  readonly received: Record<string, readonly ReceivedPartition[]>;
  /** What the groups have committed, as the broker knows it: the offset of the next record, by partition. */
  readonly committed: Record<string, readonly OffsetCommit[]>;
  readonly listeners: readonly ListenerStatus[];
}

@Controller('status')
export class StatusController {
  constructor(
    private readonly activity: Activity,
    private readonly admin: KafkaAdmin,
    private readonly registry: KafkaListenerEndpointRegistry,
  ) {}

  @Get()
  async status(): Promise<Status> {
    const listeners = this.registry.all.map((container) => container.status());
    const groups = listeners.flatMap(({ groupId }) => groupId ?? []);
    return {
      sent: this.activity.sentOrders,
      received: this.activity.receivedRecords,
      committed: Object.fromEntries(await Promise.all(groups.map((group) => this.committed(group)))),
      listeners: listeners.map(({ id, groupId, isRunning, assignment }) => ({
        id,
        group: groupId ?? null,
        running: isRunning,
        partitions: assignment.map(({ topic, partition }) => `${topic}-${partition}`),
      })),
    };
  }

  private async committed(group: string): Promise<[string, readonly OffsetCommit[]]> {
    try {
      return [group, await this.admin.client.listConsumerGroupOffsets(group)];
    } catch (error) {
      throw new ServiceUnavailableException(`The offsets of group ${group} are not to be had: ${String(error)}`);
    }
  }
}
