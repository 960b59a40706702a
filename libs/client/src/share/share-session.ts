/**
 * The share session of one broker (KIP-932): what it knows this member fetches, and the number of the next request.
 *
 * Guarantees: one request at a time, in the order in which they were asked for; after a failure the session begins anew.
 */

/** A partition the member fetches. */
export interface SharedPartition {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
}

/** The epoch that opens a session. */
export const FIRST_EPOCH = 0;
/** The epoch that closes one. */
export const FINAL_EPOCH = -1;
const EPOCH_MAX = 0x7fffffff;

/** Topic ids and partitions as requests have them. */
export interface TopicRows {
  readonly topicId: string;
  readonly partitions: number[];
}

/** A name for a partition of a topic id. */
export function sharedKey({ topicId, partition }: Pick<SharedPartition, 'topicId' | 'partition'>): string {
  return `${topicId}/${partition}`;
}

/** Partitions by topic. */
export function topicRows(partitions: Iterable<Pick<SharedPartition, 'topicId' | 'partition'>>): TopicRows[] {
  const rows = new Map<string, number[]>();
  for (const { topicId, partition } of partitions) rows.set(topicId, [...(rows.get(topicId) ?? []), partition]);
  return [...rows].map(([topicId, numbers]) => ({ topicId, partitions: numbers }));
}

/** See the file comment. */
export class ShareSession {
  /** Of the next request. */
  epoch = FIRST_EPOCH;
  /** Failures in a row, and the monotonic time before which it is left in peace. */
  failures = 0;
  notBeforeMs = 0;
  private known = new Map<string, SharedPartition>();
  private queued = 0;
  private tail: Promise<unknown> = Promise.resolve();

  constructor(readonly nodeId: number) {}

  /** A request is under way, or waits to be. */
  get isBusy(): boolean {
    return this.queued > 0;
  }

  /** Runs `request` when those before it are done. */
  run<T>(request: () => Promise<T>): Promise<T> {
    this.queued += 1;
    const done = this.tail.then(request).finally(() => {
      this.queued -= 1;
    });
    this.tail = done.catch(() => undefined);
    return done;
  }

  /** What the broker has to be told so that it knows exactly these. */
  changes(wanted: ReadonlyMap<string, SharedPartition>): {
    readonly added: SharedPartition[];
    readonly forgotten: SharedPartition[];
  } {
    const added = [...wanted].filter(([key]) => !this.known.has(key)).map(([, each]) => each);
    const forgotten = [...this.known].filter(([key]) => !wanted.has(key)).map(([, each]) => each);
    return { added, forgotten };
  }

  /** A request went well. `wanted`: what it told the broker to know, if it was a fetch. */
  succeeded(wanted?: ReadonlyMap<string, SharedPartition>): void {
    this.failures = 0;
    this.epoch = this.epoch === EPOCH_MAX ? 1 : this.epoch + 1;
    if (wanted) this.known = new Map(wanted);
  }

  /** Nobody knows what the broker thinks: it begins anew. */
  reset(): void {
    this.epoch = FIRST_EPOCH;
    this.known.clear();
  }
}
