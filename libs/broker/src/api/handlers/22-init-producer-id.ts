/**
 * InitProducerId: v0–v5.
 *
 * Without a transactional id: a producer id that was never used before. With one: the coordinator's, with the next epoch,
 * which fences whoever had the id before.
 */
import { ErrorCode, InitProducerId, type InitProducerIdRequest } from '@kafka-template/protocol';
import { fromCallback } from '../groups.js';
import { handler } from '../handler.js';
import { codeAt } from '../transaction-codes.js';

const NONE = -1;
const CODES = { fencedSince: 4, abortableSince: 5 };

/** See the head of this file. */
export const initProducerId = handler(InitProducerId, { versions: [0, 5] }, async (request, context) => {
  const { broker, apiVersion } = context;
  const { transactionalId, transactionTimeoutMs: timeoutMs } = request;
  if ((request.producerId === NONE) !== (request.producerEpoch === NONE)) return refused(ErrorCode.INVALID_REQUEST);
  if (transactionalId === null) {
    const producerId = await broker.controller.allocateProducerId();
    return { errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 };
  }
  const reply = await fromCallback<ReturnType<typeof refused>>((done) =>
    broker.transactions.init({ id: transactionalId, timeoutMs, expected: expectedOf(request) }, done),
  );
  const errorCode = codeAt(reply.errorCode, apiVersion, CODES);
  return errorCode === ErrorCode.NONE ? reply : refused(errorCode);
});

function expectedOf({ producerId, producerEpoch }: InitProducerIdRequest) {
  return producerId === NONE ? null : { producerId, producerEpoch };
}

function refused(errorCode: number) {
  return { errorCode, producerId: NONE, producerEpoch: NONE };
}
