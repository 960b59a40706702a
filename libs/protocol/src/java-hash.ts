/**
 * `String.hashCode` of Java, with which Kafka spreads groups and transactional ids over the partitions of its internal
 * topics.
 *
 * Guarantees Java's number for every string, surrogate pairs and lone surrogates included.
 * Leaves out the partition: Kafka takes the absolute value (0 for -2^31, which has none) modulo the partition count.
 */

/** The hash of the string's UTF-16 code units as a signed 32-bit integer. */
export function javaStringHash(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  }
  return hash;
}
