/**
 * The strategies a consumer offers, by the names of the option `partitionAssignmentStrategy`.
 */
import type { AssignmentStrategy } from '../consumer-options.js';
import type { Assignor } from './assignor.js';
import { rangeAssignor } from './range.js';
import { roundRobinAssignor } from './round-robin.js';

/** Every strategy. */
export const ASSIGNORS: Readonly<Record<AssignmentStrategy, Assignor>> = {
  range: rangeAssignor,
  roundrobin: roundRobinAssignor,
};
