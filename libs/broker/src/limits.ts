/**
 * Every bound in the broker, in one place: what may queue, wait, be cached or be held open, and how much of it.
 * Guarantees: the relations between bounds are asserted when this file loads.
 */
import { assert } from './assert.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes of recent batches one partition keeps in memory for readers at the end of its log. */
export const TAIL_BYTES_PER_PARTITION_MAX = 4 * MIB;
/** The same for all partitions of a broker together. */
export const TAIL_BYTES_TOTAL_MAX = 64 * MIB;
/** Memory is taken in pieces that start small, so that idle partitions cost little… */
export const TAIL_CHUNK_BYTES_MIN = 16 * KIB;
/** …and double, up to this, while a partition is busy. */
export const TAIL_CHUNK_BYTES_MAX = 1 * MIB;

/** Requests of one connection that are taken and not answered; more are left in its socket. */
export const IN_FLIGHT_REQUESTS_PER_CONNECTION_MAX = 256;
/** Memory for a frame that is larger than a read starts with so many bytes and doubles as they come. */
export const FRAME_BUFFER_BYTES_MIN = 64 * KIB;
/** Larger buffers than this are not kept for the next frame. */
export const FRAME_POOL_BUFFER_BYTES_MAX = 2 * MIB;
/** Bytes kept for the next frames, all connections of a listener together. */
export const FRAME_POOL_BYTES_MAX = 16 * MIB;
/** From so many missing bytes on a frame is read into its own memory, without a copy. */
export const DIRECT_READ_BYTES_MIN = 64 * KIB;
/** Response bytes of one connection that wait for the client, or for an earlier answer; beyond it nothing is read. */
export const UNSENT_BYTES_PER_CONNECTION_MAX = 4 * MIB;
/**
 * Bytes of records in fetch answers that are being read or sent, all connections together. Beyond it a fetch waits its turn
 * before anything is read for it.
 */
export const FETCH_BYTES_IN_FLIGHT_MAX = 128 * MIB;
/** One fetch gets at most this part of what is left of them, so that few slow readers cannot take everything… */
export const FETCH_SHARE_OF_REST = 1 / 4;
/** …but never less than this (or `message.max.bytes`, when that is more), so that it always gets ahead by a batch. */
export const FETCH_GRANT_BYTES_MIN = 1 * MIB;
/** A client that takes no byte of its fetch answer for so long, while other fetches wait for memory, is disconnected. */
export const FETCH_STALL_MS = 10_000;
/** Memory for reads of files is taken in multiples of this… */
export const READ_POOL_STEP_BYTES = 64 * KIB;
/** …and used again up to this size… */
export const READ_POOL_BUFFER_BYTES_MAX = 8 * MIB;
/** …as long as no more than this waits for it. */
export const READ_POOL_BYTES_MAX = 16 * MIB;
/** Memory of chunks that waits to be used again. */
export const TAIL_POOL_BYTES_MAX = 16 * MIB;

/** Appended bytes that the operating system has not accepted yet, all partitions together; beyond it appends are refused. */
export const UNWRITTEN_BYTES_MAX = 256 * MIB;
/** From here on connections should stop reading produce requests; see `WritePressure`. */
export const UNWRITTEN_BYTES_HIGH = 64 * MIB;
/** Largest number of bytes of one write call. */
export const WRITE_BYTES_MAX = 16 * MIB;

/** How often somebody looks whether a full disk has room again, in milliseconds… */
export const DISK_FULL_RETRY_MS = 1000;
/** …which it has when so many bytes can be written. */
export const DISK_PROBE_BYTES = 1 * MIB;

/** Producer ids one partition remembers; beyond it those that were silent longest are forgotten. */
export const PRODUCERS_PER_PARTITION_MAX = 100_000;

/** Bytes at the end of a log in which a clean start looks for the last batches of each producer. */
export const PRODUCER_WINDOW_BYTES = 1 * MIB;

/** Requests parked in `Waits`. One connection parks at most one fetch at a time, so this bounds connections. */
export const PARKED_WAITS_MAX = 100_000;

/** Files of older segments held open for reading, all partitions together. Active segments are open besides. */
export const OPEN_SEGMENT_FILES_MAX = 256;
/** Bytes of indexes of older segments held in memory, all partitions together. */
export const INDEX_CACHE_BYTES_MAX = 32 * MIB;
/** Places at which reads of one log ended, kept so that the next read needs no index. */
export const READ_POSITIONS_PER_LOG_MAX = 16;
/** Bytes read in one step while a log is recovered or replayed. */
export const SCAN_BYTES = 1 * MIB;
/** A compaction works so long in one turn of the event loop, in milliseconds; one batch is the least it does. */
export const COMPACTION_SLICE_MS = 2;
/** Bytes of a compacted segment that are written in one step. */
export const COMPACTION_WRITE_BYTES = 1 * MIB;
/** Files of one log whose sizes are asked for at the same time when it is opened. */
export const SEGMENT_STATS_MAX = 64;
/** Partitions opened at the same time when a broker starts. */
export const OPENING_PARTITIONS_MAX = 16;

/** Changes waiting for the controller; more are refused with THROTTLING_QUOTA_EXCEEDED. */
export const CONTROLLER_QUEUE_MAX = 10_000;
/** Operations waiting for the embedded coordination store; more are refused. A broker has a handful. */
export const STORE_QUEUE_MAX = 10_000;
/** Steps of one change to the coordination store; more are made in several. ZooKeeper takes requests of up to 1 MiB. */
export const OPERATIONS_PER_WRITE_MAX = 2000;
/** Largest entry of the coordination journal: far above a topic with 100,000 partitions, far below a damaged length. */
export const JOURNAL_ENTRY_BYTES_MAX = 64 * MIB;
/** The coordination journal is rewritten when it is larger than this and than four times what its tree needs. */
export const JOURNAL_COMPACT_BYTES = 4 * MIB;

/** Answers of one partition of group state that wait for the log; more are refused, which clients retry. */
export const GATED_ANSWERS_MAX = 100_000;
/** Requests of one partition of transaction state that wait for the end of their transaction; more are told to come again. */
export const TRANSACTION_WAITERS_MAX = 10_000;
/** Fetches of share groups that wait for records of one share partition; more are answered at once. */
export const SHARE_FETCH_WAITERS_MAX = 10_000;
/** Bytes of one partition that are read at once for a member of a share group. */
export const SHARE_READ_BYTES_MAX = 1 * MIB;
/** Steps of the machine a subscription's pattern becomes; it bounds the time one name takes. */
export const PATTERN_STEPS_MAX = 4000;
/** States of that machine that are remembered from name to name. */
export const PATTERN_STATES_MAX = 1000;
/** Records of one batch when a coordinator writes many at once, so that no batch outgrows `max.message.bytes`. */
export const COORDINATOR_RECORDS_PER_BATCH_MAX = 1000;

assert(TAIL_CHUNK_BYTES_MIN <= TAIL_CHUNK_BYTES_MAX, 'The smallest tail chunk must not exceed the largest.');
assert(TAIL_CHUNK_BYTES_MAX <= TAIL_BYTES_PER_PARTITION_MAX, 'A tail must hold at least one chunk.');
assert(TAIL_BYTES_PER_PARTITION_MAX <= TAIL_BYTES_TOTAL_MAX, 'All tails together must hold at least one.');
assert(FETCH_GRANT_BYTES_MIN < FETCH_BYTES_IN_FLIGHT_MAX, 'Memory for fetches must do for more than one of them.');
assert(READ_POOL_BUFFER_BYTES_MAX <= READ_POOL_BYTES_MAX, 'The pool for reads must hold its largest buffer.');
assert(UNWRITTEN_BYTES_HIGH < UNWRITTEN_BYTES_MAX, 'Reading must stop before appends are refused.');
