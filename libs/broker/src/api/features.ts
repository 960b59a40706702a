/**
 * The features of this broker, as ApiVersions shows them (KIP-584). They are fixed: there is no UpdateFeatures.
 */
import { TRANSACTIONS_V2 } from '../coordinator/transaction/transaction.js';

/** Kafka's names, and the levels that are in force: groups of KIP-848, share groups of KIP-932, transactions of KIP-890. All begin at 0. */
const LEVELS = { 'group.version': 1, 'share.version': 1, 'transaction.version': TRANSACTIONS_V2 };

/** Before ApiVersions v4 clients cannot read a feature that begins at 0 (KAFKA-17011). */
const FROM_ZERO_SINCE_VERSION = 4;

/** The fields of an ApiVersions response of a version; earlier versions than 3 have none. */
export function featuresAt(apiVersion: number) {
  const levels = Object.entries(LEVELS);
  const supported = levels.map(([name, maxVersion]) => ({ name, minVersion: 0, maxVersion }));
  return {
    supportedFeatures: apiVersion >= FROM_ZERO_SINCE_VERSION ? supported : [],
    finalizedFeaturesEpoch: 0,
    finalizedFeatures: levels.map(([name, level]) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
  };
}
