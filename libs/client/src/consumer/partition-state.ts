/**
 * What a consumer knows of one partition assigned to it.
 *
 * Guarantees that the position moves only by records handed out, by `seek`, or by a reset; a pending answer that was
 * asked for before such a move is recognised by `version` and dropped. Nothing here talks to a broker or commits.
 */
import { FetchBuffer } from './fetch/fetch-buffer.js';
import { partitionKey, type TopicPartition } from './topic-partition.js';

/** The end of the log to which a position is to be reset. */
export type ResetTarget = 'earliest' | 'latest';

/** A partition assigned to a consumer. */
export class PartitionState {
  readonly key: string;
  readonly topicPartition: TopicPartition;
  /** Fetched ahead. */
  readonly buffer = new FetchBuffer();
  /** Not handed out and not fetched, until `resume`. */
  paused = false;
  /** Id of the topic all this is about; null while it is not known. */
  topicId: string | null = null;
  /** Offset of the next record to hand out, -1 while it is not known. */
  position = -1;
  /** Leader epoch of the record before the position, -1 when unknown; committed with it. */
  positionEpoch = -1;
  /** Set while the position has to be looked up at an end of the log. */
  resetTarget: ResetTarget | null = null;
  /** Set while only `seek` can give a position: the old one is of a deleted topic, and `autoOffsetReset` is `none`. */
  needsSeek = false;
  /** Whether the leader still has to confirm that its log holds what the position builds on. */
  unchecked = false;
  /** Epoch of the leader that has confirmed it; -1 for none. */
  checkedEpoch = -1;
  /** Raised whenever the position is set or taken away other than by handing out records. */
  version = 0;
  /** Monotonic time before which neither a look-up nor a fetch is tried again. */
  retryAtMs = 0;
  /** Consecutive failures, for the back-off. */
  failures = 0;
  /** A look-up of the position is under way. */
  lookingUp = false;
  /** About to be given up: nothing more is fetched or handed out. */
  revoking = false;
  /** The offset last committed from here or found committed, -1 when there is none known. */
  committedOffset = -1;
  /** Offset behind the last record this consumer may see, as of the last fetch; -1 before it. */
  endOffset = -1;

  /** Broker id of a replica nearby that the leader has named for reading (KIP-392); -1 for the leader itself. */
  preferredReplica = -1;
  /** Monotonic time from which the leader is asked again. */
  preferredUntilMs = 0;

  constructor(topicPartition: TopicPartition) {
    this.topicPartition = { topic: topicPartition.topic, partition: topicPartition.partition };
    this.key = partitionKey(topicPartition);
  }

  /** Whether it is known where to read. */
  get hasPosition(): boolean {
    return this.position >= 0 && this.resetTarget === null;
  }

  /** Records between the position and the end; null while one of them is not known. */
  get lag(): number | null {
    return this.hasPosition && this.endOffset >= 0 ? Math.max(0, this.endOffset - this.position) : null;
  }

  /** Whether records may be fetched and handed out. */
  get readable(): boolean {
    return this.hasPosition && !this.paused && !this.revoking && !this.unchecked;
  }

  /** Goes on at an offset. */
  seek(offset: number, leaderEpoch: number): void {
    this.position = offset;
    this.positionEpoch = leaderEpoch;
    this.resetTarget = null;
    this.restart(offset);
  }

  /** Goes on at an end of the log, which has to be looked up first. */
  requestReset(target: ResetTarget): void {
    this.resetTarget = target;
    this.restart(-1);
  }

  /** There is no position any more, and none is looked for. */
  requireSeek(): void {
    this.position = -1;
    this.restart(-1);
    this.needsSeek = true;
  }

  /** Nothing is handed out before the leader has confirmed the position, and what was fetched before is dropped. */
  beginCheck(): void {
    this.unchecked = true;
    this.lookingUp = false;
    this.refetch();
  }

  /** The leader of this epoch has confirmed the position, or cannot be asked. */
  endCheck(leaderEpoch: number): void {
    this.unchecked = false;
    this.lookingUp = false;
    this.checkedEpoch = leaderEpoch;
    this.failures = 0;
  }

  /** Stops handing out and drops what was fetched ahead; the position stays, for a last commit. */
  beginRevocation(): void {
    this.revoking = true;
    this.buffer.restart(this.position);
  }

  /** Drops what was fetched ahead and fetches it again. */
  refetch(): void {
    this.version++;
    this.buffer.restart(this.position);
  }

  /** Counts a failure and says when to try again. */
  failed(retryAtMs: number): void {
    this.failures++;
    this.retryAtMs = retryAtMs;
  }

  /** Whether a look-up or a fetch may be tried at this time. */
  mayTry(nowMs: number): boolean {
    return nowMs >= this.retryAtMs;
  }

  private restart(fetchOffset: number): void {
    this.version++;
    this.needsSeek = false;
    this.retryAtMs = 0;
    this.failures = 0;
    this.lookingUp = false;
    this.unchecked = false;
    this.checkedEpoch = -1;
    this.buffer.restart(fetchOffset);
  }
}
