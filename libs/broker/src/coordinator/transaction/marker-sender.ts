/**
 * Tells every partition of a transaction how it ended, and tells when all of them know.
 *
 * Guarantees: a partition is asked again for ever until it has the marker, or is gone, or has heard from a newer
 * coordinator or producer; `done` is called once per transaction, unless it is cancelled.
 * Leaves out brokers in other processes: their partitions are asked again until this broker leads them, or `remote` is
 * given, which speaks WriteTxnMarkers.
 */
import { ErrorCode, errorName } from '@kafka-template/protocol';
import type { ClusterImage } from '../../cluster/image.js';
import type { Clock } from '../../io/clock.js';
import type { Logger } from '../../io/logger.js';
import type { EndMarker } from '../../replication/partition.js';
import { Alarm, type Alarms } from '../runtime/alarms.js';
import type { MarkerWriter } from './marker-writer.js';
import { rowsOf, type PartitionSet } from './partition-set.js';
import type { RemoteBrokers } from './remote-brokers.js';

/** Pause before a partition that could not take its marker is asked again. */
export const MARKER_RETRY_MS = 100;

/** What the sender needs. */
export interface MarkerSenderOptions {
  readonly brokerId: number;
  readonly image: () => ClusterImage;
  readonly writer: MarkerWriter;
  readonly remote?: Pick<RemoteBrokers, 'writeMarker'> | undefined;
  readonly alarms: Alarms;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Codes after which a partition is not asked again: it does not exist, or it already knows better. */
const SETTLED_CODES: readonly number[] = [
  ErrorCode.NONE,
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.TRANSACTION_COORDINATOR_FENCED,
];

/** One transaction whose partitions are being told. */
export class MarkerRound {
  private open = 1;
  private waiting: { topic: string; partition: number }[] = [];
  private readonly alarm = new Alarm(() => this.again());
  private cancelled = false;

  constructor(
    private readonly options: MarkerSenderOptions,
    private readonly marker: EndMarker,
    private readonly done: () => void,
  ) {}

  /** Begins. */
  start(partitions: PartitionSet): void {
    for (const { topic, partitions: indexes } of rowsOf(partitions)) {
      for (const partition of indexes) this.write(topic, partition);
    }
    this.settled();
  }

  /** Asks nobody any more; `done` is not called. */
  cancel(): void {
    this.cancelled = true;
    this.options.alarms.clear(this.alarm);
  }

  private write(topic: string, partition: number): void {
    const { brokerId, image, writer, remote, logger } = this.options;
    this.open += 1;
    const answered = (errorCode: number): void => {
      const isGone = image().topic(topic)?.partitions[partition] === undefined;
      if (!isGone && !SETTLED_CODES.includes(errorCode)) this.waiting.push({ topic, partition });
      if (errorCode !== ErrorCode.NONE) {
        const place = `${topic}-${partition}`;
        logger.debug('A transaction marker was not written', { place, reason: errorName(errorCode), isGone });
      }
      this.settled();
    };
    const leader = image().topic(topic)?.partitions[partition]?.leader ?? brokerId;
    if (leader === brokerId || leader < 0 || remote === undefined) {
      writer.write(this.marker, topic, partition, answered);
    } else remote.writeMarker(leader, this.marker, { topic, partition }, answered);
  }

  private settled(): void {
    this.open -= 1;
    if (this.open > 0 || this.cancelled) return;
    if (this.waiting.length === 0) return this.done();
    this.options.alarms.set(this.alarm, this.options.clock.monotonic() + MARKER_RETRY_MS);
  }

  private again(): void {
    const { waiting } = this;
    this.waiting = [];
    this.open = 1;
    for (const { topic, partition } of waiting) this.write(topic, partition);
    this.settled();
  }
}
