/**
 * ListPartitionReassignments: v0.
 *
 * No partition is ever on its way to another broker; see 45-alter-partition-reassignments.ts.
 */
import { ErrorCode, ListPartitionReassignments } from '@kafka-template/protocol';
import { handler } from '../handler.js';

/** See the head of this file. */
export const listPartitionReassignments = handler(ListPartitionReassignments, { versions: [0, 0] }, () => ({
  errorCode: ErrorCode.NONE,
  errorMessage: null,
  topics: [],
}));
