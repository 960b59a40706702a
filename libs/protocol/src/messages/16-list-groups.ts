/**
 * ListGroups: the groups one broker coordinates; ask every broker for all of them.
 *
 *   v1  throttle time    v3  flexible    v4  by state (KIP-518)    v5  by type (KIP-848)
 */
import { api, array, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The ListGroups API. An empty filter lets everything through. */
export const ListGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexible: 3,

  request: {
    statesFilter: array(string).since(4),
    typesFilter: array(string).since(5),
  },

  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16,
    groups: array({
      groupId: string,
      protocolType: string,
      groupState: string.since(4).ignorable(),
      groupType: string.since(5).ignorable(),
    }),
  },
});

/** A decoded ListGroups request. */
export type ListGroupsRequest = RequestOf<typeof ListGroups>;
/** A decoded ListGroups response. */
export type ListGroupsResponse = ResponseOf<typeof ListGroups>;
