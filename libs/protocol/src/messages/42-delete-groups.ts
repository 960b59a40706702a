/**
 * DeleteGroups: delete groups that have no members, with their offsets.
 *
 *   v2  flexible
 */
import { api, array, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The DeleteGroups API. */
export const DeleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexible: 2,

  request: {
    groupsNames: array(string),
  },

  response: {
    throttleTimeMs: int32.default(0),
    results: array({ groupId: string, errorCode: int16 }),
  },
});

/** A decoded DeleteGroups request. */
export type DeleteGroupsRequest = RequestOf<typeof DeleteGroups>;
/** A decoded DeleteGroups response. */
export type DeleteGroupsResponse = ResponseOf<typeof DeleteGroups>;
