/**
 * The timer of a group member: heartbeats, and the watch over the session and over the application's polling.
 *
 * Guarantees: heartbeats go out on time whatever the application's handlers do (unless they block the event loop), one
 * at a time; a member whose application has not called `poll` for `maxPollIntervalMs` is reported once and beats no
 * more. Nothing is ever thrown from the timer. Leaves out what the answers mean (membership.ts).
 */
import type { Clock, Timer } from '../../io/clock.js';

/** The intervals, in milliseconds. */
export interface HeartbeatLimits {
  readonly heartbeatIntervalMs: number;
  readonly sessionTimeoutMs: number;
  readonly maxPollIntervalMs: number;
}

/** What the timer leads to. */
export interface HeartbeatEvents {
  /** Sends one heartbeat. Resolves with whether the coordinator took it; never rejects. */
  beat(): Promise<boolean>;
  /** No heartbeat was taken for a whole session: the coordinator is out of reach. Reported again after another one. */
  onSessionExpired(): void;
  /** The application does not poll any more. */
  onPollExpired(): void;
}

/** The timer. Made once per member, started and stopped with its membership. */
export class Heartbeat {
  private running = false;
  private beating = false;
  private timer: Timer | null = null;
  private timerDueMs = Infinity;
  private nextBeatMs = 0;
  private sessionStartMs = 0;
  /** When `poll` was left last; Infinity while it runs. */
  private idleSinceMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly limits: HeartbeatLimits,
    private readonly events: HeartbeatEvents,
  ) {
    this.idleSinceMs = clock.monotonic();
  }

  /** The application is in `poll`: it may stay there as long as it likes. */
  pollBegan(): void {
    this.idleSinceMs = Infinity;
  }

  /** The application has left `poll` and has `maxPollIntervalMs` from now on. */
  pollEnded(): void {
    this.idleSinceMs = this.clock.monotonic();
    if (this.running) this.arm();
  }

  /** Begins a session: the first heartbeat is due one interval from now. */
  start(): void {
    const now = this.clock.monotonic();
    this.running = true;
    this.sessionStartMs = now;
    this.nextBeatMs = now + this.limits.heartbeatIntervalMs;
    this.arm();
  }

  /** Sends the next heartbeat by this monotonic time, or as soon after it as the one under way is answered. */
  beatBy(dueMs: number): void {
    this.nextBeatMs = Math.min(this.nextBeatMs, dueMs);
    if (this.running) this.arm();
  }

  /** No more heartbeats. An answer under way is still passed on. */
  stop(): void {
    this.running = false;
    this.disarm();
  }

  private arm(): void {
    const dueMs = Math.min(
      this.beating ? Infinity : this.nextBeatMs,
      this.sessionStartMs + this.limits.sessionTimeoutMs,
      this.idleSinceMs + this.limits.maxPollIntervalMs,
    );
    if (dueMs >= this.timerDueMs) return;
    this.disarm();
    this.timerDueMs = dueMs;
    this.timer = this.clock.setTimer(Math.ceil(dueMs - this.clock.monotonic()), () => this.onTimer());
  }

  private disarm(): void {
    if (this.timer !== null) this.clock.clearTimer(this.timer);
    this.timer = null;
    this.timerDueMs = Infinity;
  }

  private onTimer(): void {
    this.timer = null;
    this.timerDueMs = Infinity;
    const now = this.clock.monotonic();
    if (now >= this.idleSinceMs + this.limits.maxPollIntervalMs) {
      this.stop();
      this.events.onPollExpired();
      return;
    }
    if (now >= this.sessionStartMs + this.limits.sessionTimeoutMs) {
      this.sessionStartMs = now;
      this.events.onSessionExpired();
    }
    if (!this.beating && now >= this.nextBeatMs) this.beat(now);
    if (this.running) this.arm();
  }

  private beat(sentMs: number): void {
    this.beating = true;
    this.nextBeatMs = sentMs + this.limits.heartbeatIntervalMs;
    void this.events.beat().then((taken) => {
      this.beating = false;
      if (taken) this.sessionStartMs = Math.max(this.sessionStartMs, sentMs);
      if (this.running) this.arm();
    });
  }
}
