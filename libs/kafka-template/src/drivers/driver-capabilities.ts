/**
 * What a driver can do beyond subscribe, poll and commit. A table: the type, and a sentence for each, for READMEs and errors.
 */

/** What each capability means to a user. */
export const CAPABILITY_MEANINGS = {
  assign: 'partitions named one by one, with or without a group (`topicPartitions`, `groupId: null`)',
  awaitedRevoke: 'commits at revocation arrive before the partitions move (`commitStyle: combined`)',
  lostCallback: 'partitions that are lost already are told apart from revoked ones',
  resetNone: "`autoOffsetReset: 'none'`",
  cooperativeRebalance: 'members keep their partitions through a rebalance (`cooperative-sticky`, `sticky`)',
  staticMembership: 'a member that restarts keeps its partitions (`groupInstanceId`)',
  patternRefresh: 'topics created later that match `topicPattern` are read, too',
  orderedHeaders: 'headers keep their order when keys repeat',
  nullHeaders: 'headers without a value can be sent',
  checkedCrcs: 'checksums of what is received are verified (`checkCrcs`)',
  pipelinedIdempotence: 'more than one request on its way with idempotence',
  allCodecs: 'snappy, lz4 and zstd without registering codecs',
  transactions: 'transactions (`template.transactionIdPrefix`, `transactional`)',
  customSasl: 'SASL mechanisms of your own (`createMechanism`)',
} as const;

/** Name of a capability. */
export type DriverCapability = keyof typeof CAPABILITY_MEANINGS;

/** What a driver can do. */
export type DriverCapabilities = Readonly<Record<DriverCapability, boolean>>;

/** Everything: for drivers that can do all of it. */
export const ALL_CAPABILITIES = Object.freeze(
  Object.fromEntries(Object.keys(CAPABILITY_MEANINGS).map((name) => [name, true])),
) as DriverCapabilities;
