/**
 * The strategies a consumer offers, by the names of the option `partitionAssignmentStrategy`.
 */
import type { AssignmentStrategy } from '../consumer-options.js';
import type { Assignor } from './assignor.js';
import { rangeAssignor } from './range.js';
import { roundRobinAssignor } from './round-robin.js';
import { cooperativeStickyAssignor, stickyAssignor } from './sticky.js';

/** Every strategy. */
export const ASSIGNORS: Readonly<Record<AssignmentStrategy, Assignor>> = {
  range: rangeAssignor,
  roundrobin: roundRobinAssignor,
  sticky: stickyAssignor,
  'cooperative-sticky': cooperativeStickyAssignor,
};

/**
 * Whether a member with these strategies keeps its partitions while it joins. As in Java's ConsumerCoordinator: the most
 * advanced protocol that *all* of them support, whichever the group then chooses.
 */
export function isCooperative(strategies: readonly AssignmentStrategy[]): boolean {
  return strategies.every((name) => ASSIGNORS[name].isCooperative);
}
