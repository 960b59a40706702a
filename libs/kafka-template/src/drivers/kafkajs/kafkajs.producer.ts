/**
 * kafkajs' producer behind the port: records are gathered, sent in the background, and each gets its own answer.
 *
 * Guards against what kafkajs does wrong. With idempotence one request is on its way at a time, and a producer whose last
 * request has no clear outcome is thrown away: kafkajs would give the same sequence numbers to other records, which the
 * broker then takes for duplicates and drops. A record keeps its partition across retries.
 */
import { callGuarded } from '../../io/call-guarded.js';
import type { Clock } from '../../io/clock.js';
import type { Log } from '../../io/log.js';
import type { ProducerProperties } from '../driver-options.js';
import type { DriverProducer, DriverProducerRecord, PartitionInfo, SendCallback } from '../driver.js';
import type { KafkaJsAdmin } from './kafkajs.admin.js';
import { KafkaJsError, closedError, driverErrorOf } from './kafkajs.error.js';
import { Lane } from './kafkajs.lane.js';
import { type Deadlines, Outgoing, answerAll } from './kafkajs.outgoing.js';
import { partitionChooser } from './kafkajs.partitioner.js';
import type { KafkaJsProducerClient, KafkaJsSendOutcome } from './kafkajs.types.js';
import { within } from './kafkajs.wait.js';

/** Limit of `close` when none is given. As in the native driver. */
const CLOSE_TIMEOUT_MS = 30_000;

/** What the producer needs. */
export interface KafkaJsProducerParts {
  readonly options: ProducerProperties;
  readonly compression: number;
  /** A fresh client that partitions as told. */
  readonly createClient: (settings: { idempotent: boolean; createPartitioner: () => unknown }) => KafkaJsProducerClient;
  readonly admin: KafkaJsAdmin;
  readonly clock: Clock;
  readonly log: Log;
}

/** Sends through kafkajs. */
export class KafkaJsProducer implements DriverProducer {
  readonly #parts: KafkaJsProducerParts;
  readonly #lanes = new Map<string, Lane>();
  /** Topics whose partitions kafkajs has known once. */
  readonly #known = new Set<string>();
  readonly #acks: number;
  readonly #isIdempotent: boolean;
  readonly #maxRequestSize: number;
  #bufferedBytes = 0;
  #batches = 0;
  #client: Promise<KafkaJsProducerClient> | undefined;
  /** With idempotence, the end of the request before. */
  #turn: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** After the end of `close`: nothing is tried again. */
  #isAbandoned = false;

  constructor(parts: KafkaJsProducerParts) {
    this.#parts = parts;
    const { acks = 'all', enableIdempotence, maxRequestSize = 1_048_576 } = parts.options;
    this.#acks = acks === 'all' ? -1 : acks;
    this.#maxRequestSize = maxRequestSize;
    // As in Kafka: the default gives way to acks, a request for both is refused.
    this.#isIdempotent = enableIdempotence ?? this.#acks === -1;
    if (this.#isIdempotent && this.#acks !== -1) {
      throw new KafkaJsError('CONFIG', `Option "enableIdempotence" needs "acks" to be 'all', and it is ${acks}.`);
    }
  }

  append(record: DriverProducerRecord, callback: SendCallback): void {
    const { clock, log } = this.#parts;
    const guarded: SendCallback = (error, metadata) =>
      callGuarded(
        () => callback(error, metadata),
        (thrown) => log.error('A send callback failed', thrown),
      );
    if (this.#isClosed) {
      this.#later(() => guarded(closedError('producer'), null));
      return;
    }
    const { bufferMemory = 33_554_432, maxBlockMs = 60_000, deliveryTimeoutMs = 120_000 } = this.#parts.options;
    const now = clock.now();
    const metadataMs = now + maxBlockMs;
    const roomMs = this.#bufferedBytes > bufferMemory ? metadataMs : Infinity;
    try {
      const outgoing = new Outgoing(record, { roomMs, metadataMs, deliveryMs: now + deliveryTimeoutMs }, now, guarded);
      if (outgoing.sizeBytes > this.#maxRequestSize) throw tooLarge(outgoing, this.#maxRequestSize);
      this.#bufferedBytes += outgoing.sizeBytes;
      this.#lane(record.topic).append(outgoing);
    } catch (error) {
      this.#later(() => guarded(driverErrorOf(error, `sending to ${record.topic}`), null));
    }
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.flush()));
  }

  async close(timeoutMs = CLOSE_TIMEOUT_MS): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await within(this.flush(), timeoutMs, this.#parts.clock);
    this.#isAbandoned = true;
    for (const lane of this.#lanes.values()) lane.abort(closedError('producer'));
    await Promise.all([this.#discard(), this.#parts.admin.close()]).catch((error: unknown) => {
      this.#parts.log.warn(`kafkajs: the producer did not close in order: ${driverErrorOf(error, 'closing').message}`);
    });
  }

  partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    return this.#parts.admin.partitionsFor(topic);
  }

  #later(work: () => void): void {
    void this.#parts.clock.nextTurn().then(work);
  }

  #lane(topic: string): Lane {
    const known = this.#lanes.get(topic);
    if (known !== undefined) return known;
    const lane = new Lane({
      clock: this.#parts.clock,
      lingerMs: this.#parts.options.lingerMs ?? 0,
      maxRequestSize: this.#maxRequestSize,
      send: (batch) => this.#inTurn(() => this.#send(topic, batch)),
      onTaken: (outgoing) => (this.#bufferedBytes -= outgoing.sizeBytes),
    });
    this.#lanes.set(topic, lane);
    return lane;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    if (!this.#isIdempotent) return work();
    const done = this.#turn.then(work);
    this.#turn = done;
    return done;
  }

  /** Sends until it works, the deadline passes, or trying again cannot help. Never rejects. */
  async #send(topic: string, batch: readonly Outgoing[]): Promise<void> {
    const { clock, options } = this.#parts;
    const { retryBackoffMs = 100, retryBackoffMaxMs = 1000, retries = Infinity } = options;
    const turn = this.#batches++;
    for (const { message } of batch) message.turn = turn;
    const deliveryMs = Math.min(...batch.map(({ deadlines }) => deadlines.deliveryMs));
    const metadataMs = Math.min(...batch.map(({ deadlines }) => deadlines.metadataMs));
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#outcomeOf(this.#attempt(topic, batch), topic, { metadataMs, deliveryMs });
      const deadlineMs = this.#known.has(topic) ? deliveryMs : Math.min(metadataMs, deliveryMs);
      if (!(outcome instanceof KafkaJsError)) {
        answerAll(topic, this.#acks, batch, outcome);
        return;
      }
      const sane = batch.filter(({ message }) => !message.isMisdirected);
      if (sane.length < batch.length) {
        // Nothing has been sent: kafkajs chooses all partitions first.
        for (const outgoing of batch) if (outgoing.message.isMisdirected) outgoing.fail(outcome);
        if (sane.length > 0) await this.#send(topic, sane);
        return;
      }
      const pauseMs = Math.min(retryBackoffMaxMs, retryBackoffMs * 2 ** Math.min(attempt, 16));
      const isWorthIt = outcome.retriable && attempt < retries && clock.now() + pauseMs < deadlineMs;
      if (!isWorthIt || this.#isAbandoned) {
        this.#fail(batch, this.#known.has(topic) ? outcome : this.#unknown(topic, outcome));
        return;
      }
      await new Promise<void>((resolve) => clock.setTimer(pauseMs, resolve));
    }
  }

  /** What becomes of an attempt in time: `maxBlockMs` until the topic is known, `deliveryTimeoutMs` altogether. */
  async #outcomeOf(
    attempt: Promise<KafkaJsSendOutcome[]>,
    topic: string,
    { metadataMs, deliveryMs }: Pick<Deadlines, 'metadataMs' | 'deliveryMs'>,
  ): Promise<KafkaJsSendOutcome[] | KafkaJsError> {
    const { clock } = this.#parts;
    const sent = attempt.catch((thrown: unknown) => driverErrorOf(thrown, `sending to ${topic}`));
    if (!this.#known.has(topic) && metadataMs < deliveryMs) {
      const outcome = await within(sent, metadataMs - clock.now(), clock);
      if (outcome !== undefined) return outcome;
      if (!this.#known.has(topic)) return timedOut(topic);
    }
    return (await within(sent, deliveryMs - clock.now(), clock)) ?? timedOut(topic);
  }

  /** Nothing was sent: the topic does not exist, or no broker was reached. */
  #unknown(topic: string, last: KafkaJsError): KafkaJsError {
    const { maxBlockMs = 60_000 } = this.#parts.options;
    if (!last.retriable) return last;
    const seen = last.code === 'TIMEOUT' ? '' : ` The last error: ${last.message}`;
    return new KafkaJsError(
      'TIMEOUT',
      `The partitions of ${topic} were not known within maxBlockMs (${maxBlockMs} ms): does the topic exist, do brokers answer?${seen}`,
      { retriable: true, cause: last },
    );
  }

  async #attempt(topic: string, batch: readonly Outgoing[]): Promise<KafkaJsSendOutcome[]> {
    const client = await this.#connected();
    const messages = batch.map(({ message }) => message);
    return client.send({
      topic,
      acks: this.#acks,
      timeout: this.#parts.options.requestTimeoutMs ?? 30_000,
      compression: this.#parts.compression,
      messages,
    });
  }

  #fail(batch: readonly Outgoing[], error: KafkaJsError): void {
    // The broker may have the batch or not: its sequence numbers must not be given out again.
    if (this.#isIdempotent) void this.#discard().catch(() => undefined);
    for (const outgoing of batch) outgoing.fail(error);
  }

  #connected(): Promise<KafkaJsProducerClient> {
    if (this.#client !== undefined) return this.#client;
    const partitioner = this.#parts.options.partitioner;
    const settings = {
      idempotent: this.#isIdempotent,
      createPartitioner: () => {
        const choose = partitionChooser(partitioner);
        return (question: Parameters<typeof choose>[0]) => {
          this.#known.add(question.topic);
          return choose(question);
        };
      },
    };
    const client = this.#parts.createClient(settings);
    const connected = client.connect().then(() => client);
    this.#client = connected;
    connected.catch(() => {
      if (this.#client === connected) this.#client = undefined;
      void client.disconnect().catch(() => undefined);
    });
    return connected;
  }

  async #discard(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    const connected = await client.catch(() => undefined);
    await connected?.disconnect();
  }
}

function tooLarge({ record, sizeBytes }: Outgoing, limit: number): KafkaJsError {
  return new KafkaJsError(
    'RECORD_TOO_LARGE',
    `A record for ${record.topic} takes up to ${sizeBytes} bytes, more than maxRequestSize (${limit}).`,
  );
}

function timedOut(topic: string): KafkaJsError {
  return new KafkaJsError('TIMEOUT', `Records for ${topic} were not acknowledged within deliveryTimeoutMs.`, {
    retriable: true,
  });
}
