/**
 * The share consumer: puts the parts together and runs the poll loop.
 *
 * Guarantees, beside those of the interface (share-consumer.ts): a record is in hand from the `poll` that gave it until it is
 * acknowledged, or renewed, in which case it stays; what was acknowledged is sent at the latest with the next `poll`.
 */
import { ClientErrorCode, closedError, KafkaError } from '../errors.js';
import { Signal } from '../consumer/signal.js';
import type { ConsumerCluster } from '../consumer/consumer-context.js';
import type { ClientIo } from '../io/io.js';
import { ACKNOWLEDGE_TYPE } from './acknowledgements.js';
import type {
  AcknowledgementCommitCallback,
  AcknowledgeType,
  ShareCommitOutcome,
  ShareConsumer,
} from './share-consumer.js';
import type { ResolvedShareConsumerOptions } from './share-consumer-options.js';
import type { ShareContext } from './share-context.js';
import { type FetchedShare, ShareFetcher } from './share-fetcher.js';
import { ShareMember } from './share-member.js';
import type { ShareRecord } from './share-record.js';
import { ShareRecords } from './share-records.js';
import type { SharedPartition } from './share-session.js';

/** Limit of `close` when none is given. As in Java. */
const CLOSE_TIMEOUT_MS = 30_000;

interface InHand {
  readonly origin: SharedPartition;
  readonly nodeId: number;
  /** Its lock was renewed: it may be kept over the next poll. */
  kept: boolean;
}

/** The consumer behind `createShareConsumer`. */
export class KafkaShareConsumer implements ShareConsumer {
  private readonly context: ShareContext;
  private readonly signal: Signal;
  private readonly member: ShareMember;
  private readonly fetcher: ShareFetcher;
  private topics: readonly string[] = [];
  /** `topic/partition/offset` to what `poll` gave and was not dealt with. */
  private readonly inHand = new Map<string, InHand>();
  private callback: AcknowledgementCommitCallback | null = null;
  private inPoll = false;
  private wakeupRequested = false;
  private closing: Promise<void> | null = null;

  constructor(
    private readonly options: ResolvedShareConsumerOptions,
    private readonly cluster: ConsumerCluster,
    private readonly io: ClientIo,
  ) {
    this.signal = new Signal(io.clock);
    this.context = { options, cluster, io, signal: this.signal, topics: () => this.topics };
    this.member = new ShareMember(this.context);
    this.fetcher = new ShareFetcher(this.context, this.member, (outcomes) => this.callback?.(outcomes));
    cluster.metadata.onUpdate(() => this.signal.raise());
  }

  get closed(): boolean {
    return this.closing !== null;
  }

  subscribe(topics: string | readonly string[]): void {
    this.checkOpen();
    const names = typeof topics === 'string' ? [topics] : [...topics];
    if (names.some((name) => typeof name !== 'string' || name.trim() === '')) {
      throw invalid('A topic to subscribe to must be a non-empty string.');
    }
    if (names.length === 0) return this.unsubscribe();
    this.cluster.metadata.untrack(this.topics.filter((name) => !names.includes(name)));
    this.topics = names;
    this.cluster.metadata.track(names);
    this.member.subscribe(names);
    this.signal.raise();
  }

  subscription(): string[] {
    return [...this.topics];
  }

  unsubscribe(): void {
    this.checkOpen();
    this.cluster.metadata.untrack(this.topics);
    this.topics = [];
    this.inHand.clear();
    this.fetcher.fetched.length = 0;
    this.member.subscribe([]);
    void this.fetcher.close(this.options.requestTimeoutMs).then(() => {
      if (this.topics.length === 0 && !this.closed) void this.member.leave();
    });
  }

  poll(timeoutMs: number): Promise<ShareRecords> {
    if (this.inPoll) {
      return Promise.reject(invalid('poll() is already waiting. Await it before calling poll() again.'));
    }
    this.inPoll = true;
    return this.runPoll(timeoutMs).finally(() => {
      this.inPoll = false;
      this.member.heartbeat.pollEnded();
    });
  }

  acknowledge(record: Pick<ShareRecord, 'topic' | 'partition' | 'offset'>, type: AcknowledgeType = 'accept'): void {
    this.checkOpen();
    if (this.options.shareAcknowledgementMode !== 'explicit') {
      throw invalid('acknowledge() needs the option "shareAcknowledgementMode" to be "explicit".');
    }
    if (!Object.hasOwn(ACKNOWLEDGE_TYPE, type)) {
      throw invalid(`A record can be acknowledged as accept, release, reject or renew, not as "${String(type)}".`);
    }
    const key = keyOf(record);
    const held = this.inHand.get(key);
    if (!held) {
      throw invalid(
        `Record ${record.offset} of ${record.topic}-${record.partition} is not in hand: it was acknowledged before, or did ` +
          'not come from the last poll() of this consumer.',
      );
    }
    this.fetcher.acknowledge(held.origin, held.nodeId, record.offset, ACKNOWLEDGE_TYPE[type]);
    if (type === 'renew') held.kept = true;
    else this.inHand.delete(key);
  }

  commitSync(timeoutMs = this.options.defaultApiTimeoutMs): Promise<ShareCommitOutcome[]> {
    if (this.closed) return Promise.reject(closedError('The share consumer is closed.'));
    if (this.options.shareAcknowledgementMode === 'implicit') this.acceptAll();
    return this.fetcher.flush(timeoutMs);
  }

  commitAsync(): void {
    this.checkOpen();
    if (this.options.shareAcknowledgementMode === 'implicit') this.acceptAll();
    void this.fetcher.flush(this.options.requestTimeoutMs);
  }

  setAcknowledgementCommitCallback(callback: AcknowledgementCommitCallback | null): void {
    this.callback = callback;
  }

  acquisitionLockTimeoutMs(): number | null {
    return this.fetcher.lockTimeoutMs;
  }

  wakeup(): void {
    this.wakeupRequested = true;
    this.signal.raise();
  }

  close(timeoutMs = CLOSE_TIMEOUT_MS): Promise<void> {
    this.closing ??= this.shutDown(timeoutMs);
    return this.closing;
  }

  private async runPoll(timeoutMs: number): Promise<ShareRecords> {
    const { clock } = this.io;
    this.checkOpen();
    if (!(timeoutMs >= 0)) throw invalid(`The timeout of poll(), ${timeoutMs} ms, is not a number from 0 on.`);
    if (this.topics.length === 0)
      throw invalid('This share consumer is not subscribed to any topics. Call subscribe().');
    this.settleLast();
    this.member.heartbeat.pollBegan();
    const deadlineMs = clock.monotonic() + timeoutMs;
    await new Promise<void>((resolve) => clock.defer(resolve));
    for (;;) {
      const nowMs = clock.monotonic();
      const records = this.turn(nowMs);
      if (records.length > 0 || nowMs >= deadlineMs) return new ShareRecords(records);
      await this.signal.wait(Math.min(deadlineMs, Math.max(nowMs + 1, this.fetcher.nextMs)));
    }
  }

  /** What the last poll gave has to be dealt with before the next. */
  private settleLast(): void {
    if (this.options.shareAcknowledgementMode === 'implicit') return this.acceptAll();
    for (const { kept, origin } of this.inHand.values()) {
      if (kept) continue;
      const { topic, partition } = origin;
      throw invalid(
        `All records of a poll() must be acknowledged before the next one in explicit acknowledgement mode; some of ` +
          `${topic}-${partition} are not.`,
      );
    }
  }

  private acceptAll(): void {
    for (const [key, { origin, nodeId }] of this.inHand) {
      this.fetcher.acknowledge(origin, nodeId, Number(key.slice(key.lastIndexOf('/') + 1)), ACKNOWLEDGE_TYPE.accept);
    }
    this.inHand.clear();
  }

  /** Does what can be done now, and returns the records that are there. */
  private turn(nowMs: number): ShareRecord[] {
    if (this.closed) throw closedError('The share consumer was closed.');
    if (this.wakeupRequested) {
      this.wakeupRequested = false;
      throw new KafkaError(ClientErrorCode.WAKEUP, 'poll() was interrupted by wakeup().', { retriable: true });
    }
    const failure = this.member.failure ?? this.fetcher.failure;
    if (failure !== null) throw failure;
    this.member.enter();
    const records: ShareRecord[] = [];
    for (const share of this.fetcher.fetched.splice(0)) this.hand(share, records);
    // Locks run from the moment of fetching on: nothing is fetched ahead of the application.
    if (records.length === 0) this.fetcher.sendFetches(nowMs);
    return records;
  }

  private hand({ origin, nodeId, records }: FetchedShare, into: ShareRecord[]): void {
    for (const record of records) {
      this.inHand.set(keyOf(record), { origin, nodeId, kept: false });
      into.push(record);
    }
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    const { clock } = this.io;
    this.signal.raise();
    let timeUp = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      timeUp = resolve;
    });
    const timer = clock.setTimer(timeoutMs, () => timeUp());
    const inOrder = this.fetcher.close(timeoutMs).then(() => this.member.leave());
    await Promise.race([inOrder, late]);
    clock.clearTimer(timer);
    this.member.heartbeat.stop();
    this.cluster.close();
  }

  private checkOpen(): void {
    if (this.closed) throw closedError('The share consumer is closed.');
  }
}

function keyOf({ topic, partition, offset }: Pick<ShareRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}/${partition}/${offset}`;
}

function invalid(message: string): KafkaError {
  return new KafkaError(ClientErrorCode.INVALID_ARGUMENT, message);
}
