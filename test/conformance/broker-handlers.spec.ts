/**
 * What single APIs of the broker do that the recordings of answers.spec.ts do not show. Raw requests, one broker.
 */
import { createBroker, type Broker } from '@kafka-template/broker';
import {
  AlterConfigs,
  BatchBuilder,
  CreateTopics,
  decodeRecords,
  DeleteTopics,
  DescribeLogDirs,
  DescribeTopicPartitions,
  ErrorCode,
  Fetch,
  FindCoordinator,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  Produce,
  SaslHandshake,
  ZERO_UUID,
  type RequestInput,
} from '@kafka-template/protocol';
import { RawConnection } from './support/raw-connection.js';

let broker: Broker;
let client: RawConnection;

beforeAll(async () => {
  broker = await createBroker({ config: { 'auto.create.topics.enable': false, 'num.partitions': 2 } });
  client = await RawConnection.open(broker.host, broker.port);
});

afterAll(async () => {
  client.close();
  await broker.close();
});

async function topicOf(name: string, numPartitions = 1): Promise<string> {
  const { topics } = await client.call(CreateTopics, 7, {
    topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }],
  });
  expect(topics[0]!.errorCode).toBe(ErrorCode.NONE);
  return topics[0]!.topicId;
}

function batch(...values: string[]): Buffer {
  const builder = new BatchBuilder({ capacityBytes: 1024 });
  for (const value of values) builder.append(1_700_000_000_000, null, value, null);
  return builder.finish();
}

const produceTo = (name: string, records: Buffer, partition = 0): RequestInput<typeof Produce> => ({
  acks: 1,
  timeoutMs: 1000,
  topicData: [{ name, partitionData: [{ index: partition, records }] }],
});

async function codeOfProduce(request: RequestInput<typeof Produce>, clientId?: string): Promise<number> {
  const { responses } = await client.call(Produce, 9, request, clientId);
  return responses[0]!.partitionResponses[0]!.errorCode;
}

describe('Produce', () => {
  it('lets only the admin client write to internal topics', async () => {
    await client.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['any'] });
    const request = produceTo('__consumer_offsets', batch('x'));
    expect(await codeOfProduce(request)).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION);
    // Internal topics are compacted: a record without a key is refused for that reason now.
    expect(await codeOfProduce(request, '__admin_client')).toBe(ErrorCode.INVALID_RECORD);
  });

  it('refuses a batch of a transaction that its coordinator does not know', async () => {
    await topicOf('transactional');
    const builder = new BatchBuilder({ capacityBytes: 1024 });
    builder.append(1_700_000_000_000, null, 'x', null);
    const records = builder.finish({ producerId: 999, producerEpoch: 0, baseSequence: 0, transactional: true });
    const request = { ...produceTo('transactional', records), transactionalId: 'unheard-of' };
    // Nobody has asked for the coordinator yet: the producer is told to try again.
    expect(await codeOfProduce(request)).toBe(ErrorCode.NOT_ENOUGH_REPLICAS);
    await client.call(FindCoordinator, 4, { keyType: 1, coordinatorKeys: ['unheard-of'] });
    expect(await codeOfProduce(request)).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    expect(await codeOfProduce(produceTo('transactional', records))).toBe(
      ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    );
  });

  it('answers each partition for itself', async () => {
    await topicOf('mixed');
    const { responses } = await client.call(Produce, 9, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        {
          name: 'mixed',
          partitionData: [
            { index: 7, records: batch('nowhere') },
            { index: 0, records: batch('here') },
          ],
        },
        { name: 'missing', partitionData: [{ index: 0, records: batch('x') }] },
      ],
    });
    expect(responses).toMatchObject([
      {
        name: 'mixed',
        partitionResponses: [
          { index: 7, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, baseOffset: -1 },
          { index: 0, errorCode: 0, baseOffset: 0 },
        ],
      },
      { name: 'missing', partitionResponses: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }] },
    ]);
  });
});

describe('Fetch', () => {
  const fetchOf = (
    maxBytes: number,
    partitions: readonly (readonly [partition: number, maxBytes: number])[],
  ): RequestInput<typeof Fetch> => ({
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes,
    topics: [
      {
        topic: 'limits',
        partitions: partitions.map(([partition, partitionMaxBytes]) => ({
          partition,
          fetchOffset: 0,
          partitionMaxBytes,
        })),
      },
    ],
  });

  it('keeps to its limits, but always gives one batch', async () => {
    await topicOf('limits', 3);
    const records = batch('one');
    for (const partition of [1, 2]) {
      for (let count = 0; count < 3; count++) await client.call(Produce, 9, produceTo('limits', records, partition));
    }
    const counts = async (request: RequestInput<typeof Fetch>): Promise<number[]> => {
      const { responses } = await client.call(Fetch, 11, request);
      return responses[0]!.partitions.map((partition) => decodeRecords(partition.records!).length);
    };
    const everything: [number, number][] = [
      [0, 10_000],
      [1, 10_000],
      [2, 10_000],
    ];
    expect(await counts(fetchOf(100_000, everything))).toEqual([0, 3, 3]);
    // The first partition with records gives one batch however small the limits are, the others nothing beyond them.
    expect(await counts(fetchOf(1, everything))).toEqual([0, 1, 0]);
    expect(await counts(fetchOf(2 * records.length, everything))).toEqual([0, 2, 0]);
    expect(await counts(fetchOf(100_000, [[1, 2 * records.length], [2, records.length]]))).toEqual([2, 1]); // prettier-ignore
  });

  it('fences readers with another leader epoch', async () => {
    await topicOf('epochs');
    const codeAt = async (currentLeaderEpoch: number): Promise<number> => {
      const { responses } = await client.call(Fetch, 11, {
        maxWaitMs: 0,
        minBytes: 0,
        topics: [
          {
            topic: 'epochs',
            partitions: [{ partition: 0, currentLeaderEpoch, fetchOffset: 0, partitionMaxBytes: 1000 }],
          },
        ],
      });
      return responses[0]!.partitions[0]!.errorCode;
    };
    expect(await codeAt(0)).toBe(ErrorCode.NONE);
    expect(await codeAt(1)).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH);
  });
});

describe('ListOffsets', () => {
  it('refuses a partition that is named twice', async () => {
    await topicOf('twice');
    const place = { partitionIndex: 0, timestamp: -1 };
    const { topics } = await client.call(ListOffsets, 5, {
      replicaId: -1,
      topics: [{ name: 'twice', partitions: [place, place] }],
    });
    expect(topics[0]!.partitions.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
    ]);
  });
});

describe('Metadata', () => {
  it('creates nothing when the broker does not allow it', async () => {
    const answer = await client.call(Metadata, 9, { topics: [{ name: 'not-created' }], allowAutoTopicCreation: true });
    expect(answer.topics).toMatchObject([{ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name: 'not-created' }]);
  });

  it('creates a topic that may be used at once when both sides allow it', async () => {
    const other = await createBroker({ config: { 'num.partitions': 3 } });
    const connection = await RawConnection.open(other.host, other.port);
    try {
      const refused = await connection.call(Metadata, 4, { topics: [{ name: 'new' }], allowAutoTopicCreation: false });
      expect(refused.topics[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      const answer = await connection.call(Metadata, 4, { topics: [{ name: 'new' }], allowAutoTopicCreation: true });
      expect(answer.topics[0]).toMatchObject({ errorCode: 0, name: 'new', isInternal: false });
      expect(answer.topics[0]!.partitions.map(({ leaderId }) => leaderId)).toEqual([0, 0, 0]);
      const produced = await connection.call(Produce, 9, produceTo('new', batch('x')));
      expect(produced.responses[0]!.partitionResponses[0]!.errorCode).toBe(0);
    } finally {
      connection.close();
      await other.close();
    }
  });
});

describe('OffsetCommit and OffsetFetch by topic id', () => {
  it('translates ids both ways', async () => {
    const topicId = await topicOf('by-id');
    await client.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['ids'] });
    const committed = await client.call(OffsetCommit, 10, {
      groupId: 'ids',
      topics: [{ topicId, partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: 'm' }] }],
    });
    expect(committed.topics).toMatchObject([{ topicId, partitions: [{ partitionIndex: 0, errorCode: 0 }] }]);
    const unknownId = 'abcdefghijklmnopqrstuQ';
    const { groups } = await client.call(OffsetFetch, 10, {
      groups: [
        {
          groupId: 'ids',
          topics: [
            { topicId, partitionIndexes: [0, 1] },
            { topicId: unknownId, partitionIndexes: [0] },
          ],
        },
        { groupId: 'ids', topics: null },
      ],
    });
    expect(groups[0]!.topics).toMatchObject([
      {
        topicId,
        partitions: [
          { partitionIndex: 0, committedOffset: 5, metadata: 'm', errorCode: 0 },
          { partitionIndex: 1, committedOffset: -1 },
        ],
      },
      { topicId: unknownId, partitions: [{ partitionIndex: 0, errorCode: ErrorCode.UNKNOWN_TOPIC_ID }] },
    ]);
    expect(groups[1]!.topics).toMatchObject([{ topicId, partitions: [{ committedOffset: 5 }] }]);
  });
});

describe('FindCoordinator', () => {
  it('knows no share groups', async () => {
    const { coordinators } = await client.call(FindCoordinator, 6, { keyType: 2, coordinatorKeys: ['a'] });
    expect(coordinators).toMatchObject([{ key: 'a', nodeId: -1, errorCode: ErrorCode.INVALID_REQUEST }]);
  });
});

describe('SaslHandshake', () => {
  it.each([0, 1])('says in v%i that a plaintext listener has nothing to agree on', async (version) => {
    const answer = await client.call(SaslHandshake, version, { mechanism: 'PLAIN' });
    expect(answer).toEqual({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] });
  });
});

describe('administration', () => {
  it('describes topics in pages that together are everything', async () => {
    await topicOf('page-a', 3);
    await topicOf('page-b', 2);
    const topics = [{ name: 'page-b' }, { name: 'page-a' }];
    const seen: string[] = [];
    let cursor: { topicName: string; partitionIndex: number } | null = null;
    do {
      const page: Awaited<ReturnType<typeof describePage>> = await describePage(topics, cursor);
      for (const { name, partitions } of page.topics) {
        for (const { partitionIndex } of partitions) seen.push(`${name}-${partitionIndex}`);
      }
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(['page-a-0', 'page-a-1', 'page-a-2', 'page-b-0', 'page-b-1']);
  });

  const describePage = (topics: { name: string }[], cursor: { topicName: string; partitionIndex: number } | null) =>
    client.call(DescribeTopicPartitions, 0, { topics, responsePartitionLimit: 2, cursor });

  it('tells how many bytes a partition takes', async () => {
    await topicOf('sized');
    const records = batch('some bytes');
    await client.call(Produce, 9, produceTo('sized', records));
    const { results } = await client.call(DescribeLogDirs, 4, { topics: [{ topic: 'sized', partitions: [0] }] });
    expect(results).toMatchObject([
      { errorCode: 0, topics: [{ name: 'sized', partitions: [{ partitionIndex: 0, partitionSize: records.length }] }] },
    ]);
  });

  it('refuses a resource that is named twice', async () => {
    await topicOf('altered');
    const resource = { resourceType: 2, resourceName: 'altered', configs: [] };
    const { responses } = await client.call(AlterConfigs, 1, { resources: [resource, resource], validateOnly: false });
    expect(responses.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST]);
  });

  it('deletes nothing when deletion is off', async () => {
    const other = await createBroker({ config: { 'delete.topic.enable': false } });
    const connection = await RawConnection.open(other.host, other.port);
    try {
      const codes = [];
      for (const version of [1, 5]) {
        const answer = await connection.call(DeleteTopics, version, { topicNames: ['a'], timeoutMs: 1000 });
        codes.push(answer.responses[0]!.errorCode);
      }
      expect(codes).toEqual([ErrorCode.INVALID_REQUEST, ErrorCode.TOPIC_DELETION_DISABLED]);
    } finally {
      connection.close();
      await other.close();
    }
  });

  it('refuses a deletion that names nothing', async () => {
    const answer = await client.call(DeleteTopics, 6, {
      topics: [{ name: null, topicId: ZERO_UUID }],
      timeoutMs: 1000,
    });
    expect(answer.responses).toMatchObject([{ errorCode: ErrorCode.INVALID_REQUEST }]);
  });
});
