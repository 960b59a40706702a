/**
 * Which brokers cannot be reached, and what the log says of it.
 *
 * Guarantees one warning per address when it becomes unreachable or is lost, with the reason, another one every
 * {@link REMINDER_MS} at most while it stays so, and one line when it is back; whatever the number of connections and
 * requests that find out. Bound: the addresses of the bootstrap servers and of brokers that were known once.
 */
import type { KafkaError } from '../errors.js';
import type { Clock } from '../io/clock.js';
import type { ClientLogger } from '../io/logger.js';
import { failureReason } from './connection-failure.js';

/** Pause between two warnings about one address. */
const REMINDER_MS = 30_000;

interface AddressState {
  /** Monotonic time of the last warning. */
  warnedMs: number;
  isDown: boolean;
  /** Whether there was a warning since it was last reached. */
  isTold: boolean;
}

/** The addresses of one client. */
export class Reachability {
  private readonly states = new Map<string, AddressState>();

  constructor(
    private readonly clock: Clock,
    private readonly logger: ClientLogger,
  ) {}

  /** The addresses that do not answer now. */
  get unreachable(): readonly string[] {
    return [...this.states].filter(([, { isDown }]) => isDown).map(([address]) => address);
  }

  /** A connection could not be opened, or was lost when `wasOpen`. */
  failed(address: string, error: KafkaError, wasOpen: boolean): void {
    const now = this.clock.monotonic();
    const state = this.states.get(address) ?? { warnedMs: -Infinity, isDown: true, isTold: false };
    this.states.set(address, state);
    state.isDown = true;
    if (now - state.warnedMs < REMINDER_MS) return;
    state.warnedMs = now;
    state.isTold = true;
    const happened = wasOpen ? 'was lost' : 'could not be established';
    const next = error.fatal ? 'this does not pass by itself' : 'trying again';
    this.logger.warn(`Connection to broker ${address} ${happened}: ${failureReason(error, address)}; ${next}`);
  }

  /** A connection is open. */
  reached(address: string): void {
    const state = this.states.get(address);
    if (state === undefined) return;
    if (state.isTold) this.logger.info(`Connection to broker ${address} is established again`);
    state.isDown = false;
    state.isTold = false;
  }
}
