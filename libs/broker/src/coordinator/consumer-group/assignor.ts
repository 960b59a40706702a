/**
 * The server-side assignors of the new protocol by their names in `group.consumer.assignors`.
 *
 * Guarantees: pure; the same input gives the same targets, whatever the order of the members.
 */
import { assignRange } from './range-assignor.js';
import type { Assignor } from './subscriber.js';
import { assignUniform } from './uniform-assignor.js';

/** The assignors there are. */
export const ASSIGNORS: Readonly<Record<string, Assignor>> = { uniform: assignUniform, range: assignRange };
