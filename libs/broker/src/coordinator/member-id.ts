/**
 * Ids for members that have none yet.
 *
 * Guarantees Kafka's form, so that people recognise their clients: the client id or instance id, a dash, a uuid.
 */
import type { Random } from '../io/random.js';

/** `name` is the instance id of a static member, else the client id. */
export function newMemberId(name: string, random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return `${name}-${parts.join('-')}`;
}
