/**
 * What the group handlers share: who asks, and how an answer that comes by a callback becomes a handler's answer.
 */
import type { GroupRequestContext } from '../coordinator/group-coordinator.js';
import type { RequestContext } from './context.js';

/** The member's view of a request, in the form the coordinator stores and shows: Kafka's '/host'. */
export function groupContext({ apiVersion, clientId, connection }: RequestContext): GroupRequestContext {
  return { apiVersion, clientId: clientId ?? '', clientHost: `/${connection.remoteHost}` };
}

/** Calls `start`; answers at once when it calls back at once, else with a promise. */
export function fromCallback<T extends object>(start: (done: (answer: T) => void) => void): T | Promise<T> {
  let answer: T | null = null;
  let resolve: ((answer: T) => void) | null = null;
  start((given) => {
    if (resolve === null) answer = given;
    else resolve(given);
  });
  return answer ?? new Promise<T>((settle) => (resolve = settle));
}
