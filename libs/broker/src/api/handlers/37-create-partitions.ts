/**
 * CreatePartitions: v0–v3.
 *
 * Gives topics more partitions; `count` is the total wanted. Passes each topic to the controller and answers when this
 * broker serves the new partitions. A name that is given twice is refused once.
 */
import { CreatePartitions, ErrorCode } from '@kafka-template/protocol';
import { handler } from '../handler.js';
import { repeatedNames } from '../repeated-names.js';

/** See the head of this file. */
export const createPartitions = handler(CreatePartitions, { versions: [0, 3] }, async (request, { broker }) => {
  const repeated = repeatedNames(request.topics);
  const rows = request.topics
    .filter(({ name }) => !repeated.has(name))
    .map(async ({ name, count, assignments }) => {
      const { validateOnly } = request;
      const { errorCode, errorMessage } = await broker.controller.createPartitions({
        name,
        count,
        assignments,
        validateOnly,
      });
      return { name, errorCode, errorMessage };
    });
  const refused = [...repeated].map((name) => ({
    name,
    errorCode: ErrorCode.INVALID_REQUEST,
    errorMessage: 'Duplicate topic name.',
  }));
  return { results: [...(await Promise.all(rows)), ...refused] };
});
