/** Every bound of the network layer, with its reason. */

/**
 * Largest response that is read. Far above any sensible `fetchMaxBytes`, and below what the first bytes of a TLS alert
 * or an HTTP answer look like when they are read as a length.
 */
export const RESPONSE_BYTES_MAX = 256 * 1024 * 1024;

/** Requests that may wait for one connection to open. More means that nobody watches the answers. */
export const WAITING_REQUESTS_MAX = 10_000;

/** Coordinators that are remembered; the oldest is forgotten first. */
export const COORDINATORS_MAX = 10_000;
