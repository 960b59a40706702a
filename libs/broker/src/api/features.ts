/**
 * The features of this broker, as ApiVersions shows them (KIP-584). They are fixed: there is no UpdateFeatures.
 */
import { TRANSACTIONS_V2 } from '../coordinator/transaction/transaction.js';

/** Version 2 of transactions is in force (KIP-890). */
const TRANSACTION_VERSION = 'transaction.version';

/** Before ApiVersions v4 clients cannot read a feature that begins at 0 (KAFKA-17011). */
const FROM_ZERO_SINCE_VERSION = 4;

/** The fields of an ApiVersions response of a version; earlier versions than 3 have none. */
export function featuresAt(apiVersion: number) {
  const supported = { name: TRANSACTION_VERSION, minVersion: 0, maxVersion: TRANSACTIONS_V2 };
  return {
    supportedFeatures: apiVersion >= FROM_ZERO_SINCE_VERSION ? [supported] : [],
    finalizedFeaturesEpoch: 0,
    finalizedFeatures: [
      { name: TRANSACTION_VERSION, maxVersionLevel: TRANSACTIONS_V2, minVersionLevel: TRANSACTIONS_V2 },
    ],
  };
}
