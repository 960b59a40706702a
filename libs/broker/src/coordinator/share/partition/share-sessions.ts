/**
 * Share sessions (KIP-932): which partitions a member fetches, so that its requests name only what changes.
 *
 * Guarantees: requests of a session come in the order of their epochs, or are refused; a session ends with its connection,
 * and what its member has locked is free then. The number of sessions is bounded. Codes are Kafka's.
 */
import { ErrorCode } from '@kafka-template/protocol';

/** A partition a member fetches. */
export interface SharedPartition {
  readonly topicId: string;
  readonly partition: number;
}

/** The epoch that opens a session. */
export const FIRST_EPOCH = 0;
/** The epoch that closes a session. */
export const FINAL_EPOCH = -1;
const EPOCH_MAX = 0x7fffffff;

/** A session. Its partitions are in the order in which they are to be served next. */
export interface ShareSession {
  readonly groupId: string;
  readonly memberId: string;
  /** The epoch of the next request. */
  epoch: number;
  partitions: Map<string, SharedPartition>;
  forgetConnection: () => void;
}

/** A session to work with, or a code. */
export type Entered =
  | { readonly session: ShareSession; readonly errorCode: typeof ErrorCode.NONE }
  | { readonly session: null; readonly errorCode: number };

/** What it needs of a connection. */
export interface SessionConnection {
  whenClosed(listener: () => void): () => void;
}

/** Who asks, and with which epoch. */
export interface SessionRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly epoch: number;
}

/** What a fetch changes about its session. */
export interface SessionChanges {
  readonly added: readonly SharedPartition[];
  readonly forgotten: readonly SharedPartition[];
}

/** See the file comment. */
export class ShareSessions {
  private readonly sessions = new Map<string, ShareSession>();

  constructor(
    private readonly options: {
      /** `group.share.max.share.sessions` */
      readonly sessionsMax: () => number;
      /** Frees what a member has. */
      readonly release: (groupId: string, memberId: string) => void;
    },
  ) {}

  /** Sessions that are open now. */
  get count(): number {
    return this.sessions.size;
  }

  /** ShareFetch: opens, goes on with, or finds for the last time. */
  fetch(request: SessionRequest, connection: SessionConnection, { added, forgotten }: SessionChanges): Entered {
    const { epoch, groupId, memberId } = request;
    if (epoch === FIRST_EPOCH) return this.create(groupId, memberId, connection, added);
    const entered = this.proceed(request);
    if (!entered.session || epoch === FINAL_EPOCH) return entered;
    const { partitions } = entered.session;
    for (const each of added) {
      const name = nameOf(each);
      if (!partitions.has(name)) partitions.set(name, each);
    }
    for (const each of forgotten) partitions.delete(nameOf(each));
    rotate(partitions);
    return entered;
  }

  /** ShareAcknowledge: only within a session. */
  acknowledge(request: SessionRequest): Entered {
    if (request.epoch === FIRST_EPOCH) return { session: null, errorCode: ErrorCode.INVALID_SHARE_SESSION_EPOCH };
    return this.proceed(request);
  }

  /** The member said goodbye, or is gone. What it has locked is free again. */
  end({ groupId, memberId }: Pick<ShareSession, 'groupId' | 'memberId'>): void {
    const name = sessionName(groupId, memberId);
    this.sessions.get(name)?.forgetConnection();
    this.sessions.delete(name);
    this.options.release(groupId, memberId);
  }

  private proceed({ groupId, memberId, epoch }: SessionRequest): Entered {
    const session = this.sessions.get(sessionName(groupId, memberId));
    if (!session) return { session: null, errorCode: ErrorCode.SHARE_SESSION_NOT_FOUND };
    if (epoch === FINAL_EPOCH) return { session, errorCode: ErrorCode.NONE };
    if (epoch !== session.epoch) return { session: null, errorCode: ErrorCode.INVALID_SHARE_SESSION_EPOCH };
    session.epoch = epoch === EPOCH_MAX ? 1 : epoch + 1;
    return { session, errorCode: ErrorCode.NONE };
  }

  private create(
    groupId: string,
    memberId: string,
    connection: SessionConnection,
    added: readonly SharedPartition[],
  ): Entered {
    const name = sessionName(groupId, memberId);
    if (this.sessions.has(name)) this.end({ groupId, memberId });
    if (this.sessions.size >= this.options.sessionsMax()) {
      return { session: null, errorCode: ErrorCode.SHARE_SESSION_LIMIT_REACHED };
    }
    const partitions = new Map(added.map((each) => [nameOf(each), each]));
    const session: ShareSession = { groupId, memberId, epoch: 1, partitions, forgetConnection: () => undefined };
    this.sessions.set(name, session);
    session.forgetConnection = connection.whenClosed(() => {
      if (this.sessions.get(name) === session) this.end(session);
    });
    return { session, errorCode: ErrorCode.NONE };
  }
}

function sessionName(groupId: string, memberId: string): string {
  return JSON.stringify([groupId, memberId]);
}

function nameOf({ topicId, partition }: SharedPartition): string {
  return `${topicId}/${partition}`;
}

/** The first goes to the end, so that no partition starves behind another. */
function rotate(partitions: Map<string, SharedPartition>): void {
  const first = partitions.entries().next().value;
  if (!first) return;
  partitions.delete(first[0]);
  partitions.set(...first);
}
