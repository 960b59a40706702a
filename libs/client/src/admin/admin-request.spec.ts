/**
 * Where the calls of the wider admin client go, that they are tried again, and that each item has an outcome of its own.
 * What they do on a real cluster is tested on Apache Kafka (test/interop/admin).
 */
import {
  AlterUserScramCredentials,
  CreateAcls,
  DescribeLogDirs,
  DescribeTransactions,
  ElectLeaders,
  ErrorCode,
  InitProducerId,
  LeaveGroup,
  ListTransactions,
  WriteTxnMarkers,
} from '@kafka-template/protocol';
import { ScriptedCluster } from '../consumer/testing/scripted-cluster.js';
import type { ClientIo } from '../io/io.js';
import { silentLogger } from '../io/logger.js';
import { seededRandom } from '../io/random.js';
import { FakeClock } from '../testing/fake-clock.js';
import type { AdminContext } from './admin-context.js';
import { resolveAdminOptions } from './admin-options.js';
import { GroupAdmin } from './group-admin.js';
import { ReplicaAdmin } from './replica-admin.js';
import { SecurityAdmin } from './security-admin.js';
import { TransactionAdmin } from './transaction-admin.js';

function setUp() {
  const clock = new FakeClock();
  const network: ClientIo['network'] = {
    connect: () => {
      throw new Error('a scripted cluster opens no connections');
    },
  };
  const io = { clock, network, random: seededRandom(1) };
  const cluster = new ScriptedCluster(io);
  cluster.brokers.add(2);
  const context: AdminContext = {
    options: resolveAdminOptions({ bootstrapServers: 'broker-1:9092', logger: silentLogger }),
    cluster,
    io,
  };
  const drive = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false;
    promise.finally(() => (settled = true)).catch(() => undefined);
    for (let turn = 0; turn < 10_000 && !settled; turn++) await clock.advance(10);
    return promise;
  };
  const targets = (api: string) => cluster.sent.filter((each) => each.api === api).map(({ target }) => target);
  return { cluster, context, drive, targets };
}

const codes = (outcomes: readonly { error: { code: string } | null }[]): (string | null)[] =>
  outcomes.map(({ error }) => error?.code ?? null);

describe('admin calls of one request', () => {
  it('go to the controller where it decides, with one outcome per item in the order asked for', async () => {
    const { cluster, context, drive, targets } = setUp();
    cluster.on(ElectLeaders, () => ({
      errorCode: 0,
      replicaElectionResults: [
        { topic: 'b', partitionResult: [{ partitionId: 0, errorCode: 0, errorMessage: null }] },
        {
          topic: 'a',
          partitionResult: [{ partitionId: 1, errorCode: ErrorCode.ELECTION_NOT_NEEDED, errorMessage: '' }],
        },
      ],
    }));
    const wanted = ['a', 'b', 'c'].map((topic, index) => ({ topic, partition: index === 0 ? 1 : 0 }));
    expect(codes(await drive(new ReplicaAdmin(context).electLeaders(wanted)))).toEqual([
      'ELECTION_NOT_NEEDED',
      null,
      'UNKNOWN_SERVER_ERROR',
    ]);
    expect(targets('ElectLeaders')).toEqual(['controller']);
  });

  it('are tried again over what passes by itself, at a coordinator that is looked up again', async () => {
    const { cluster, context, drive } = setUp();
    const answers = [ErrorCode.NOT_COORDINATOR, ErrorCode.CONCURRENT_TRANSACTIONS, ErrorCode.NONE];
    cluster.on(InitProducerId, () => ({ errorCode: answers.shift() ?? 0, producerId: 7, producerEpoch: 3 }));
    const [fenced] = await drive(new TransactionAdmin(context).fenceProducers(['t']));
    expect(fenced).toEqual({ transactionalId: 't', producerId: 7, producerEpoch: 3, error: null });
    expect(cluster.bodies(InitProducerId)[0]).toMatchObject({ producerId: -1, producerEpoch: -1 });
    expect(cluster.forgotten).toBeGreaterThan(0);
  });

  it('ask every broker where each knows its own, and make the refusal of one item its outcome', async () => {
    const { cluster, context, drive, targets } = setUp();
    const transactions = new TransactionAdmin(context);
    cluster.on(ListTransactions, (_body, { target }) => ({
      errorCode: 0,
      unknownStateFilters: [],
      transactionStates: [{ transactionalId: `t${String(target)}`, producerId: 1, transactionState: 'Ongoing' }],
    }));
    const listed = await drive(transactions.listTransactions());
    expect(listed.map(({ transactionalId }) => transactionalId)).toEqual(['t1', 't2']);
    cluster.on(DescribeLogDirs, () => ({ errorCode: 0, results: [] }));
    await drive(new ReplicaAdmin(context).describeLogDirs([2]));
    expect(targets('DescribeLogDirs')).toEqual([2]);
    cluster.on(DescribeTransactions, (body) => ({
      transactionStates: body.transactionalIds.map((transactionalId) => ({
        errorCode: transactionalId === 'no' ? ErrorCode.TRANSACTIONAL_ID_NOT_FOUND : 0,
        transactionalId,
        transactionState: 'Empty',
        transactionTimeoutMs: 1,
        transactionStartTimeMs: -1,
        producerId: 1,
        producerEpoch: 0,
        topics: [],
      })),
    }));
    const described = await drive(transactions.describeTransactions(['no', 'yes']));
    expect(codes(described)).toEqual(['TRANSACTIONAL_ID_NOT_FOUND', null]);
    expect(described[1]?.startTimeMs).toBeNull();
  });

  it('follow a leader that has moved', async () => {
    const { cluster, context, drive, targets } = setUp();
    cluster.setTopic('a', 1);
    cluster.on(WriteTxnMarkers, (_body, { target }) => {
      const errorCode = target === 1 ? ErrorCode.NOT_LEADER_OR_FOLLOWER : 0;
      const moved = cluster.topics.get('a');
      if (moved !== undefined) Object.assign(moved, { leaders: [2], leaderEpoch: 1 });
      return { markers: [{ producerId: 1, topics: [{ name: 'a', partitions: [{ partitionIndex: 0, errorCode }] }] }] };
    });
    const stuck = { topic: 'a', partition: 0, producerId: 1, producerEpoch: 0, coordinatorEpoch: 0 };
    await drive(new TransactionAdmin(context).abortTransaction(stuck));
    expect(targets('WriteTxnMarkers')).toEqual([1, 2]);
    await expect(
      drive(new TransactionAdmin(context).abortTransaction({ ...stuck, partition: 4 })),
    ).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
  });

  it('never send a password, but what is made of it', async () => {
    const { cluster, context, drive } = setUp();
    cluster.on(AlterUserScramCredentials, () => ({ results: [{ user: 'alice', errorCode: 0, errorMessage: null }] }));
    const call = new SecurityAdmin(context).alterUserScramCredentials([
      { user: 'alice', mechanism: 'SCRAM-SHA-512', password: 'secret' },
    ]);
    // The hash is made outside of the fake clock.
    while (cluster.bodies(AlterUserScramCredentials).length === 0) await new Promise(setImmediate);
    expect(codes(await drive(call))).toEqual([null]);
    const [sent] = cluster.bodies(AlterUserScramCredentials)[0]?.upsertions ?? [];
    expect(sent).toMatchObject({ name: 'alice', mechanism: 2, iterations: 4_096 });
    expect(sent?.saltedPassword).toHaveLength(64);
    expect(JSON.stringify(sent)).not.toContain('secret');
  });

  it('match the outcomes of ACLs by their place, and of members by their name', async () => {
    const { cluster, context, drive } = setUp();
    cluster.on(CreateAcls, () => ({
      results: [
        { errorCode: 0, errorMessage: null },
        { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'no' },
      ],
    }));
    const acl = { resourceType: 'topic', resourceName: 'a', principal: 'User:a', operation: 'read' } as const;
    expect(codes(await drive(new SecurityAdmin(context).createAcls([acl, acl])))).toEqual([null, 'INVALID_REQUEST']);
    cluster.on(LeaveGroup, () => ({
      errorCode: 0,
      members: [
        { memberId: 'm-1', groupInstanceId: 'one', errorCode: 0 },
        { memberId: 'm-2', groupInstanceId: null, errorCode: ErrorCode.UNKNOWN_MEMBER_ID },
      ],
    }));
    const members = [{ memberId: 'm-2' }, { groupInstanceId: 'one' }];
    const removed = await drive(new GroupAdmin(context).removeMembersFromConsumerGroup('g', { members }));
    expect(codes(removed)).toEqual(['UNKNOWN_MEMBER_ID', null]);
  });
});
