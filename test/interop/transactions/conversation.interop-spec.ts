/**
 * One long conversation about transactions in raw requests of old and new versions, held with our broker and with Apache
 * Kafka: both say the same, error by error and epoch by epoch.
 */
import { createBroker } from '@kafka-template/broker';
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  BatchBuilder,
  CreateTopics,
  DescribeProducers,
  DescribeTransactions,
  EndTxn,
  ErrorCode,
  errorName,
  FindCoordinator,
  InitProducerId,
  ListTransactions,
  OffsetFetch,
  Produce,
  TxnOffsetCommit,
  WriteTxnMarkers,
} from '@kafka-template/protocol';
import { RawConnection } from '../../conformance/support/raw-connection.js';
import { startKafka } from '../kafka/start.mjs';

const TOPIC = 'talk';
const GROUP = 'talkers';
const ID = 'talker';
const DEADLINE_MS = 20_000;
/** What both brokers say while they are not ready yet; when is a matter of speed. */
const LATER: readonly number[] = [
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.NOT_ENOUGH_REPLICAS,
];

interface Owner {
  readonly producerId: number;
  readonly producerEpoch: number;
}

function placesOf(topics: readonly { topic: string; partitions: number[] }[]): string {
  return topics
    .flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}-${partition}`))
    .sort()
    .join();
}

/** One side of the conversation; `said` is what the broker answered. Producer ids are counted from the first one. */
class Talk {
  readonly said: string[] = [];
  private firstProducerId: number | null = null;

  constructor(private readonly client: RawConnection) {}

  /** Asks until the answer is not a matter of speed any more. */
  private async ask<T>(request: () => Promise<T>, codeOf: (answer: T) => number): Promise<T> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const answer = await request();
      if (!LATER.includes(codeOf(answer)) || Date.now() > deadline) return answer;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  private say(what: string, errorCode: number, rest = ''): void {
    this.said.push(`${what}: ${errorName(errorCode)}${rest}`);
  }

  async prepare(): Promise<void> {
    const topics = [{ name: TOPIC, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }];
    await this.client.call(CreateTopics, 7, { topics });
    for (const [keyType, key] of [
      [0, GROUP],
      [1, ID],
    ] as const) {
      await this.ask(
        () => this.client.call(FindCoordinator, 4, { keyType, coordinatorKeys: [key] }),
        ({ coordinators }) => coordinators[0]!.errorCode,
      );
    }
  }

  async init(version: number, expected: Partial<Owner> = {}, waits = true): Promise<Owner> {
    const request = () =>
      this.client.call(InitProducerId, version, { transactionalId: ID, transactionTimeoutMs: 60_000, ...expected });
    const answer = await (waits ? this.ask(request, ({ errorCode }) => errorCode) : request());
    const { errorCode, producerId, producerEpoch } = answer;
    if (errorCode === ErrorCode.NONE) this.firstProducerId ??= producerId;
    const id = producerId < 0 ? producerId : producerId - (this.firstProducerId ?? 0);
    this.say(`init v${version}`, errorCode, ` id ${id} epoch ${producerEpoch}`);
    return { producerId, producerEpoch };
  }

  async add(version: number, owner: Owner, topic = TOPIC, partition = 0): Promise<void> {
    const { resultsByTopicV3AndBelow } = await this.ask(
      () =>
        this.client.call(AddPartitionsToTxn, version, {
          v3AndBelowTransactionalId: ID,
          v3AndBelowProducerId: owner.producerId,
          v3AndBelowProducerEpoch: owner.producerEpoch,
          v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
        }),
      (answer) => answer.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode,
    );
    this.say(
      `add ${topic}-${partition} v${version}`,
      resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode,
    );
  }

  /** Broker to broker. */
  async addBatch(owner: Owner, verifyOnly: boolean, partition: number, version = 5): Promise<void> {
    const transaction = {
      transactionalId: ID,
      ...owner,
      verifyOnly,
      topics: [{ name: TOPIC, partitions: [partition] }],
    };
    const codeOf = (answer: Awaited<ReturnType<typeof request>>): number =>
      answer.resultsByTransaction[0]!.topicResults[0]!.resultsByPartition[0]!.partitionErrorCode;
    const request = () => this.client.call(AddPartitionsToTxn, version, { transactions: [transaction] });
    this.say(`${verifyOnly ? 'verify' : 'add'} ${partition} v${version}`, codeOf(await this.ask(request, codeOf)));
  }

  async addOffsets(version: number, owner: Owner): Promise<void> {
    const { errorCode } = await this.ask(
      () => this.client.call(AddOffsetsToTxn, version, { transactionalId: ID, ...owner, groupId: GROUP }),
      (answer) => answer.errorCode,
    );
    this.say(`add offsets v${version}`, errorCode);
  }

  async commitOffset(version: number, owner: Owner, offset: number, member: object = {}): Promise<void> {
    const partition = {
      partitionIndex: 0,
      committedOffset: offset,
      ...(version >= 2 ? { committedLeaderEpoch: -1 } : {}),
      committedMetadata: '',
    };
    const topics = [{ name: TOPIC, partitions: [partition] }];
    const { topics: answered } = await this.ask(
      () =>
        this.client.call(TxnOffsetCommit, version, {
          transactionalId: ID,
          groupId: GROUP,
          ...owner,
          topics,
          ...member,
        }),
      (answer) => answer.topics[0]!.partitions[0]!.errorCode,
    );
    this.say(`commit offset v${version}`, answered[0]!.partitions[0]!.errorCode);
  }

  async offset(requireStable: boolean): Promise<void> {
    const topics = [{ name: TOPIC, partitionIndexes: [0] }];
    const groups = [{ groupId: GROUP, topics }];
    const answer = await this.client.call(OffsetFetch, 8, { groups, requireStable });
    const { errorCode, committedOffset } = answer.groups[0]!.topics[0]!.partitions[0]!;
    this.say(`offset${requireStable ? ', stable' : ''}`, errorCode, ` ${committedOffset}`);
  }

  async produce(version: number, owner: Owner, baseSequence: number, partition = 0): Promise<void> {
    const builder = new BatchBuilder({ capacityBytes: 256 });
    builder.append(Date.now(), null, 'words', null);
    const records = builder.finish({ ...owner, baseSequence, transactional: true });
    const request = () =>
      this.client.call(Produce, version, {
        transactionalId: ID,
        acks: -1,
        timeoutMs: 5_000,
        topicData: [{ name: TOPIC, partitionData: [{ index: partition, records }] }],
      });
    const answer = await this.ask(request, ({ responses }) => responses[0]!.partitionResponses[0]!.errorCode);
    const { errorCode, baseOffset } = answer.responses[0]!.partitionResponses[0]!;
    this.say(`produce v${version} to ${partition}`, errorCode, ` at ${baseOffset}`);
  }

  async end(version: number, owner: Owner, committed: boolean): Promise<Owner> {
    const answer = await this.ask(
      () => this.client.call(EndTxn, version, { transactionalId: ID, ...owner, committed }),
      ({ errorCode }) => errorCode,
    );
    const { errorCode, producerEpoch } = answer;
    this.say(`${committed ? 'commit' : 'abort'} v${version} by ${owner.producerEpoch}`, errorCode, ` ${producerEpoch}`);
    return errorCode === ErrorCode.NONE && version >= 5 ? { ...owner, producerEpoch } : owner;
  }

  async describe(): Promise<void> {
    const { transactionStates } = await this.ask(
      () => this.client.call(DescribeTransactions, 0, { transactionalIds: [ID, 'nobody'] }),
      ({ transactionStates: rows }) =>
        rows.some((row) => row.transactionState.startsWith('Prepare')) ? ErrorCode.CONCURRENT_TRANSACTIONS : 0,
    );
    for (const row of [...transactionStates].sort((a, b) => (a.transactionalId < b.transactionalId ? 1 : -1))) {
      this.say(
        `describe ${row.transactionalId}`,
        row.errorCode,
        ` ${row.transactionState} epoch ${row.producerEpoch} ${placesOf(row.topics)}`,
      );
    }
    const listed = await this.client.call(ListTransactions, 1, { stateFilters: ['Ongoing'], producerIdFilters: [] });
    this.say('list', listed.errorCode, ` ${listed.transactionStates.map((row) => row.transactionalId).join()}`);
    const topics = [{ name: TOPIC, partitionIndexes: [0, 1] }];
    const { topics: known } = await this.client.call(DescribeProducers, 0, { topics });
    for (const { partitionIndex, errorCode, activeProducers } of known[0]!.partitions) {
      const producers = activeProducers.map((row) =>
        [row.producerEpoch, row.lastSequence, row.coordinatorEpoch, row.currentTxnStartOffset].join(' '),
      );
      this.say(`producers of ${partitionIndex}`, errorCode, ` ${producers.join(', ')}`);
    }
  }

  async writeMarker(owner: Owner, coordinatorEpoch: number, partition: number): Promise<void> {
    const topics = [{ name: TOPIC, partitionIndexes: [partition] }];
    const marker = { ...owner, transactionResult: false, topics, coordinatorEpoch };
    const { markers } = await this.client.call(WriteTxnMarkers, 1, { markers: [marker] });
    this.say(`marker of ${owner.producerEpoch} to ${partition}`, markers[0]!.topics[0]!.partitions[0]!.errorCode);
  }
}

/** The whole conversation. */
async function hold(host: string, port: number): Promise<string[]> {
  const client = await RawConnection.open(host, port);
  try {
    const talk = new Talk(client);
    await talk.prepare();
    await versionOne(talk);
    await offsets(talk);
    await versionTwo(talk);
    await fences(talk);
    return talk.said;
  } finally {
    client.close();
  }
}

async function versionOne(talk: Talk): Promise<void> {
  let owner = await talk.init(3);
  const stranger = { ...owner, producerId: owner.producerId + 555_000 };
  await talk.end(3, owner, true);
  await talk.end(3, owner, false);
  await talk.produce(9, owner, 0);
  await talk.produce(11, owner, 0);
  for (const version of [0, 2, 3]) await talk.add(version, stranger);
  for (const version of [0, 1, 2, 3]) await talk.add(version, { ...owner, producerEpoch: 7 });
  await talk.add(3, owner, 'missing');
  await talk.add(3, owner);
  await talk.describe();
  await talk.produce(9, owner, 0);
  await talk.produce(9, owner, 0);
  await talk.produce(9, owner, 5);
  await talk.produce(9, owner, 1);
  for (const version of [0, 1, 2, 3, 4]) await talk.end(version, { ...owner, producerEpoch: 7 }, true);
  await talk.end(3, stranger, true);
  await talk.end(3, owner, true);
  await talk.end(3, owner, true);
  await talk.end(3, owner, false);
  await talk.describe();
  await talk.add(2, owner, TOPIC, 1);
  await talk.produce(8, owner, 0, 1);
  await talk.end(1, owner, false);
  await talk.end(1, owner, false);
  await talk.end(1, owner, true);
  const before = owner;
  owner = await talk.init(4, before);
  await talk.init(4, before);
  await talk.init(4, { ...before, producerEpoch: 9 });
  await talk.init(4, { producerId: stranger.producerId, producerEpoch: 0 });
  await talk.init(3, { producerId: stranger.producerId, producerEpoch: 0 });
  await talk.init(3, { producerId: owner.producerId });
  for (const version of [0, 3]) await talk.add(version, before);
}

async function offsets(talk: Talk): Promise<void> {
  const owner = await talk.init(4);
  for (const version of [0, 3, 4]) await talk.commitOffset(version, owner, 5);
  await talk.addOffsets(3, { ...owner, producerEpoch: 99 });
  await talk.addOffsets(1, { ...owner, producerEpoch: 99 });
  await talk.addOffsets(3, owner);
  await talk.commitOffset(3, owner, 5);
  await talk.commitOffset(1, owner, 6);
  await talk.commitOffset(3, owner, 7, { generationId: 4, memberId: 'nobody' });
  await talk.offset(false);
  await talk.offset(true);
  await talk.end(3, owner, true);
  await talk.end(3, owner, true);
  await talk.offset(true);
  await talk.addOffsets(3, owner);
  await talk.commitOffset(3, owner, 9);
  await talk.end(3, owner, false);
  await talk.end(3, owner, false);
  await talk.offset(true);
}

async function versionTwo(talk: Talk): Promise<void> {
  let owner = await talk.init(5);
  await talk.end(5, owner, true);
  let before = owner;
  owner = await talk.end(5, owner, false);
  await talk.end(5, before, false);
  await talk.end(5, before, true);
  await talk.produce(12, before, 0);
  await talk.produce(12, owner, 0);
  await talk.produce(12, owner, 1);
  await talk.produce(12, owner, 0, 1);
  await talk.commitOffset(5, owner, 20);
  await talk.describe();
  before = owner;
  owner = await talk.end(5, owner, true);
  await talk.end(5, before, true);
  await talk.end(5, before, false);
  await talk.offset(true);
  await talk.produce(12, before, 2);
  await talk.commitOffset(5, before, 30);
  await talk.produce(12, owner, 0);
  await talk.end(5, before, true);
  await talk.end(4, owner, true);
  await talk.end(4, owner, true);
  await talk.produce(11, owner, 1);
  await talk.addBatch(owner, true, 0);
  await talk.addBatch(owner, true, 0, 4);
  await talk.addBatch(owner, false, 0);
  await talk.addBatch(owner, true, 0);
  await talk.addBatch(owner, true, 1);
  await talk.addBatch({ ...owner, producerEpoch: 0 }, true, 0);
  await talk.describe();
  await talk.end(5, owner, false);
}

async function fences(talk: Talk): Promise<void> {
  const owner = await talk.init(4);
  await talk.add(3, owner);
  await talk.produce(9, owner, 0);
  await talk.init(4, {}, false);
  const next = await talk.init(4);
  await talk.produce(9, owner, 1);
  await talk.produce(12, owner, 1);
  await talk.end(1, owner, true);
  await talk.end(3, owner, true);
  await talk.init(4, owner);
  await talk.describe();
  await talk.add(3, next);
  await talk.produce(9, next, 0);
  await talk.writeMarker({ ...next, producerEpoch: 0 }, 0, 0);
  await talk.writeMarker(next, -1, 0);
  await talk.writeMarker(next, 0, 7);
  await talk.writeMarker(next, 0, 0);
  await talk.describe();
  await talk.produce(9, next, 1);
  await talk.end(3, next, true);
  await talk.describe();
}

describe('a conversation about transactions', () => {
  it('is the same with Apache Kafka', async () => {
    const broker = await createBroker();
    const ours = await hold(broker.host, broker.port).finally(() => broker.close());
    const kafka = await startKafka();
    const theirs = await hold(kafka.host, kafka.port).finally(() => kafka.stop());
    expect(ours.length).toBeGreaterThan(100);
    expect(ours).toEqual(theirs);
  }, 240_000);
});
