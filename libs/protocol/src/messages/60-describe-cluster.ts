/**
 * DescribeCluster: cluster id, controller and brokers (KIP-700).
 *
 *   v1  brokers or controllers (KIP-919)    v2  fenced brokers (KIP-1073)
 */
import { api, array, bool, int8, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The DescribeCluster API. */
export const DescribeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexible: 0,

  request: {
    includeClusterAuthorizedOperations: bool,
    /** 1 brokers, 2 controllers. */
    endpointType: int8.since(1).default(1),
    includeFencedBrokers: bool.since(2),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull().default(null),
    endpointType: int8.since(1).default(1),
    clusterId: string,
    controllerId: int32.default(-1),
    brokers: array({
      brokerId: int32,
      host: string,
      port: int32,
      rack: string.orNull().default(null),
      isFenced: bool.since(2),
    }),
    clusterAuthorizedOperations: int32.default(-2147483648),
  },
});

/** A decoded DescribeCluster request. */
export type DescribeClusterRequest = RequestOf<typeof DescribeCluster>;
/** A decoded DescribeCluster response. */
export type DescribeClusterResponse = ResponseOf<typeof DescribeCluster>;
