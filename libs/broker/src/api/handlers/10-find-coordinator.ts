/**
 * FindCoordinator: v0–v6.
 *
 * Which broker coordinates a group or a transactional id, or keeps the state of a share group in a partition; the
 * internal topic is created on the first question. From v4 on several keys.
 */
import { ErrorCode, errorMessage, FindCoordinator, type ResponseInput } from '@kafka-template/protocol';
import type { BrokerServices, RequestContext } from '../context.js';
import { handler } from '../handler.js';

type Row = NonNullable<ResponseInput<typeof FindCoordinator>['coordinators']>[number];

/** What a key may be. Source: KIP-98, KIP-932. */
const GROUP = 0;
const TRANSACTION = 1;
const SHARE = 2;

const SHARE_SINCE_VERSION = 6;

const BATCHED_SINCE_VERSION = 4;

/** Kafka's message beside success in the versions with one key. */
const SUCCESS_MESSAGE = 'NONE';

/** See the head of this file. */
export const findCoordinator = handler(FindCoordinator, { versions: [0, 6] }, async (request, context) => {
  if (context.apiVersion >= BATCHED_SINCE_VERSION) {
    return {
      coordinators: await Promise.all(request.coordinatorKeys.map((key) => find(key, request.keyType, context))),
    };
  }
  const { nodeId, host, port, errorCode, errorMessage: text } = await find(request.key, request.keyType, context);
  return { errorCode, errorMessage: errorCode === ErrorCode.NONE ? SUCCESS_MESSAGE : text, nodeId, host, port };
});

async function find(key: string, keyType: number, { broker, apiVersion }: RequestContext): Promise<Row> {
  const coordinator = coordinatorOf(broker, keyType, apiVersion);
  if (coordinator === null) return refused(key, ErrorCode.INVALID_REQUEST, null);
  const found = await coordinator.findCoordinator(key);
  if (found.errorCode !== ErrorCode.NONE) return refused(key, found.errorCode, found.errorMessage);
  return located(broker, key, found.nodeId);
}

function coordinatorOf(
  broker: BrokerServices,
  keyType: number,
  apiVersion: number,
): Pick<BrokerServices['groups'], 'findCoordinator'> | null {
  if (keyType === GROUP) return broker.groups;
  if (keyType === TRANSACTION) return broker.transactions;
  return keyType === SHARE && apiVersion >= SHARE_SINCE_VERSION ? broker.shareStates : null;
}

function located(broker: BrokerServices, key: string, nodeId: number): Row {
  const node = broker.controller.image.broker(nodeId);
  if (node === undefined) return refused(key, ErrorCode.COORDINATOR_NOT_AVAILABLE, null);
  return { key, nodeId, host: node.host, port: node.port, errorCode: ErrorCode.NONE, errorMessage: '' };
}

function refused(key: string, errorCode: number, text: string | null): Row {
  return { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage: text ?? errorMessage(errorCode) };
}
