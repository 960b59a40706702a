/**
 * The share group state of one partition of `__share_group_state`: loads it, stores changes, deletes what is superseded.
 *
 * Guarantees: records go to the log before the state moves on; answers leave after the log has them. When the log fails
 * after it had accepted a write, the shard forgets everything and loads again, and whoever keeps copies of its state is
 * told to do so, too. Source: KIP-932, "Share coordinator".
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { Clock } from '../../../io/clock.js';
import type { Logger } from '../../../io/logger.js';
import { COORDINATOR_RECORDS_PER_BATCH_MAX } from '../../../limits.js';
import type { Partition } from '../../../replication/partition.js';
import { GatedLog } from '../../runtime/gated-log.js';
import { replay } from '../../runtime/replay.js';
import { clientCode, type ShardStatus } from '../../runtime/shard.js';
import { applyShareState } from './apply.js';
import { decideInitialize, decideWrite, snapshotOf, type InitializeCommand, type WriteCommand } from './decide.js';
import { decodeShareStateRecord, encodeShareStateRecord, type ShareStateRecord } from './records.js';
import { shareKeyText, type ShareKey, type ShareState } from './share-state.js';
import type { ShareStateSettings } from './share-state-settings.js';

/** A log with more records than this for each share partition is worth shortening. */
const RECORDS_PER_KEY_MAX = 16;

/** What a shard needs from its coordinator. */
export interface ShareStateShardOptions {
  readonly partition: Partition;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: () => ShareStateSettings;
  /** What was told about these may not be true any more. */
  readonly onLost: (keys: readonly string[]) => void;
}

/** Who waits for a change: `refused`, or `applied` and then one of `stored` and `failed`. Codes are for clients. */
export interface ShareStateSteps {
  applied?(): void;
  stored(): void;
  /** Nothing was changed. */
  refused(errorCode: number): void;
  failed(errorCode: number): void;
}

interface Kept {
  readonly key: ShareKey;
  /** No later than the last snapshot in the log. */
  snapshotOffset: number;
  updates: number;
}

/** See the file comment. */
export class ShareStateShard {
  status: ShardStatus = 'loading';
  private states = new Map<string, ShareState>();
  private kept = new Map<string, Kept>();
  private log: GatedLog;
  private loads = 0;
  private readonly leaderEpoch: number;

  constructor(private readonly options: ShareStateShardOptions) {
    this.leaderEpoch = options.partition.leaderEpoch;
    this.log = this.openLog();
  }

  /** True when this shard is about the partition as it is led now. */
  serves(partition: Partition): boolean {
    const same = partition === this.options.partition && partition.leaderEpoch === this.leaderEpoch;
    return same && this.status !== 'closed';
  }

  /** Reads the partition; `active` after it, unless the shard was closed meanwhile or the partition cannot be read. */
  async load(): Promise<void> {
    const { partition, clock, logger, settings } = this.options;
    const load = ++this.loads;
    const cancelled = (): boolean => this.status === 'closed' || load !== this.loads;
    const states = new Map<string, ShareState>();
    const kept = new Map<string, Kept>();
    const startOffset = partition.logStartOffset;
    const target = {
      record: (key: Buffer, value: Buffer | null): void => {
        const record = decodeShareStateRecord(key, value);
        if (!record) return;
        applyShareState(states, record);
        note(kept, record, startOffset);
      },
      transactionEnd: (): void => undefined,
    };
    try {
      await replay(partition, { maxBytes: settings().loadBytes, clock, cancelled }, target);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error('Share group state could not be loaded', { partition: partition.partition, reason });
      return this.close();
    }
    if (cancelled()) return;
    this.states = states;
    this.kept = kept;
    this.log = this.openLog();
    this.status = 'active';
  }

  /** Fails whatever waits with NOT_COORDINATOR. */
  close(): void {
    if (this.status === 'closed') return;
    this.status = 'closed';
    this.forget(ErrorCode.NOT_COORDINATOR);
  }

  /** Fails whatever waits because the broker stops. */
  shutdown(): void {
    this.status = 'closed';
    this.forget(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  }

  /** What is stored, or on its way into the log. */
  get(key: ShareKey): ShareState | undefined {
    return this.states.get(shareKeyText(key));
  }

  /** Stores a new start. */
  initialize(key: ShareKey, command: InitializeCommand, steps: ShareStateSteps): void {
    const decision = decideInitialize(key, this.get(key), command, this.options.clock.now());
    if (decision.errorCode !== ErrorCode.NONE) return steps.refused(decision.errorCode);
    this.write(decision.records, steps);
  }

  /** Stores what became of records. */
  update(key: ShareKey, command: WriteCommand, steps: ShareStateSteps): void {
    const updates = this.kept.get(shareKeyText(key))?.updates ?? 0;
    const snapshot = updates >= this.options.settings().updatesPerSnapshot;
    const nowEpochMs = this.options.clock.now();
    const decision = decideWrite(key, this.get(key), command, { nowEpochMs, snapshot });
    if (decision.errorCode !== ErrorCode.NONE) return steps.refused(decision.errorCode);
    this.write(decision.records, steps);
  }

  /** Forgets a share partition; harmless when there is none. */
  remove(key: ShareKey, steps: ShareStateSteps): void {
    if (this.get(key) === undefined) {
      steps.applied?.();
      return this.log.afterWrites(
        () => steps.stored(),
        (logCode) => steps.failed(clientCode(logCode)),
      );
    }
    this.write([{ type: 'snapshot', key, value: null }], steps);
  }

  /** Deletes from the log what newer snapshots say anyway; makes new snapshots when old ones hold up too much. */
  async prune(): Promise<void> {
    const { partition, clock } = this.options;
    if (this.status !== 'active') return;
    let first = partition.logEndOffset;
    for (const { snapshotOffset } of this.kept.values()) first = Math.min(first, snapshotOffset);
    if (first > partition.logStartOffset) await partition.deleteRecordsBefore(first);
    const records = partition.logEndOffset - partition.logStartOffset;
    if (records <= this.kept.size * RECORDS_PER_KEY_MAX) return;
    const snapshots = [...this.kept.values()].flatMap(({ key }) => {
      const state = this.get(key);
      return state ? [snapshotOf(key, state, clock.now())] : [];
    });
    const nobody = { stored: () => undefined, refused: () => undefined, failed: () => undefined };
    for (let start = 0; start < snapshots.length; start += COORDINATOR_RECORDS_PER_BATCH_MAX) {
      this.write(snapshots.slice(start, start + COORDINATOR_RECORDS_PER_BATCH_MAX), nobody);
    }
  }

  private write(records: readonly ShareStateRecord[], steps: ShareStateSteps): void {
    const { clock, settings, partition } = this.options;
    // What is accepted but not yet written has lower offsets than these records, never higher ones.
    const fromOffset = partition.logEndOffset;
    const options = { nowEpochMs: clock.now(), timeoutMs: settings().writeTimeoutMs };
    this.log.write(records.map(encodeShareStateRecord), options, {
      applied: () => {
        for (const record of records) {
          applyShareState(this.states, record);
          note(this.kept, record, fromOffset);
        }
        steps.applied?.();
      },
      stored: () => steps.stored(),
      refused: (logCode) => steps.refused(clientCode(logCode)),
      failed: (logCode) => steps.failed(clientCode(logCode)),
    });
  }

  private openLog(): GatedLog {
    return new GatedLog(this.options.partition, (errorCode) => this.logFailed(errorCode));
  }

  /** An accepted write was lost: the state is ahead of the log, so the log is read again. */
  private logFailed(errorCode: number): void {
    const { partition, logger } = this.options;
    const facts = { partition: partition.partition, errorCode };
    logger.error('A write of share group state failed after it was accepted', facts);
    if (this.status !== 'active') return;
    this.status = 'loading';
    this.forget(ErrorCode.NOT_COORDINATOR);
    if (!partition.isOnline) return this.close();
    void this.load();
  }

  private forget(errorCode: number): void {
    const keys = [...this.states.keys()];
    this.states = new Map();
    this.kept = new Map();
    this.options.onLost(keys);
    this.log.close(errorCode);
  }
}

function note(kept: Map<string, Kept>, record: ShareStateRecord, offset: number): void {
  const name = shareKeyText(record.key);
  const known = kept.get(name);
  if (record.type === 'update') {
    if (known) known.updates += 1;
    return;
  }
  if (record.value === null) kept.delete(name);
  else kept.set(name, { key: record.key, snapshotOffset: offset, updates: 0 });
}
