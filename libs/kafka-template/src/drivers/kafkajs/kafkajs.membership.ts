/**
 * The group membership behind kafkajs' consumer: what its public interface does not show.
 *
 * Hooks into the cluster object that kafkajs hands to its assigners. Looking up the coordinator is the first thing a join does,
 * and metadata the first thing a fetch does: both wait here, so that revocation and assignment are done before kafkajs goes on.
 * Commits are sent from here with the generation they belong to; kafkajs would use whichever it has by then. The connection to
 * the coordinator is wrapped, to learn member and generation and to keep kafkajs from committing -1 after "out of range".
 */
import type { Clock } from '../../io/clock.js';
import type { CommittedOffset, OffsetCommit, TopicPartition } from '../driver.js';
import { driverErrorOf, KafkaJsError } from './kafkajs.error.js';
import type { KafkaJsBroker, KafkaJsCluster, KafkaJsMember, KafkaJsTopicOffsets } from './kafkajs.types.js';

/** What a membership needs. */
export interface MembershipParts {
  readonly cluster: KafkaJsCluster;
  readonly groupId: string;
  readonly clock: Clock;
  readonly defaultApiTimeoutMs: number;
  readonly retryBackoffMs: number;
  /** Before a join: partitions are to be given up. */
  readonly beforeJoin: () => Promise<void>;
  /** Before a fetch: what is to be done first. */
  readonly beforeFetch: () => Promise<void>;
  /** The position of a partition does not exist any more. */
  readonly onOutOfRange: (partition: TopicPartition) => Promise<void>;
}

/** The group has gone on without this member. */
const EXPELLED: ReadonlySet<unknown> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);

/** The coordinator is to be looked up again. */
const MOVED: ReadonlySet<string> = new Set(['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'NETWORK']);

/** Membership in a group through kafkajs. */
export class Membership {
  readonly #parts: MembershipParts;
  readonly #findCoordinator: KafkaJsCluster['findGroupCoordinator'];
  #coordinator: KafkaJsBroker | undefined;
  #member: KafkaJsMember | undefined;
  /** Set when the group has gone on without this member; until the next join. */
  #isExpelled = false;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    const { cluster } = parts;
    for (const method of ['findGroupCoordinator', 'refreshMetadataIfNecessary', 'fetchTopicsOffset'] as const) {
      if (typeof cluster[method] === 'function') continue;
      throw new KafkaJsError(
        'CONFIG',
        `This kafkajs has no cluster.${method}, on which the driver builds awaited revocation. It is tested with kafkajs 2.2.`,
        { fatal: true },
      );
    }
    this.#findCoordinator = cluster.findGroupCoordinator.bind(cluster);
    const refresh = cluster.refreshMetadataIfNecessary.bind(cluster);
    cluster.findGroupCoordinator = async (query) => {
      await parts.beforeJoin();
      this.#coordinator = await this.#findCoordinator(query);
      return this.#wrap(this.#coordinator);
    };
    cluster.refreshMetadataIfNecessary = async () => {
      await parts.beforeFetch();
      await refresh();
    };
  }

  /** Whether the partitions are somebody else's already. */
  get isExpelled(): boolean {
    return this.#isExpelled;
  }

  /** kafkajs has left the group. */
  expel(): void {
    this.#isExpelled = true;
  }

  /** Tells the coordinator that this member lives, while kafkajs waits. Failures are for kafkajs to find. */
  async heartbeat(): Promise<void> {
    const member = this.#member;
    if (member === undefined || this.#coordinator === undefined || this.#isExpelled) return;
    await this.#coordinator.heartbeat(member).catch((error: unknown) => this.#note(error));
  }

  /** Commits with the generation of the present assignment; tries again while the coordinator moves. */
  async commit(offsets: readonly OffsetCommit[]): Promise<void> {
    if (offsets.length === 0) return;
    const member = this.#member;
    if (member === undefined || this.#isExpelled) throw expelled();
    const topics = byTopic(offsets, ({ partition, offset, metadata }) => ({
      partition,
      offset: String(offset),
      metadata: metadata ?? null,
    }));
    await this.#withCoordinator('committing offsets', (coordinator) => coordinator.offsetCommit({ ...member, topics }));
  }

  /** What the group has committed. */
  async committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    if (partitions.length === 0) return [];
    const { groupId } = this.#parts;
    const topics = byTopic(partitions, ({ partition }) => ({ partition }));
    const { responses } = await this.#withCoordinator('reading committed offsets', (coordinator) =>
      coordinator.offsetFetch({ groupId, topics }),
    );
    return responses.flatMap(({ topic, partitions: found }) =>
      found.map(({ partition, offset, metadata }) => ({
        topic,
        partition,
        offset: Number(offset) < 0 ? null : Number(offset),
        metadata: metadata ?? null,
      })),
    );
  }

  async #withCoordinator<T>(during: string, work: (coordinator: KafkaJsBroker) => Promise<T>): Promise<T> {
    const { clock, defaultApiTimeoutMs, retryBackoffMs, groupId } = this.#parts;
    const deadlineMs = clock.now() + defaultApiTimeoutMs;
    for (;;) {
      try {
        if (this.#coordinator?.isConnected() !== true) this.#coordinator = await this.#findCoordinator({ groupId });
        return await work(this.#coordinator);
      } catch (thrown) {
        this.#note(thrown);
        if (this.#isExpelled) throw expelled(thrown);
        const error = driverErrorOf(thrown, during);
        if (!MOVED.has(error.code) || clock.now() + retryBackoffMs > deadlineMs) throw error;
        this.#coordinator = undefined;
        await new Promise<void>((resolve) => clock.setTimer(retryBackoffMs, resolve));
      }
    }
  }

  #wrap(coordinator: KafkaJsBroker): KafkaJsBroker {
    const replaced: Record<string, unknown> = {
      joinGroup: async (request: object) => {
        const joined = await coordinator.joinGroup(request).catch((error: unknown) => this.#rethrow(error));
        const { generationId, memberId } = joined;
        this.#member = { groupId: this.#parts.groupId, memberId, groupGenerationId: generationId };
        this.#isExpelled = false;
        return joined;
      },
      heartbeat: (member: KafkaJsMember) =>
        coordinator.heartbeat(member).catch((error: unknown) => this.#rethrow(error)),
      offsetCommit: ({ topics }: { topics: KafkaJsTopicOffsets[] }) => this.#onOwnCommit(topics),
    };
    return new Proxy(coordinator, {
      get: (target, property) => {
        if (typeof property === 'string' && Object.hasOwn(replaced, property)) return replaced[property];
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      },
    });
  }

  /** kafkajs itself commits in one case only: -1 or -2 for a position that is out of range. It means a reset. */
  async #onOwnCommit(topics: readonly KafkaJsTopicOffsets[]): Promise<void> {
    for (const { topic, partitions } of topics) {
      for (const { partition } of partitions) await this.#parts.onOutOfRange({ topic, partition });
    }
  }

  #note(error: unknown): void {
    if (EXPELLED.has((error as { type?: unknown } | null)?.type)) this.#isExpelled = true;
  }

  #rethrow(error: unknown): never {
    this.#note(error);
    throw error;
  }
}

function expelled(cause?: unknown): KafkaJsError {
  return new KafkaJsError(
    'COMMIT_FAILED',
    'The offsets cannot be committed: the group has given the partitions to another member, because this one was silent ' +
      'for longer than sessionTimeoutMs or did not poll within maxPollIntervalMs. The records are delivered again.',
    { cause },
  );
}

function byTopic<Q extends TopicPartition, P>(
  queries: readonly Q[],
  map: (query: Q) => P,
): { topic: string; partitions: P[] }[] {
  const topics = new Map<string, P[]>();
  for (const query of queries) {
    const partitions = topics.get(query.topic);
    if (partitions === undefined) topics.set(query.topic, [map(query)]);
    else partitions.push(map(query));
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}
