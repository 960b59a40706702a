/**
 * The admin client on Apache Kafka: what only a full Kafka serves (ACLs, SCRAM users, quotas, moves of replicas, features,
 * the quorum) and what there is to see of transactions.
 */
import {
  type Admin,
  createAdmin,
  createConsumer,
  createProducer,
  OffsetSpec,
  silentLogger,
} from '@kafka-template/client';
import { uniqueName } from '../../support/broker.js';
import { until } from '../../support/until.js';
import { type RunningKafka, startKafka } from '../kafka/start.mjs';

let kafka: RunningKafka;
let admin: Admin;

beforeAll(async () => {
  kafka = await startKafka({
    config: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    },
  });
  admin = createAdmin({ bootstrapServers: kafka.bootstrapServers, logger: silentLogger });
}, 120_000);

afterAll(async () => {
  await admin?.close();
  await kafka?.stop();
}, 60_000);

async function topic(numPartitions = 1): Promise<string> {
  const name = uniqueName('topic');
  const [outcome] = await admin.createTopics([{ name, numPartitions, replicationFactor: 1 }]);
  if (outcome?.error != null) throw outcome.error;
  return name;
}

function codes(outcomes: readonly { error: { code: string } | null }[]): (string | null)[] {
  return outcomes.map(({ error }) => error?.code ?? null);
}

describe('security', () => {
  it('ACLs are created, found by every kind of filter, and deleted', async () => {
    const resourceName = uniqueName('orders');
    const read = { resourceType: 'topic', resourceName, principal: 'User:alice', operation: 'read' } as const;
    const write = {
      ...read,
      operation: 'write',
      patternType: 'prefixed',
      permission: 'deny',
      host: '10.0.0.1',
    } as const;
    expect(codes(await admin.createAcls([read, write]))).toEqual([null, null]);
    const whole = { patternType: 'literal', host: '*', permission: 'allow', ...read };
    await until(async () => (await admin.describeAcls({ resourceName })).length === 2, 'both ACLs are there');
    expect(await admin.describeAcls({ resourceName, operation: 'read' })).toEqual([whole]);
    expect(await admin.describeAcls({ resourceName, permission: 'deny' })).toEqual([write]);
    const matching = { resourceType: 'topic', resourceName: `${resourceName}-1`, patternType: 'match' } as const;
    expect(await admin.describeAcls(matching)).toEqual([write]);
    const [deleted] = await admin.deleteAcls([{ resourceName }]);
    expect(deleted?.error).toBeNull();
    expect(deleted?.deleted.map(({ acl, error }) => [acl.operation, error]).sort()).toEqual([
      ['read', null],
      ['write', null],
    ]);
    const [wrong] = await admin.createAcls([{ ...read, principal: 'alice' }]);
    expect(wrong?.error?.code).toBe('INVALID_REQUEST');
  });

  it('SCRAM users are set, described and deleted', async () => {
    const user = uniqueName('user');
    const outcomes = await admin.alterUserScramCredentials([
      { user, mechanism: 'SCRAM-SHA-256', password: 'secret' },
      { user: 'few', mechanism: 'SCRAM-SHA-512', password: 'secret', iterations: 1 },
    ]);
    expect(codes(outcomes)).toEqual([null, 'UNACCEPTABLE_CREDENTIAL']);
    const more = { user, mechanism: 'SCRAM-SHA-512', password: 'secret', iterations: 8_192 } as const;
    expect(codes(await admin.alterUserScramCredentials([more]))).toEqual([null]);
    expect(codes(await admin.alterUserScramCredentials([more, more]))).toEqual(['DUPLICATE_RESOURCE']);
    await until(async () => (await admin.describeUserScramCredentials([user]))[0]?.error === null, 'the user is there');
    const [described] = await admin.describeUserScramCredentials([user]);
    expect([...(described?.credentials ?? [])].sort((a, b) => a.iterations - b.iterations)).toEqual([
      { mechanism: 'SCRAM-SHA-256', iterations: 4_096 },
      { mechanism: 'SCRAM-SHA-512', iterations: 8_192 },
    ]);
    expect(codes(await admin.alterUserScramCredentials([{ user, mechanism: 'SCRAM-SHA-256' }]))).toEqual([null]);
    expect(codes(await admin.describeUserScramCredentials([uniqueName('nobody')]))).toEqual(['RESOURCE_NOT_FOUND']);
  });

  it('quotas are set, described and deleted', async () => {
    const user = uniqueName('user');
    const entity = { user, 'client-id': null };
    const quotas = { producer_byte_rate: 1_024, request_percentage: 50 };
    expect(codes(await admin.alterClientQuotas([{ entity, quotas }]))).toEqual([null]);
    await until(
      async () => (await admin.describeClientQuotas({ entity: { user } })).length === 1,
      'the quotas are there',
    );
    expect(await admin.describeClientQuotas({ entity: { user, 'client-id': null } })).toEqual([{ entity, quotas }]);
    expect(await admin.describeClientQuotas({ entity: { user }, strict: true })).toEqual([]);
    expect(codes(await admin.alterClientQuotas([{ entity, quotas: { nonsense: 1 } }]))).toEqual(['INVALID_REQUEST']);
    expect(codes(await admin.alterClientQuotas([{ entity, quotas: { request_percentage: null } }]))).toEqual([null]);
  });
});

describe('replicas', () => {
  it('leaders are elected, moves begun, listed and cancelled, with one outcome for each partition', async () => {
    const name = await topic(2);
    const one = { topic: name, partition: 1 };
    expect(codes(await admin.electLeaders([one, { topic: name, partition: 9 }]))).toEqual([
      'ELECTION_NOT_NEEDED',
      'UNKNOWN_TOPIC_OR_PARTITION',
    ]);
    expect((await admin.electLeaders(null)).every(({ error }) => error === null)).toBe(true);
    const [described] = await admin.describeTopics([name]);
    const leader = described?.partitions[0]?.leader ?? -1;
    const moves = [
      { ...one, replicas: [leader] },
      { ...one, partition: 0, replicas: [12345] },
    ];
    expect(codes(await admin.alterPartitionReassignments(moves))).toEqual([null, 'INVALID_REPLICA_ASSIGNMENT']);
    expect(codes(await admin.alterPartitionReassignments([{ ...one, replicas: null }]))).toEqual([
      'NO_REASSIGNMENT_IN_PROGRESS',
    ]);
    expect(await admin.listPartitionReassignments()).toEqual([]);
    expect(await admin.listPartitionReassignments([one])).toEqual([]);
  });

  it('folders are described, and replicas are not moved to one that does not exist', async () => {
    const name = await topic(2);
    const one = { topic: name, partition: 0 };
    const specs = [OffsetSpec.EARLIEST_LOCAL, OffsetSpec.LATEST_TIERED, OffsetSpec.EARLIEST_PENDING_UPLOAD];
    const listed = await Promise.all(specs.map((timestamp) => admin.listOffsets([{ ...one, timestamp }])));
    expect(listed.flat().map(({ error }) => error)).toEqual([null, null, null]);
    expect(listed.flat()[0]?.offset).toBe(0);
    const inFolders = async () => (await admin.describeLogDirs()).flatMap(({ replicas }) => replicas);
    await until(async () => (await inFolders()).filter((each) => each.topic === name).length === 2, 'both are there');
    const [folder] = await admin.describeLogDirs();
    expect(folder).toMatchObject({ error: null, brokerId: expect.any(Number) as number });
    expect(folder?.totalBytes).toBeGreaterThan(0);
    const replicas = folder?.replicas.filter((each) => each.topic === name) ?? [];
    expect(replicas.map(({ partition }) => partition).sort()).toEqual([0, 1]);
    const brokerId = folder?.brokerId ?? -1;
    const outcomes = await admin.alterReplicaLogDirs([
      { topic: name, partition: 0, brokerId, path: '/no/such/folder' },
      { topic: name, partition: 0, brokerId: 999, path: '/no/such/folder' },
    ]);
    expect(codes(outcomes)).toEqual(['LOG_DIR_NOT_FOUND', 'BROKER_NOT_AVAILABLE']);
    await expect(admin.describeLogDirs([999])).rejects.toMatchObject({ code: 'BROKER_NOT_AVAILABLE' });
  });
});

describe('transactions', () => {
  it('are listed, described, seen in their partitions, and ended by fencing their producer', async () => {
    const name = await topic();
    const transactionalId = uniqueName('transaction');
    const { bootstrapServers } = kafka;
    const producer = createProducer({ bootstrapServers, logger: silentLogger, transactionalId });
    await producer.initTransactions();
    producer.beginTransaction();
    await producer.send({ topic: name, value: 'x' });
    const [described, unknown] = await admin.describeTransactions([transactionalId, uniqueName('nobody')]);
    expect(described).toMatchObject({ state: 'Ongoing', error: null, partitions: [{ topic: name, partition: 0 }] });
    expect(unknown?.error?.code).toBe('TRANSACTIONAL_ID_NOT_FOUND');
    const producerId = described?.producerId ?? -1;
    expect(await admin.listTransactions({ states: ['Ongoing'], producerIds: [producerId] })).toEqual([
      { transactionalId, producerId, state: 'Ongoing' },
    ]);
    expect(await admin.listTransactions({ durationMs: 3_600_000 })).toEqual([]);
    const [inPartition, nowhere] = await admin.describeProducers([
      { topic: name, partition: 0 },
      { topic: name, partition: 7 },
    ]);
    expect(inPartition?.producers).toMatchObject([{ producerId, currentTransactionStartOffset: 0, lastSequence: 0 }]);
    expect(nowhere?.error?.code).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    const [active] = inPartition?.producers ?? [];
    const marker = { topic: name, partition: 0, producerId, producerEpoch: active?.producerEpoch ?? -1 };
    await admin.abortTransaction({ ...marker, coordinatorEpoch: active?.coordinatorEpoch ?? -1 });
    const [fenced] = await admin.fenceProducers([transactionalId]);
    expect(fenced).toMatchObject({ transactionalId, producerId, error: null });
    await expect(producer.commitTransaction()).rejects.toMatchObject({ fatal: true });
    await producer.close(1_000);
    const [after] = await admin.describeProducers([{ topic: name, partition: 0 }]);
    expect(after?.producers[0]?.currentTransactionStartOffset).toBeNull();
  });
});

describe('the cluster', () => {
  it('tells its features, switches none that it cannot, and tells its quorum and what has a configuration', async () => {
    const features = await admin.describeFeatures();
    const metadataVersion = features.find(({ name }) => name === 'metadata.version');
    expect(metadataVersion?.level).toBeGreaterThan(0);
    const updates = [{ name: 'metadata.version', level: 9_999 }];
    expect(codes(await admin.updateFeatures(updates, { validateOnly: true }))).toEqual(['INVALID_UPDATE_VERSION']);
    const quorum = await admin.describeMetadataQuorum();
    expect(quorum.voters.map(({ nodeId }) => nodeId)).toContain(quorum.leaderId);
    expect(quorum.highWatermark).toBeGreaterThan(0);
    const name = await topic();
    expect(await admin.listConfigResources(['topic'])).toContainEqual({ type: 'topic', name });
    await expect(admin.createDelegationToken()).rejects.toMatchObject({
      code: expect.stringMatching(/^DELEGATION_TOKEN_/) as string,
    });
  });

  it('takes members out of groups', async () => {
    const name = await topic(2);
    const groupId = uniqueName('group');
    const { bootstrapServers } = kafka;
    const consumers = ['a', 'b'].map((groupInstanceId) =>
      createConsumer({ bootstrapServers, logger: silentLogger, groupId, groupInstanceId }),
    );
    for (const consumer of consumers) consumer.subscribe(name);
    await until(async () => {
      await Promise.all(consumers.map((consumer) => consumer.poll(50)));
      return consumers.every((consumer) => consumer.assignment().length === 1);
    }, 'both have a partition');
    await Promise.all(consumers.map((consumer) => consumer.close()));
    const members = [{ groupInstanceId: 'a' }, { groupInstanceId: 'nobody' }];
    expect(codes(await admin.removeMembersFromConsumerGroup(groupId, { members }))).toEqual([
      null,
      'UNKNOWN_MEMBER_ID',
    ]);
    expect(codes(await admin.removeMembersFromConsumerGroup(groupId))).toEqual([null]);
    const [group] = await admin.describeGroups([groupId]);
    expect(group?.members).toEqual([]);
  });
});
