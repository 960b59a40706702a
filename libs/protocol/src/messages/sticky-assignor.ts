/**
 * What the sticky assignors of the Java client put into the user data of their subscriptions.
 *
 * "sticky" remembers the member's partitions (v0) and their generation (v1, KIP-341); "cooperative-sticky" the generation
 * alone, because its subscription names the partitions (KIP-429). These bytes carry no version: a reader of "sticky" tries
 * v1 first, as the Java client does.
 */
import { messageCodec } from '../codec.js';
import { ProtocolError } from '../protocol-error.js';
import { Reader } from '../reader.js';
import { type DecodedOf, type InputOf, array, int32, message, string } from '../schema.js';
import { Writer } from '../writer.js';

const VERSION_MAX = 1;

/** User data of the assignor "sticky". */
export const StickyAssignorUserData = message({
  name: 'StickyAssignorUserData',
  versions: [0, VERSION_MAX],
  flexible: null,
  fields: {
    previousAssignment: array({ topic: string, partitions: array(int32) }),
    generation: int32.since(1).default(-1).ignorable(),
  },
});

/** User data of the assignor "cooperative-sticky". */
export const CooperativeStickyAssignorUserData = message({
  name: 'CooperativeStickyAssignorUserData',
  versions: [0, 0],
  flexible: null,
  fields: { generation: int32 },
});

/** Decoded user data of "sticky"; `generation` is -1 at version 0. */
export type StickyUserData = DecodedOf<typeof StickyAssignorUserData>;
/** Decoded user data of "cooperative-sticky". */
export type CooperativeStickyUserData = DecodedOf<typeof CooperativeStickyAssignorUserData>;

/** User data of "sticky" as bytes; at version 0 (default 1) the generation is dropped. */
export function encodeStickyUserData(data: InputOf<typeof StickyAssignorUserData>, version = VERSION_MAX): Buffer {
  const writer = new Writer();
  messageCodec(StickyAssignorUserData, version).encode(writer, data);
  return writer.toBuffer();
}

/**
 * User data of "sticky", of either version. An assignor takes a member whose data cannot be read as one without
 * partitions.
 *
 * @throws ProtocolError when the bytes are malformed in both versions.
 */
export function decodeStickyUserData(userData: Buffer): StickyUserData {
  try {
    return messageCodec(StickyAssignorUserData, VERSION_MAX).decode(new Reader(userData));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return messageCodec(StickyAssignorUserData, 0).decode(new Reader(userData));
  }
}

/** User data of "cooperative-sticky" as bytes. */
export function encodeCooperativeStickyUserData(data: CooperativeStickyUserData): Buffer {
  const writer = new Writer();
  messageCodec(CooperativeStickyAssignorUserData, 0).encode(writer, data);
  return writer.toBuffer();
}

/**
 * User data of "cooperative-sticky".
 *
 * @throws ProtocolError when there are fewer than four bytes.
 */
export function decodeCooperativeStickyUserData(userData: Buffer): CooperativeStickyUserData {
  return messageCodec(CooperativeStickyAssignorUserData, 0).decode(new Reader(userData));
}
