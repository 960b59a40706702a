/**
 * The consumer of the driver fake: a poll that serves from memory, callbacks inside it, and a diary of calls.
 *
 * The test decides who has which partitions; without a word from it, a consumer that subscribes gets all partitions of
 * its topics at its first poll. `parked()` resolves when the container has nothing more to do and waits in `poll`.
 */
import type { ConsumerProperties } from '../drivers/driver-options.js';
import {
  type CommittedOffset,
  type ConsumerGroupMetadata,
  type DriverConsumer,
  type DriverRecord,
  type DriverRecords,
  type OffsetCommit,
  type RebalanceListener,
  type TopicPartition,
  partitionName,
} from '../drivers/driver.js';
import type { Clock } from '../io/clock.js';
import { type ClusterFake, driverError, partitionsOf } from './cluster-fake.js';

/** What a consumer fake is made of. */
export interface ConsumerFakeParts {
  readonly cluster: ClusterFake;
  readonly clock: Clock;
  readonly calls: string[];
  readonly options: ConsumerProperties;
}

type Change = { readonly kind: 'assigned' | 'revoked' | 'lost'; readonly partitions: readonly TopicPartition[] };

/** Calls that can be made to fail. */
export type FailingCall = 'poll' | 'commitSync' | 'commitAsync' | 'position' | 'committed';

/** A consumer for specs. */
export class ConsumerFake implements DriverConsumer {
  /** What it was made with. */
  readonly options: ConsumerProperties;
  /** Whether a subscription gets all partitions by itself. Default true. */
  isAssigning = true;
  /** Whether `close` was called. */
  isClosed = false;
  /** When false, asynchronous commits wait for `answerCommits`. Default true. */
  isAnsweringCommits = true;
  readonly #parts: ConsumerFakeParts;
  readonly #positions = new Map<string, { readonly partition: TopicPartition; offset: number }>();
  readonly #paused = new Set<string>();
  /** What was paused when the last partitions went, for the next assignment: as the client keeps it. */
  #pausedBefore: readonly string[] = [];
  readonly #changes: Change[] = [];
  readonly #failures = new Map<FailingCall, Error[]>();
  readonly #unanswered: (() => void)[] = [];
  #listener: RebalanceListener | undefined;
  #topics: string | readonly string[] | RegExp | undefined;
  #isWoken = false;
  #unpark: (() => void) | undefined;
  #onPark: (() => void)[] = [];

  constructor(parts: ConsumerFakeParts) {
    this.#parts = parts;
    this.options = parts.options;
  }

  /** What was called on this and all other clients of the driver, in order. */
  get calls(): string[] {
    return this.#parts.calls;
  }

  /** What it has subscribed to. */
  get subscribed(): string | readonly string[] | RegExp | undefined {
    return this.#topics;
  }

  /** Names of the paused partitions. */
  get paused(): string[] {
    return [...this.#paused].sort();
  }

  /** Resolves when the container waits in `poll` and nothing is there to be polled. */
  async parked(): Promise<void> {
    if (this.#unpark === undefined) await new Promise<void>((resolve) => this.#onPark.push(resolve));
  }

  /** The next call of that kind fails. */
  failNext(call: FailingCall, error: Error): void {
    this.#failures.set(call, [...(this.#failures.get(call) ?? []), error]);
    if (call === 'poll') this.#unpark?.();
  }

  /** The next poll tells the container of a change of its partitions. */
  rebalance(kind: Change['kind'], partitions: readonly TopicPartition[]): void {
    this.#changes.push({ kind, partitions });
    this.#unpark?.();
  }

  /** Answers the asynchronous commits that wait. */
  answerCommits(): void {
    for (const answer of this.#unanswered.splice(0)) answer();
  }

  subscribe(topics: string | readonly string[] | RegExp, listener?: RebalanceListener): void {
    this.#topics = topics;
    this.#listener = listener;
    if (!this.isAssigning || topics instanceof RegExp) return;
    const list = typeof topics === 'string' ? [topics] : topics;
    const partitions = list.flatMap((topic) => partitionsOf(this.#parts.cluster, topic));
    if (partitions.length > 0) this.#changes.push({ kind: 'assigned', partitions });
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.calls.push(`assign ${names(partitions)}`);
    for (const partition of partitions) this.#place(partition);
  }

  assignment(): TopicPartition[] {
    return [...this.#positions.values()].map(({ partition }) => partition);
  }

  async poll(timeoutMs: number): Promise<DriverRecords> {
    for (let isFirst = true; ; isFirst = false) {
      this.#fail('poll');
      if (this.#isWoken) {
        this.#isWoken = false;
        throw driverError('WAKEUP');
      }
      await this.#applyChanges();
      const records = this.#fetch();
      if (records.size > 0 || (!isFirst && timeoutMs >= 0 && this.#hasTimedOut)) return asRecords(records);
      await this.#park(timeoutMs);
    }
  }

  #hasTimedOut = false;

  async #park(timeoutMs: number): Promise<void> {
    this.#hasTimedOut = false;
    if (this.#isWoken) return;
    await new Promise<void>((resolve) => {
      const timer = this.#parts.clock.setTimer(timeoutMs, () => {
        this.#hasTimedOut = true;
        this.#unpark?.();
      });
      const unwatch = this.#parts.cluster.watch(() => this.#unpark?.());
      this.#unpark = () => {
        this.#unpark = undefined;
        timer.cancel();
        unwatch();
        resolve();
      };
      for (const parked of this.#onPark.splice(0)) parked();
    });
  }

  #fetch(): Map<string, DriverRecord[]> {
    const fetched = new Map<string, DriverRecord[]>();
    let room = this.options.maxPollRecords ?? 500;
    for (const [name, position] of this.#positions) {
      if (this.#paused.has(name) || room === 0) continue;
      const records = this.#parts.cluster.log(position.partition).slice(position.offset, position.offset + room);
      if (records.length === 0) continue;
      room -= records.length;
      position.offset += records.length;
      fetched.set(name, records);
    }
    return fetched;
  }

  async #applyChanges(): Promise<void> {
    for (const { kind, partitions } of this.#changes.splice(0)) {
      if (kind === 'assigned') {
        for (const partition of partitions) this.#place(partition);
        for (const name of this.#pausedBefore) if (this.#positions.has(name)) this.#paused.add(name);
        this.#pausedBefore = [];
        await this.#listener?.onPartitionsAssigned?.(partitions);
      } else {
        if (kind === 'revoked') await this.#listener?.onPartitionsRevoked?.(partitions);
        else await this.#listener?.onPartitionsLost?.(partitions);
        this.#pausedBefore = partitions.map(partitionName).filter((name) => this.#paused.has(name));
        for (const partition of partitions) this.#remove(partition);
      }
    }
  }

  #place({ topic, partition }: TopicPartition): void {
    const name = partitionName({ topic, partition });
    const committed = this.#offsets().get(name)?.offset;
    const end = this.#parts.cluster.log({ topic, partition }).length;
    const reset = this.options.autoOffsetReset === 'earliest' ? 0 : end;
    this.#positions.set(name, { partition: { topic, partition }, offset: committed ?? reset });
  }

  #remove(partition: TopicPartition): void {
    this.#positions.delete(partitionName(partition));
    this.#paused.delete(partitionName(partition));
  }

  #offsets(): Map<string, OffsetCommit> {
    return this.#parts.cluster.offsetsOf(this.options.groupId ?? '');
  }

  seek(partition: TopicPartition, offset: number): void {
    this.calls.push(`seek ${partitionName(partition)}@${offset}`);
    const position = this.#positions.get(partitionName(partition));
    if (position === undefined) throw driverError('INVALID_ARGUMENT');
    position.offset = offset;
  }

  seekToBeginning(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const partition of partitions) this.seek(partition, 0);
  }

  seekToEnd(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const partition of partitions) this.seek(partition, this.#parts.cluster.log(partition).length);
  }

  async position(partition: TopicPartition): Promise<number> {
    this.#fail('position');
    return this.#positions.get(partitionName(partition))?.offset ?? 0;
  }

  groupMetadata(): ConsumerGroupMetadata {
    return { groupId: this.options.groupId ?? '', generationId: 1, memberId: 'member', groupInstanceId: null };
  }

  async committed(partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    this.#fail('committed');
    return partitions.map((partition) => ({
      ...partition,
      offset: this.#offsets().get(partitionName(partition))?.offset ?? null,
    }));
  }

  async commitSync(offsets: readonly OffsetCommit[] = []): Promise<void> {
    this.calls.push(`commitSync ${offsetNames(offsets)}`);
    this.#fail('commitSync');
    this.#store(offsets);
  }

  commitAsync(
    offsets: readonly OffsetCommit[],
    callback: (error: Error | null, offsets: readonly OffsetCommit[]) => void,
  ): void {
    this.calls.push(`commitAsync ${offsetNames(offsets)}`);
    const error = this.#failures.get('commitAsync')?.shift();
    const answer = () => {
      if (error === undefined) this.#store(offsets);
      callback(error ?? null, offsets);
    };
    if (this.isAnsweringCommits) queueMicrotask(answer);
    else this.#unanswered.push(answer);
  }

  #store(offsets: readonly OffsetCommit[]): void {
    for (const offset of offsets) this.#offsets().set(partitionName(offset), offset);
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.calls.push(`pause ${names(partitions)}`);
    for (const partition of partitions) this.#paused.add(partitionName(partition));
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.calls.push(`resume ${names(partitions)}`);
    for (const partition of partitions) this.#paused.delete(partitionName(partition));
  }

  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<OffsetCommit[]> {
    return partitions.map((partition) => ({ ...partition, offset: 0 }));
  }

  async endOffsets(partitions: readonly TopicPartition[]): Promise<OffsetCommit[]> {
    return partitions.map((partition) => ({ ...partition, offset: this.#parts.cluster.log(partition).length }));
  }

  async offsetsForTimes(
    queries: readonly (TopicPartition & { readonly timestamp: number })[],
  ): Promise<(TopicPartition & { readonly offset: number | null })[]> {
    return queries.map(({ topic, partition, timestamp }) => {
      const found = this.#parts.cluster.log({ topic, partition }).find((record) => record.timestamp >= timestamp);
      return { topic, partition, offset: found?.offset ?? null };
    });
  }

  async partitionsFor(topic: string): Promise<TopicPartition[]> {
    return partitionsOf(this.#parts.cluster, topic);
  }

  wakeup(): void {
    this.#isWoken = true;
    this.#unpark?.();
  }

  async close(): Promise<void> {
    const partitions = this.assignment();
    if (this.#listener !== undefined && partitions.length > 0) {
      this.#changes.push({ kind: 'revoked', partitions });
      await this.#applyChanges();
    }
    this.isClosed = true;
    this.calls.push('close');
  }

  #fail(call: FailingCall): void {
    const error = this.#failures.get(call)?.shift();
    if (error !== undefined) throw error;
  }
}

function asRecords(fetched: ReadonlyMap<string, readonly DriverRecord[]>): DriverRecords {
  const lists = [...fetched.values()];
  return {
    count: lists.reduce((sum, list) => sum + list.length, 0),
    partitions: () => lists.flatMap(([first]) => (first === undefined ? [] : [first])),
    records: (partition) => fetched.get(partitionName(partition)) ?? [],
  };
}

function names(partitions: readonly TopicPartition[]): string {
  return partitions.map(partitionName).join(',');
}

function offsetNames(offsets: readonly OffsetCommit[]): string {
  return offsets.map((offset) => `${partitionName(offset)}@${offset.offset}`).join(',');
}
