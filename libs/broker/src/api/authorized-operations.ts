/**
 * The operations a client may perform, as the bit fields of KIP-430.
 *
 * Without an authorizer everything is allowed: the constants are the bits Kafka sends then, one set per kind of resource.
 */

/** "Not asked for". */
export const OPERATIONS_NOT_REQUESTED = -2147483648;
/** read 3, write 4, create 5, delete 6, alter 7, describe 8, describe configs 10, alter configs 11. */
export const ALL_TOPIC_OPERATIONS = 3576;
/** create 5, alter 7, describe 8, cluster action 9, describe configs 10, alter configs 11, idempotent write 12. */
export const ALL_CLUSTER_OPERATIONS = 8096;
/** read 3, delete 6, describe 8, describe configs 10, alter configs 11. */
export const ALL_GROUP_OPERATIONS = 3400;
