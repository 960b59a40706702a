/**
 * InitProducerId: v0–v5.
 *
 * Hands out a producer id that was never used before, for idempotent producers. A transactional id is refused with
 * UNSUPPORTED_VERSION, which every client takes for final: this broker coordinates no transactions.
 */
import { ErrorCode, InitProducerId } from '@kafka-template/protocol';
import { handler } from '../handler.js';

/** See the head of this file. */
export const initProducerId = handler(InitProducerId, { versions: [0, 5] }, async (request, { broker, clientId }) => {
  const { transactionalId } = request;
  if (transactionalId === '') return refused(ErrorCode.INVALID_REQUEST);
  if (transactionalId !== null) {
    broker.logger.warn(
      `Client ${clientId ?? ''} asked for transactions (transactional.id=${transactionalId}), which this broker does ` +
        'not coordinate. Use an idempotent producer without a transactional id, or Apache Kafka.',
    );
    return refused(ErrorCode.UNSUPPORTED_VERSION);
  }
  const producerId = await broker.controller.allocateProducerId();
  return { errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 };
});

function refused(errorCode: number) {
  return { errorCode, producerId: -1, producerEpoch: -1 };
}
