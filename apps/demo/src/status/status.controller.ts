/**
 * GET /status: what was sent, received and committed, and what the listeners are doing.
 *
 * Answers within a second, broker or no broker: what only the broker knows is then as old as its last answer.
 */
import { Controller, Get } from '@nestjs/common';
import { KafkaListenerEndpointRegistry, type OffsetCommit } from '@kafka-template/nestjs';
import { OrderView, type ViewSize } from '../orders/order-view.js';
import { ViewProgress } from '../orders/view-progress.js';
import { Activity, type ReceivedPartition, type SentOrders } from './activity.js';
import { Cluster } from './cluster.js';

/** What a listener is doing. */
interface ListenerStatus {
  readonly id: string;
  readonly group: string | null;
  readonly running: boolean;
  readonly partitions: readonly string[];
}

/** Whether the broker has answered just now. */
interface BrokerStatus {
  readonly bootstrapServers: string;
  readonly reachable: boolean;
  /** Why it is not reachable. */
  readonly reason?: string;
}

/** The answer. */
export interface Status {
  readonly broker: BrokerStatus;
  /** Orders sent since the start, by mode, and what became of them. */
  readonly sent: SentOrders;
  /** Records received since the start, by listener and partition. */
  readonly received: Record<string, readonly ReceivedPartition[]>;
  /**
   * What the groups have committed: the offset of the next record, by partition. From the broker; when it is not
   * reachable, what it said last.
   */
  readonly committed: Record<string, readonly OffsetCommit[]>;
  readonly listeners: readonly ListenerStatus[];
  /** How many orders GET /orders/:id knows, and whether it has read all there were at the start. */
  readonly view: ViewSize & { readonly complete: boolean };
}

@Controller('status')
export class StatusController {
  /** By group, as many as there are listeners with one. */
  private readonly lastCommitted = new Map<string, readonly OffsetCommit[]>();

  constructor(
    private readonly activity: Activity,
    private readonly cluster: Cluster,
    private readonly registry: KafkaListenerEndpointRegistry,
    private readonly view: OrderView,
    private readonly viewProgress: ViewProgress,
  ) {}

  @Get()
  async status(): Promise<Status> {
    const listeners = this.registry.all.map((container) => container.status());
    const broker = await this.askBroker(listeners.flatMap(({ groupId }) => groupId ?? []));
    return {
      broker,
      sent: this.activity.sentOrders,
      received: this.activity.receivedRecords,
      committed: Object.fromEntries(this.lastCommitted),
      listeners: listeners.map(({ id, groupId, isRunning, assignment }) => ({
        id,
        group: groupId ?? null,
        running: isRunning,
        partitions: assignment.map(({ topic, partition }) => `${topic}-${partition}`),
      })),
      view: { ...this.view.size, complete: this.viewProgress.isComplete },
    };
  }

  /** Brings what the groups have committed up to date. */
  private async askBroker(groups: readonly string[]): Promise<BrokerStatus> {
    const { bootstrapServers } = this.cluster;
    const ask = async (group: string) => this.lastCommitted.set(group, await this.cluster.committed(group));
    try {
      await Promise.all(groups.map(ask));
      return { bootstrapServers, reachable: true };
    } catch (error) {
      return { bootstrapServers, reachable: false, reason: (error as Error).message };
    }
  }
}
