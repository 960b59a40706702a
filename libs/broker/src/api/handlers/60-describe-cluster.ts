/**
 * DescribeCluster: v0–v2.
 *
 * Cluster id, controller and live brokers. There are no controllers of their own to ask for, and no fenced brokers: a
 * broker that lost its session is not in the image.
 */
import { DescribeCluster, ErrorCode } from '@kafka-template/protocol';
import { ALL_CLUSTER_OPERATIONS, OPERATIONS_NOT_REQUESTED } from '../authorized-operations.js';
import { handler } from '../handler.js';

const BROKERS = 1;
const CONTROLLERS = 2;

/** See the head of this file. */
export const describeCluster = handler(DescribeCluster, { versions: [0, 2] }, (request, { broker }) => {
  const { endpointType } = request;
  if (endpointType === CONTROLLERS) {
    const text = 'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER';
    return refused(ErrorCode.MISMATCHED_ENDPOINT_TYPE, text);
  }
  if (endpointType !== BROKERS) {
    return refused(ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, `Unsupported endpoint type ${endpointType}`);
  }
  const { image } = broker.controller;
  return {
    errorCode: ErrorCode.NONE,
    clusterId: image.clusterId,
    controllerId: image.controllerId,
    brokers: image.brokers.map(({ id, host, port, rack }) => ({ brokerId: id, host, port, rack, isFenced: false })),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
      ? ALL_CLUSTER_OPERATIONS
      : OPERATIONS_NOT_REQUESTED,
  };
});

function refused(errorCode: number, errorMessage: string) {
  return { errorCode, errorMessage, clusterId: '', brokers: [] };
}
