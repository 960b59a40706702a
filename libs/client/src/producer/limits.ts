/** Every bound of the producer that is not an option, with its reason. */

/** A topic nothing was sent to for this long is no longer asked for (Kafka's `metadata.max.idle.ms`). */
export const TOPIC_IDLE_MS = 300_000;

/** Smallest buffer a batch starts with; it grows as records come. */
export const BATCH_BYTES_MIN = 512;

/** Most bytes of buffers a producer keeps for later batches. As much as is on its way when it is busy: 100 batches and more. */
export const POOLED_BYTES_MAX = 2 * 1024 * 1024;

/** Largest producer epoch; the next bump takes a new producer id. */
export const PRODUCER_EPOCH_MAX = 32767;

/**
 * Highest version of Produce used: 13 names topics by id, which would make a record fail whose topic was deleted and made
 * again in between.
 */
export const PRODUCE_VERSION_MAX = 12;

/** Sequence numbers wrap from this to 0. */
export const SEQUENCE_MASK = 0x7fffffff;

/** Batches of a producer and partition by which a broker recognises a repetition. */
export const REMEMBERED_BATCHES = 5;

/** A batch tells at most so many per-record reasons of a refusal in its errors' texts. */
export const ROUTED_ERRORS_MAX = 1000;
