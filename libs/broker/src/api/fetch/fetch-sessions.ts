/**
 * The incremental fetch sessions of a broker. Source: KIP-227.
 *
 * Guarantees a bounded number of sessions: when all slots are taken, a session that was not used for two minutes makes
 * room, and else a client simply gets no session (id 0) and names its partitions each time.
 */
import { ErrorCode, type FetchRequest } from '@kafka-template/protocol';
import type { Clock } from '../../io/clock.js';
import type { Random } from '../../io/random.js';
import { entriesOf } from './fetch-entry.js';
import { FetchSession } from './fetch-session.js';

/** A session may lose its slot after being idle for so long, in milliseconds. Kafka's value. */
export const SESSION_EVICTION_MS = 120_000;

/** Epochs of a request that names all its partitions: the last of a session (or none), and the first. */
const FINAL_EPOCH = -1;
const INITIAL_EPOCH = 0;

/** What the sessions need. */
export interface FetchSessionsOptions {
  /** `max.incremental.fetch.session.cache.slots`. */
  readonly slots: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** How a request is to be served: whole, whole with a session wanted, within a session, or not at all. */
export type FetchContext =
  | { readonly kind: 'full'; readonly wantsSession: boolean }
  | { readonly kind: 'incremental'; readonly session: FetchSession }
  | { readonly kind: 'refused'; readonly errorCode: number };

/** See the head of this file. */
export class FetchSessions {
  private readonly sessions = new Map<number, FetchSession>();

  constructor(private readonly options: FetchSessionsOptions) {}

  /** Sessions that are kept now. */
  get count(): number {
    return this.sessions.size;
  }

  /** Finds the session of a request and applies what it changes. */
  enter(request: FetchRequest, byId: boolean): FetchContext {
    const { sessionId, sessionEpoch } = request;
    if (sessionEpoch === FINAL_EPOCH || sessionEpoch === INITIAL_EPOCH) {
      this.sessions.delete(sessionId);
      return { kind: 'full', wantsSession: sessionEpoch === INITIAL_EPOCH };
    }
    const session = this.sessions.get(sessionId);
    if (session === undefined) return { kind: 'refused', errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND };
    if (session.epoch !== sessionEpoch) return { kind: 'refused', errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH };
    if (session.byId !== byId) return { kind: 'refused', errorCode: ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR };
    session.update(request, this.options.clock.monotonic());
    // Used last: at the end of the map, so that the first one is the one to evict.
    this.sessions.delete(sessionId);
    if (session.size === 0) return { kind: 'full', wantsSession: false };
    this.sessions.set(sessionId, session);
    return { kind: 'incremental', session };
  }

  /** A new session for the partitions of a request; null when there is no room, or nothing to remember. */
  create(request: FetchRequest, byId: boolean): FetchSession | null {
    const entries = entriesOf(request);
    const nowMs = this.options.clock.monotonic();
    if (entries.length === 0 || !this.makeRoom(nowMs)) return null;
    const session = new FetchSession(this.newId(), byId, entries, nowMs);
    this.sessions.set(session.id, session);
    return session;
  }

  private makeRoom(nowMs: number): boolean {
    if (this.sessions.size < this.options.slots) return true;
    const oldest = this.sessions.values().next().value;
    if (oldest === undefined || nowMs - oldest.lastUsedMs <= SESSION_EVICTION_MS) return false;
    return this.sessions.delete(oldest.id);
  }

  /** A positive int32 that no live session has. */
  private newId(): number {
    for (;;) {
      const id = this.options.random.bytes(4).readUInt32BE(0) >>> 1;
      if (id !== 0 && !this.sessions.has(id)) return id;
    }
  }
}
