/**
 * Everything the client does to the outside world, in one value that is handed down.
 *
 * Guarantees that a client built with fakes for these ports is deterministic.
 */
import { type Clock, systemClock } from './clock.js';
import { type Network, tcpNetwork } from './network.js';
import { type Random, systemRandom } from './random.js';

/** The ports of the client. */
export interface ClientIo {
  readonly clock: Clock;
  readonly network: Network;
  readonly random: Random;
}

/** Real time, real sockets, real chance. */
export const systemIo: ClientIo = { clock: systemClock, network: tcpNetwork, random: systemRandom };
