/**
 * Sets of producer options that belong together, by what they are good for. Data.
 *
 * Only what decides between latency and throughput; durability (`acks`, idempotence) is the same in all of them, and any
 * option that is set by name wins.
 */
import type { ProducerProperties } from './driver-options.js';
import type { Driver } from './driver.js';

/** Name of a profile. */
export type ProducerProfile = 'lowLatency' | 'balanced' | 'throughput';

/** What the profiles set. */
export const PRODUCER_PROFILES: Readonly<Record<ProducerProfile, ProducerProperties>> = {
  /** Every record leaves in the turn of the event loop in which it was sent. */
  lowLatency: { lingerMs: 0, batchSize: 16_384, compressionType: 'none' },
  /** Kafka 4's own linger: five milliseconds buy batches worth the name. */
  balanced: { lingerMs: 5, batchSize: 65_536, compressionType: 'none' },
  /** Large, compressed batches. */
  throughput: { lingerMs: 20, batchSize: 262_144, compressionType: 'lz4' },
};

/** The options of a profile, as far as a driver has them: without its codec, records go uncompressed. */
export function profileOptions(profile: ProducerProfile | undefined, driver: Driver): ProducerProperties {
  if (profile === undefined) return {};
  const options = PRODUCER_PROFILES[profile];
  return driver.capabilities.allCodecs ? options : { ...options, compressionType: 'none' };
}
