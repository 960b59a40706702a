import { ErrorCode, Produce, Reader, requestCodec, Writer, type RequestInput } from '@kafka-template/protocol';
import type { AppendOutcome, Partition } from '../../replication/partition.js';
import { NO_RESPONSE } from '../handler.js';
import { fakeCall, fakeImage, fakePartition, fakeTopic } from '../../testing/fake-services.js';
import { produce } from './00-produce.js';

type Done = (outcome: AppendOutcome) => void;

function requestOf(acks: number, version = 10): unknown {
  const input: RequestInput<typeof Produce> = {
    acks,
    timeoutMs: 1000,
    topicData: [{ name: 't', partitionData: [{ index: 0, records: Buffer.from('batch') }] }],
  };
  const writer = new Writer();
  requestCodec(Produce, version).encode(writer, input);
  return requestCodec(Produce, version).decode(new Reader(Buffer.concat(writer.finish())));
}

function outcome(errorCode: number, baseOffset = 0): AppendOutcome {
  return { errorCode, baseOffset, logAppendTimeMs: -1, logStartOffset: 0, recordErrors: [], errorMessage: null };
}

/** A partition whose appends wait for the spec. */
function slowPartition(): { partition: Partition; appends: Done[] } {
  const appends: Done[] = [];
  return { partition: fakePartition({ append: (_records, _options, done) => void appends.push(done) }), appends };
}

const image = fakeImage(fakeTopic('t', {}));

describe('produce: acknowledgements', () => {
  it('answers when the partition says so, not before', async () => {
    const { partition, appends } = slowPartition();
    const { context } = fakeCall(10, image, { 't-0': partition });
    const answer = produce.handle(requestOf(1), context);
    let isAnswered = false;
    void Promise.resolve(answer).then(() => (isAnswered = true));
    await Promise.resolve();
    expect(isAnswered).toBe(false);
    appends[0]!(outcome(0, 7));
    expect(await answer).toMatchObject({ responses: [{ partitionResponses: [{ errorCode: 0, baseOffset: 7 }] }] });
  });

  it('answers nothing with acks=0, and closes the connection when the append fails later', () => {
    const { partition, appends } = slowPartition();
    const { context, connection } = fakeCall(10, image, { 't-0': partition });
    expect(produce.handle(requestOf(0), context)).toBe(NO_RESPONSE);
    expect(connection.failures).toEqual([]);
    appends[0]!(outcome(ErrorCode.KAFKA_STORAGE_ERROR));
    expect(connection.failures).toEqual([expect.stringMatching(/acks=0 Produce failed for t-0: KAFKA_STORAGE_ERROR/)]);
  });

  it('leaves the connection alone when an append with acks=0 succeeds', () => {
    const { partition, appends } = slowPartition();
    const { context, connection } = fakeCall(10, image, { 't-0': partition });
    void produce.handle(requestOf(0), context);
    appends[0]!(outcome(0));
    expect(connection.failures).toEqual([]);
  });
});

describe('produce: other leaders', () => {
  it('names the leader and where it is, from v10 on', () => {
    const moved = fakeImage(fakeTopic('t', { leader: 2, leaderEpoch: 4 }));
    const rowAt = (version: number) => produce.handle(requestOf(1, version), fakeCall(version, moved).context);
    expect(rowAt(10)).toMatchObject({
      responses: [{ partitionResponses: [{ errorCode: 6, currentLeader: { leaderId: 2, leaderEpoch: 4 } }] }],
      nodeEndpoints: [{ nodeId: 2, host: 'host-2', port: 9002, rack: null }],
    });
    const before = rowAt(9) as { responses: { partitionResponses: { currentLeader?: object }[] }[] };
    expect(before.responses[0]!.partitionResponses[0]!.currentLeader).toBeUndefined();
  });
});

describe('produce: a disk that lags', () => {
  it('takes nothing more off the connection until there is room', () => {
    const { partition } = slowPartition();
    const { context, connection } = fakeCall(10, image, { 't-0': partition });
    let relieve: () => void = () => undefined;
    const pressure = { isHigh: true, onRelief: (relieved: () => void) => void (relieve = relieved) };
    const broker = { ...context.broker, partitions: { ...context.broker.partitions, pressure } };
    void produce.handle(requestOf(1), { ...context, broker });
    expect(connection.holds).toBe(1);
    relieve();
    expect(connection.holds).toBe(0);
  });
});
