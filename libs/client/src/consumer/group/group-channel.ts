/**
 * Requests to the coordinator of one group.
 *
 * Guarantees that the coordinator is looked up when it is not known and forgotten when it proves not to be it (by an
 * error code, or by a connection that fails), so that the next request finds the new one. Requests go out on a lane of
 * their own: a long poll for records never delays a heartbeat or a commit, and neither does a join, which the coordinator
 * may leave unanswered for minutes: what is sent meanwhile takes another lane. Leaves out retries.
 */
import { type Api, ErrorCode, JoinGroup, type ResponseOf, SyncGroup } from '@kafka-template/protocol';
import { ClientErrorCode, KafkaError } from '../../errors.js';
import type { RequestBody, SendOptions } from '../../network/request.js';
import type { ConsumerContext } from '../consumer-context.js';

/** Error codes that say: this broker is not (or no longer) the coordinator. */
const NOT_THE_COORDINATOR: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.REQUEST_TIMED_OUT,
]);

/** The lane of everything that goes to the coordinator. */
const COORDINATOR_LANE = 'coordinator';
/** The lane for the rest while a join is under way. */
const FREE_LANE = 'main';
/** Answered only when all members of the group have got so far; until then the connection answers nothing else. */
const WAITS_FOR_MEMBERS: ReadonlySet<number> = new Set([JoinGroup.key, SyncGroup.key]);

/** The part of the cluster a channel uses. */
export type GroupCluster = Pick<ConsumerContext['cluster'], 'request' | 'coordinator' | 'invalidateCoordinator'>;

/** The way to the coordinator of one group. */
export class GroupChannel {
  /** Requests under way that wait for other members. */
  private waiting = 0;

  constructor(
    private readonly context: { readonly cluster: GroupCluster },
    readonly groupId: string,
  ) {}

  /**
   * Sends a request to the coordinator, which is looked up first when it is not known.
   *
   * @param options `timeoutMs` (default `requestTimeoutMs`) covers the look-up and the request, each by itself
   * @throws KafkaError when there was no response; errors inside the response are the caller's: see {@link noticeCode}
   */
  async request<A extends Api>(api: A, body: RequestBody<A>, options: SendOptions = {}): Promise<ResponseOf<A>> {
    const { cluster } = this.context;
    const nodeId = await cluster.coordinator('group', this.groupId, options.timeoutMs);
    const waits = WAITS_FOR_MEMBERS.has(api.key);
    const lane = waits || this.waiting === 0 ? COORDINATOR_LANE : FREE_LANE;
    if (waits) this.waiting++;
    try {
      return await cluster.request(nodeId, api, body, { lane, ...options });
    } catch (error) {
      if (isConnectionFailure(error)) this.forgetCoordinator();
      throw error;
    } finally {
      if (waits) this.waiting--;
    }
  }

  /** Takes note of an error code in a response: the coordinator is looked up again if it is not this broker. */
  noticeCode(errorCode: number): void {
    if (NOT_THE_COORDINATOR.has(errorCode)) this.forgetCoordinator();
  }

  /** Looks the coordinator up again before the next request. */
  forgetCoordinator(): void {
    this.context.cluster.invalidateCoordinator('group', this.groupId);
  }
}

function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof KafkaError)) return false;
  return error.code === ClientErrorCode.NETWORK || error.code === ClientErrorCode.TIMEOUT;
}
