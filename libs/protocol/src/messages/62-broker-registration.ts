/**
 * BrokerRegistration: a broker announces itself to Kafka's controllers (KIP-631).
 *
 *   v1  migration from ZooKeeper    v3  previous broker epoch (KIP-966)
 *   v2  log directories (KIP-858)   v4  features from 0 (KAFKA-17011)
 */
import {
  api,
  array,
  bool,
  int16,
  uint16,
  int32,
  longId,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

/** The BrokerRegistration API. */
export const BrokerRegistration = api({
  key: 62,
  name: 'BrokerRegistration',
  versions: [0, 4],
  flexible: 0,

  request: {
    brokerId: int32,
    clusterId: string,
    incarnationId: uuid,
    listeners: array({ name: string, host: string, port: uint16, securityProtocol: int16 }),
    features: array({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 }),
    rack: string.orNull(),
    isMigratingZkBroker: bool.since(1).default(false),
    logDirs: array(uuid).since(2).ignorable(),
    previousBrokerEpoch: longId.since(3).default(-1).ignorable(),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    brokerEpoch: longId.default(-1),
  },
});

/** A decoded BrokerRegistration request. */
export type BrokerRegistrationRequest = RequestOf<typeof BrokerRegistration>;
/** A decoded BrokerRegistration response. */
export type BrokerRegistrationResponse = ResponseOf<typeof BrokerRegistration>;
