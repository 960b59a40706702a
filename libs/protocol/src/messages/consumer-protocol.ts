/**
 * What consumers of a classic group put into the opaque bytes of JoinGroup and SyncGroup (protocol type "consumer").
 *
 *   v1  partitions owned so far (KIP-429)    v2  generation of the owned partitions (KIP-792)
 *   v3  rack (KIP-881)
 *
 * Reads the versions of newer writers as v3 and ignores what they added; the broker never looks into these bytes.
 */
import { ProtocolError } from '../protocol-error.js';
import { type DecodedOf, type InputOf, array, bytes, int32, message, string } from '../schema.js';
import { decodeVersioned, encodeVersioned, leadingInt16 } from '../versioned.js';

const VERSION_MAX = 3;

/** What a member tells the leader of its group. */
export const ConsumerProtocolSubscription = message({
  name: 'ConsumerProtocolSubscription',
  versions: [0, VERSION_MAX],
  flexible: null,
  fields: {
    topics: array(string),
    userData: bytes.orNull().default(null),
    ownedPartitions: array({ topic: string, partitions: array(int32) })
      .since(1)
      .ignorable(),
    generationId: int32.since(2).default(-1).ignorable(),
    rackId: string.orNull().since(3).default(null).ignorable(),
  },
});

/** What the leader tells a member. */
export const ConsumerProtocolAssignment = message({
  name: 'ConsumerProtocolAssignment',
  versions: [0, VERSION_MAX],
  flexible: null,
  fields: {
    assignedPartitions: array({ topic: string, partitions: array(int32) }),
    userData: bytes.orNull().default(null),
  },
});

/** A decoded subscription; at older versions `ownedPartitions` is empty, `generationId` -1 and `rackId` null. */
export type Subscription = DecodedOf<typeof ConsumerProtocolSubscription>;
/** A decoded assignment. */
export type Assignment = DecodedOf<typeof ConsumerProtocolAssignment>;

/** A subscription as bytes for JoinGroup. Fields that `version` (default 3) lacks are dropped. */
export function encodeSubscription(
  subscription: InputOf<typeof ConsumerProtocolSubscription>,
  version = VERSION_MAX,
): Buffer {
  return encodeVersioned(ConsumerProtocolSubscription, version, subscription);
}

/**
 * A subscription from a member's metadata.
 *
 * @throws ProtocolError when the bytes are malformed.
 */
export function decodeSubscription(metadata: Buffer): Subscription {
  return decodeVersioned(ConsumerProtocolSubscription, readableVersion(metadata), metadata);
}

/** An assignment as bytes for SyncGroup, at `version` (default 3). */
export function encodeAssignment(
  assignment: InputOf<typeof ConsumerProtocolAssignment>,
  version = VERSION_MAX,
): Buffer {
  return encodeVersioned(ConsumerProtocolAssignment, version, assignment);
}

/**
 * An assignment from a member's bytes. No bytes at all mean no partitions: that is what a member gets which the leader
 * left out.
 *
 * @throws ProtocolError when the bytes are malformed.
 */
export function decodeAssignment(assignment: Buffer): Assignment {
  if (assignment.length === 0) return { assignedPartitions: [], userData: null };
  return decodeVersioned(ConsumerProtocolAssignment, readableVersion(assignment), assignment);
}

function readableVersion(bytesWithVersion: Buffer): number {
  const version = leadingInt16(bytesWithVersion);
  if (version < 0) throw new ProtocolError('INVALID_VALUE', `the consumer protocol has no version ${version}`);
  return Math.min(version, VERSION_MAX);
}
