/**
 * Every commit rule in every style and situation, on real brokers, as a foreign tool (kafkajs' admin client) reads the offsets.
 *
 * The same table as `libs/kafka-template/src/listener/commit-table.spec.ts`, which shows the single commits on a scripted
 * driver. Here one application for each situation has all listeners of the table, each in a group of its own, on one topic
 * of two partitions with the records a b c d. Each row of the table is a test.
 */
import { Injectable } from '@nestjs/common';
import type { TestingModule } from '@nestjs/testing';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import {
  AckMode,
  Acknowledgment,
  BatchListenerFailedError,
  CommitStyle,
  ConsumerRecord,
  DefaultErrorHandler,
  FixedBackOff,
  KafkaListener,
  KafkaListenerEndpointRegistry,
  type KafkaListenerOptions,
  KafkaRecord,
  KafkaTemplate,
  UNLIMITED_ATTEMPTS,
  newTopic,
} from '@kafka-template/nestjs';
import { uniqueName } from '../support/broker.js';
import { NestApps, TEMPLATE_DRIVERS } from '../support/nest-apps.js';
import { until } from '../support/until.js';

const PARTITIONS = [0, 1] as const;
const VALUES = ['a', 'b', 'c', 'd'] as const;
const HOUR_MS = 3_600_000;
const STYLES = Object.values(CommitStyle);

type Kind = 'record' | 'manual record' | 'batch' | 'manual batch';

/** A rule, what it has committed of four records before anything happens to it, and what it commits in the end. */
interface Rule {
  readonly name: string;
  readonly kind: Kind;
  readonly options: Partial<KafkaListenerOptions>;
  /** Offset committed while it runs and nothing comes; none: -1. */
  readonly running: number;
  /** Offset committed by a revocation and by a stop. */
  readonly last: number;
  /** Which values it acknowledges; absent: all. */
  readonly acknowledged?: string;
}

const RULES: readonly Rule[] = [
  { name: 'RECORD', kind: 'record', options: { ackMode: AckMode.RECORD }, running: 4, last: 4 },
  { name: 'BATCH', kind: 'record', options: { ackMode: AckMode.BATCH }, running: 4, last: 4 },
  { name: 'TIME', kind: 'record', options: { ackMode: AckMode.TIME, ackTimeMs: 100 }, running: 4, last: 4 },
  {
    name: 'TIME that is not over',
    kind: 'record',
    options: { ackMode: AckMode.TIME, ackTimeMs: HOUR_MS },
    running: -1,
    last: 4,
  },
  { name: 'COUNT', kind: 'record', options: { ackMode: AckMode.COUNT, ackCount: 3 }, running: 4, last: 4 },
  {
    name: 'COUNT_TIME',
    kind: 'record',
    options: { ackMode: AckMode.COUNT_TIME, ackCount: 100, ackTimeMs: 100 },
    running: 4,
    last: 4,
  },
  { name: 'MANUAL', kind: 'manual record', options: { ackMode: AckMode.MANUAL }, running: 4, last: 4 },
  {
    name: 'MANUAL without the last',
    kind: 'manual record',
    options: { ackMode: AckMode.MANUAL },
    running: 3,
    last: 3,
    acknowledged: 'abc',
  },
  {
    name: 'MANUAL_IMMEDIATE',
    kind: 'manual record',
    options: { ackMode: AckMode.MANUAL_IMMEDIATE },
    running: 4,
    last: 4,
  },
  {
    name: 'automatic',
    kind: 'record',
    options: { properties: { enableAutoCommit: true, autoCommitIntervalMs: 100 } },
    running: 4,
    last: 4,
  },
  {
    name: 'a policy with a count and idleness',
    kind: 'record',
    options: { commit: { every: { records: 500 }, onIdle: true } },
    running: 4,
    last: 4,
  },
  {
    name: 'a policy whose count is not reached',
    kind: 'record',
    options: { commit: { every: { records: 500 } } },
    running: -1,
    last: 4,
  },
  { name: 'keyConcurrency', kind: 'record', options: { keyConcurrency: 4 }, running: 4, last: 4 },
  {
    name: 'asyncAcks with a gap',
    kind: 'manual record',
    options: { ackMode: AckMode.MANUAL, asyncAcks: true },
    running: 2,
    last: 2,
    acknowledged: 'abd',
  },
  { name: 'BATCH, in batches', kind: 'batch', options: { ackMode: AckMode.BATCH }, running: 4, last: 4 },
  {
    name: 'TIME that is not over, in batches',
    kind: 'batch',
    options: { ackMode: AckMode.TIME, ackTimeMs: HOUR_MS },
    running: -1,
    last: 4,
  },
  { name: 'COUNT, in batches', kind: 'batch', options: { ackMode: AckMode.COUNT, ackCount: 3 }, running: 4, last: 4 },
  { name: 'MANUAL, in batches', kind: 'manual batch', options: { ackMode: AckMode.MANUAL }, running: 4, last: 4 },
];

const ROWS = RULES.flatMap((rule) => STYLES.map((style) => ({ ...rule, style })));
type Row = (typeof ROWS)[number];

/** What all listeners of a situation have seen: `row → partition:value`. */
type Seen = Map<Row, string[]>;

interface Setup {
  readonly topic: string;
  /** Before the name of the group of a row. */
  readonly run: string;
  readonly seen: Seen;
  /** The value that no listener can handle. */
  readonly poison?: string;
}

const groupOf = (row: Row, run: string): string => `${run}-${row.name.replaceAll(/\W+/g, '-')}-${row.style}`;

/** The listener of a row. */
function listenerOf(row: Row, { topic, run, seen, poison }: Setup): unknown {
  const options: KafkaListenerOptions = {
    topics: topic,
    groupId: groupOf(row, run),
    id: groupOf(row, run),
    commitStyle: row.style,
    pollTimeoutMs: 200,
    batch: row.kind.endsWith('batch'),
    errorHandler: () => new DefaultErrorHandler({ backOff: new FixedBackOff(HOUR_MS, UNLIMITED_ATTEMPTS) }),
    ...row.options,
    properties: { autoOffsetReset: 'earliest', heartbeatIntervalMs: 500, ...row.options.properties },
  };
  const list = seen.get(row) ?? [];
  seen.set(row, list);
  const handle = (record: ConsumerRecord): void => {
    list.push(`${record.partition}:${String(record.value)}`);
    if (record.value === poison) throw new Error('boom');
  };
  const handleAll = (records: readonly ConsumerRecord[]): void => {
    const bad = records.findIndex(({ value }) => value === poison);
    list.push(...records.map((record) => `${record.partition}:${String(record.value)}`));
    if (bad >= 0) throw new BatchListenerFailedError('boom', bad);
  };
  if (row.kind === 'record') return recordListener(options, handle);
  if (row.kind === 'batch') return batchListener(options, handleAll);
  const isAcknowledged = ({ value }: ConsumerRecord): boolean => row.acknowledged?.includes(String(value)) ?? true;
  if (row.kind === 'manual batch') {
    return manualBatchListener(options, (records, ack) => {
      handleAll(records);
      ack.acknowledge();
    });
  }
  return manualListener(options, (record, ack) => {
    handle(record);
    if (isAcknowledged(record)) ack.acknowledge();
  });
}

function recordListener(options: KafkaListenerOptions, work: (record: ConsumerRecord) => void): unknown {
  @Injectable()
  class Listener {
    @KafkaListener(options)
    onRecord(record: ConsumerRecord) {
      work(record);
    }
  }
  return Listener;
}

function batchListener(options: KafkaListenerOptions, work: (records: readonly ConsumerRecord[]) => void): unknown {
  @Injectable()
  class Listener {
    @KafkaListener(options)
    onRecords(@KafkaRecord() records: ConsumerRecord[]) {
      work(records);
    }
  }
  return Listener;
}

function manualListener(options: KafkaListenerOptions, work: (record: ConsumerRecord, ack: Acknowledgment) => void) {
  @Injectable()
  class Listener {
    @KafkaListener(options)
    onRecord(record: ConsumerRecord, ack: Acknowledgment) {
      work(record, ack);
    }
  }
  return Listener;
}

function manualBatchListener(
  options: KafkaListenerOptions,
  work: (records: readonly ConsumerRecord[], ack: Acknowledgment) => void,
) {
  @Injectable()
  class Listener {
    @KafkaListener(options)
    onRecords(@KafkaRecord() records: ConsumerRecord[], ack: Acknowledgment) {
      work(records, ack);
    }
  }
  return Listener;
}

describe.each(TEMPLATE_DRIVERS)('commit table on $name', ({ driver }) => {
  let apps: NestApps;
  let foreign: Admin;
  let sender: TestingModule;

  beforeAll(async () => {
    apps = await NestApps.start(driver);
    const brokers = apps.broker.bootstrapServers.split(',');
    foreign = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await foreign.connect();
  });
  afterAll(async () => {
    await foreign.disconnect();
    await apps.close();
  });

  /** What the group of a row has committed, for both partitions: `4,4`; -1 for none. */
  async function committed(row: Row, { topic, run }: Setup): Promise<string> {
    const [found] = await foreign.fetchOffsets({ groupId: groupOf(row, run), topics: [topic] });
    return PARTITIONS.map(
      (partition) => found?.partitions.find((entry) => entry.partition === partition)?.offset ?? '-1',
    ).join();
  }

  const twice = (offset: number): string => `${offset},${offset}`;

  async function setup(situation: string, poison?: string): Promise<Setup> {
    const topic = uniqueName(`table-${situation}`);
    sender = await apps.app({ topics: [newTopic(topic, { partitions: PARTITIONS.length })] });
    await send(topic, VALUES);
    return { topic, run: topic, seen: new Map(), ...(poison === undefined ? {} : { poison }) };
  }

  async function send(topic: string, values: readonly string[]): Promise<void> {
    const template = sender.get(KafkaTemplate);
    // One value after the other and key by key, so that keyConcurrency has something to do at once.
    await Promise.all(
      values.flatMap((value) => PARTITIONS.map((partition) => template.send(topic, partition, value, value))),
    );
  }

  const start = (made: Setup) => apps.unready({ providers: ROWS.map((row) => listenerOf(row, made)) });
  const hasSeen = ({ seen }: Setup, row: Row, values: string): boolean =>
    PARTITIONS.every((partition) => [...values].every((value) => seen.get(row)?.includes(`${partition}:${value}`)));
  const allHaveSeen = (made: Setup, values: string) => ROWS.every((row) => hasSeen(made, row, values));

  /** The table as it is read now. */
  async function snapshot(made: Setup): Promise<Map<Row, string>> {
    const entries = ROWS.map(async (row) => [row, await committed(row, made)] as const);
    return new Map(await Promise.all(entries));
  }

  /** Reads the table until what has to be committed is; returns it as it was read last. */
  async function settled(made: Setup, expected: (row: Row) => string): Promise<Map<Row, string>> {
    let read = new Map<Row, string>();
    await until(async () => {
      read = await snapshot(made);
      return ROWS.every((row) => read.get(row) === expected(row));
    }, 'the table is as expected').catch(() => undefined);
    return read;
  }

  describe('normal, then the end of the application, then its next start', () => {
    let made: Setup;
    let running: Map<Row, string>;
    let stopped: Map<Row, string>;
    let again: Seen;

    beforeAll(async () => {
      made = await setup('normal');
      const app = await start(made);
      await until(() => allHaveSeen(made, 'abcd'), 'all listeners have all records');
      running = await settled(made, (row) => twice(row.running));
      await app.close();
      stopped = await snapshot(made);
      await send(made.topic, ['e']);
      again = new Map();
      const next: Setup = { ...made, seen: again };
      const late = await start(next);
      await until(() => allHaveSeen(next, 'e'), 'all listeners go on');
      await late.close();
    }, 180_000);

    it.each(ROWS)('$name, $style: $running is committed while it runs', (row) => {
      expect(running.get(row)).toBe(twice(row.running));
    });

    it.each(ROWS)('$name, $style: $last is committed by the stop', (row) => {
      expect(stopped.get(row)).toBe(twice(row.last));
    });

    it.each(ROWS)('$name, $style: the next start goes on at $last', (row) => {
      const expected = 'abcde'.slice(row.last);
      const inOrder = (partition: number): string =>
        (again.get(row) ?? []).flatMap((one) => (one.startsWith(`${partition}:`) ? [one.slice(2)] : [])).join('');
      expect(PARTITIONS.map(inOrder)).toEqual([expected, expected]);
    });
  });

  describe('revocation', () => {
    let made: Setup;
    let moved: Map<Row, string>;
    let taken: Seen;

    beforeAll(async () => {
      made = await setup('revocation');
      const first = await start(made);
      await until(() => allHaveSeen(made, 'abcd'), 'all listeners have all records');
      taken = new Map();
      const second = await start({ ...made, seen: taken });
      const shares = (app: TestingModule) =>
        app.get(KafkaListenerEndpointRegistry).all.every((container) => container.assignment.length === 1);
      await until(() => shares(first) && shares(second), 'each member has one partition');
      moved = await snapshot(made);
    }, 180_000);

    it.each(ROWS)('$name, $style: $last is committed before the partitions move', (row) => {
      expect(moved.get(row)).toBe(twice(row.last));
    });

    it.each(ROWS.filter(({ last }) => last === 4))('$name, $style: the new owner gets nothing again', (row) => {
      expect(taken.get(row)).toEqual([]);
    });
  });

  describe('error: the third record fails whenever it is delivered', () => {
    let made: Setup;
    let running: Map<Row, string>;
    let stopped: Map<Row, string>;

    beforeAll(async () => {
      made = await setup('error', 'c');
      const app = await start(made);
      await until(() => allHaveSeen(made, 'abc'), 'all listeners have come to the third record');
      running = await settled(made, () => twice(2));
      await app.close();
      stopped = await snapshot(made);
    }, 180_000);

    it.each(ROWS)('$name, $style: what came before it is committed while the listener runs', (row) => {
      expect(running.get(row)).toBe(twice(2));
    });

    it.each(ROWS)('$name, $style: the stop commits nothing beyond it', (row) => {
      expect(stopped.get(row)).toBe(twice(2));
    });
  });
});
