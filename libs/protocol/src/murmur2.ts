/**
 * Murmur2 as Kafka's Java producer uses it to choose a partition for a key.
 *
 * Guarantees the same number as `org.apache.kafka.common.utils.Utils.murmur2` for the same bytes, so that records of one
 * key meet in one partition no matter which client wrote them.
 * Leaves out turning the number into a partition: `(murmur2(key) & 0x7fffffff) % partitionCount`.
 */

const SEED = 0x9747b28c | 0;
const MULTIPLIER = 0x5bd1e995;
const SHIFT = 24;

/** The hash of the bytes, or of the first `length` of them, as a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array, length = bytes.length): number {
  let hash = SEED ^ length;
  const wordsEnd = length & ~3;
  for (let index = 0; index < wordsEnd; index += 4) {
    let word =
      byteAt(bytes, index) |
      (byteAt(bytes, index + 1) << 8) |
      (byteAt(bytes, index + 2) << 16) |
      (byteAt(bytes, index + 3) << 24);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> SHIFT;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  const rest = length - wordsEnd;
  if (rest > 0) {
    if (rest === 3) hash ^= byteAt(bytes, wordsEnd + 2) << 16;
    if (rest >= 2) hash ^= byteAt(bytes, wordsEnd + 1) << 8;
    hash = Math.imul(hash ^ byteAt(bytes, wordsEnd), MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}
