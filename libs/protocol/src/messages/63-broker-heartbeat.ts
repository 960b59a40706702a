/**
 * BrokerHeartbeat: a broker tells Kafka's controllers that it lives and what it wants (KIP-631).
 *
 *   v1  offline log directories (KIP-858)    v2  cordoned log directories (KIP-1066)
 */
import { api, array, bool, int16, int32, offset, longId, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The BrokerHeartbeat API. */
export const BrokerHeartbeat = api({
  key: 63,
  name: 'BrokerHeartbeat',
  versions: [0, 2],
  flexible: 0,

  request: {
    brokerId: int32,
    brokerEpoch: longId.default(-1),
    currentMetadataOffset: offset,
    wantFence: bool,
    wantShutDown: bool,
    offlineLogDirs: array(uuid).since(1).tagged(0),
    cordonedLogDirs: array(uuid).orNull().since(2).tagged(1).default(null),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    isCaughtUp: bool.default(false),
    isFenced: bool.default(true),
    shouldShutDown: bool,
  },
});

/** A decoded BrokerHeartbeat request. */
export type BrokerHeartbeatRequest = RequestOf<typeof BrokerHeartbeat>;
/** A decoded BrokerHeartbeat response. */
export type BrokerHeartbeatResponse = ResponseOf<typeof BrokerHeartbeat>;
