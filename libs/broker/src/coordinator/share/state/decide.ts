/**
 * What requests make of the stored state of a share partition.
 *
 * Guarantees: pure; a writer that is behind (an older state epoch or leader epoch) changes nothing. Every so often an
 * update is a whole snapshot, so that what came before it can be deleted. Source: KIP-932, "Share coordinator".
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { ShareStateRecord } from './records.js';
import { overlay, type ShareKey, type ShareState, type StateBatch } from './share-state.js';

/** A new start, from an administrator or for a partition nobody has read yet. */
export interface InitializeCommand {
  readonly stateEpoch: number;
  /** -1: wherever the group's `share.auto.offset.reset` says, once somebody reads. */
  readonly startOffset: number;
}

/** What the leader of the partition has to store. */
export interface WriteCommand {
  readonly stateEpoch: number;
  readonly leaderEpoch: number;
  /** -1 leaves it as it is. */
  readonly startOffset: number;
  readonly deliveryCompleteCount: number;
  readonly batches: readonly StateBatch[];
}

/** What is to be stored, or Kafka's code for why not. */
export interface ShareStateDecision {
  readonly errorCode: number;
  readonly records: readonly ShareStateRecord[];
}

/** InitializeShareGroupState. */
export function decideInitialize(
  key: ShareKey,
  state: ShareState | undefined,
  { stateEpoch, startOffset }: InitializeCommand,
  nowEpochMs: number,
): ShareStateDecision {
  if (state !== undefined && stateEpoch < state.stateEpoch) {
    return { errorCode: ErrorCode.FENCED_STATE_EPOCH, records: [] };
  }
  const value: ShareState = {
    snapshotEpoch: state === undefined ? 0 : state.snapshotEpoch + 1,
    stateEpoch,
    leaderEpoch: state?.leaderEpoch ?? 0,
    startOffset,
    deliveryCompleteCount: startOffset === -1 ? -1 : 0,
    createdMs: nowEpochMs,
    writtenMs: nowEpochMs,
    batches: [],
  };
  return { errorCode: ErrorCode.NONE, records: [{ type: 'snapshot', key, value }] };
}

/** WriteShareGroupState. `snapshot` stores everything instead of what has changed. */
export function decideWrite(
  key: ShareKey,
  state: ShareState | undefined,
  command: WriteCommand,
  options: { readonly nowEpochMs: number; readonly snapshot: boolean },
): ShareStateDecision {
  if (state === undefined) return { errorCode: ErrorCode.INVALID_REQUEST, records: [] };
  if (command.stateEpoch < state.stateEpoch) return { errorCode: ErrorCode.FENCED_STATE_EPOCH, records: [] };
  if (command.leaderEpoch < state.leaderEpoch) return { errorCode: ErrorCode.FENCED_LEADER_EPOCH, records: [] };
  const { leaderEpoch, startOffset, deliveryCompleteCount, batches } = command;
  if (!options.snapshot) {
    const value = { snapshotEpoch: state.snapshotEpoch, leaderEpoch, startOffset, deliveryCompleteCount, batches };
    return { errorCode: ErrorCode.NONE, records: [{ type: 'update', key, value }] };
  }
  const start = startOffset === -1 ? state.startOffset : startOffset;
  const value: ShareState = {
    ...state,
    snapshotEpoch: state.snapshotEpoch + 1,
    leaderEpoch,
    startOffset: start,
    deliveryCompleteCount,
    writtenMs: options.nowEpochMs,
    batches: overlay(state.batches, batches, start),
  };
  return { errorCode: ErrorCode.NONE, records: [{ type: 'snapshot', key, value }] };
}

/** A snapshot of what is there. */
export function snapshotOf(key: ShareKey, state: ShareState, nowEpochMs: number): ShareStateRecord {
  const value = { ...state, snapshotEpoch: state.snapshotEpoch + 1, writtenMs: nowEpochMs };
  return { type: 'snapshot', key, value };
}
