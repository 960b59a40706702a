import { ErrorCode, Fetch, Reader, requestCodec, Writer, type RequestInput } from '@kafka-template/protocol';
import type { ReadOutcome } from '../../replication/partition.js';
import { BorrowedAnswer } from '../handler.js';
import { fakeCall, fakeImage, fakeOutcome, fakePartition, fakeTopic } from '../../testing/fake-services.js';
import { fetch } from './01-fetch.js';

type Answer = BorrowedAnswer<typeof Fetch>;

/** The request as it arrives: encoded and decoded at a version. */
function requestOf(version: number, input: RequestInput<typeof Fetch>): unknown {
  const writer = new Writer();
  requestCodec(Fetch, version).encode(writer, input);
  return requestCodec(Fetch, version).decode(new Reader(Buffer.concat(writer.finish())));
}

const wanted = (input: Partial<RequestInput<typeof Fetch>> = {}): RequestInput<typeof Fetch> => ({
  maxWaitMs: 0,
  minBytes: 1,
  topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
  ...input,
});

const ROWS = (answer: unknown) => (answer as Answer).response.responses[0]!.partitions;

describe('fetch: other leaders', () => {
  const image = fakeImage(fakeTopic('t', { leader: 2, leaderEpoch: 5 }));

  it('names the leader and where it is, from the versions on that can say so', async () => {
    const answerAt = async (version: number, request = wanted(), where = image): Promise<Answer> =>
      (await fetch.handle(requestOf(version, request), fakeCall(version, where).context)) as Answer;
    const id = 'AAAAAAAAAAAAAAAAAAAAAg';
    const byId = wanted({ topics: [{ topicId: id, partitions: wanted().topics[0]!.partitions }] });
    const withId = fakeImage({ ...image.topic('t')!, id });
    const answers = [await answerAt(11), await answerAt(12), await answerAt(16, byId, withId)];
    expect(answers.map((answer) => ROWS(answer)[0]!.errorCode)).toEqual([6, 6, 6]);
    expect(answers.map((answer) => ROWS(answer)[0]!.currentLeader)).toEqual([
      undefined,
      { leaderId: 2, leaderEpoch: 5 },
      { leaderId: 2, leaderEpoch: 5 },
    ]);
    expect(answers.map(({ response }) => response.nodeEndpoints)).toEqual([
      [],
      [],
      [{ nodeId: 2, host: 'host-2', port: 9002, rack: null }],
    ]);
  });

  it('says when there is no leader, and when a disk is broken', async () => {
    const noLeader = fakeCall(11, fakeImage(fakeTopic('t', { leader: -1 })));
    const answer = await fetch.handle(requestOf(11, wanted()), noLeader.context);
    expect(ROWS(answer)[0]!.errorCode).toBe(ErrorCode.LEADER_NOT_AVAILABLE);
    const broken = fakeCall(11, fakeImage(fakeTopic('t', {})), { 't-0': fakePartition({ isOnline: false }) });
    const offline = await fetch.handle(requestOf(11, wanted()), broken.context);
    expect(ROWS(offline)[0]!.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR);
  });

  it('refuses followers', async () => {
    const { context } = fakeCall(11, image);
    const answer = (await fetch.handle(requestOf(11, wanted({ replicaId: 2 })), context)) as Answer['response'];
    expect(answer.responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
  });
});

describe('fetch: memory', () => {
  const image = fakeImage(fakeTopic('t', {}));

  it('holds the connection while it reads from the disk', async () => {
    let finish: (outcome: ReadOutcome) => void = () => undefined;
    const read = () => new Promise<ReadOutcome>((resolve) => (finish = resolve));
    const { context, connection } = fakeCall(11, image, { 't-0': fakePartition({ read }) });
    const answer = fetch.handle(requestOf(11, wanted()), context);
    expect(connection.holds).toBe(1);
    finish(fakeOutcome({ sizeBytes: 3, records: [Buffer.from('abc')] }));
    expect(ROWS(await answer)[0]!.records).toEqual([Buffer.from('abc')]);
    expect(connection.holds).toBe(0);
  });

  it('gives back what it read: before it parks, and when its answer is sent', async () => {
    let released = 0;
    let highWatermark = 1;
    const read = () => fakeOutcome({ highWatermark, sizeBytes: 10, release: () => void released++ });
    const partition = { highWatermark, visibleBytes: 10, read };
    const { context, clock, waits } = fakeCall(11, image, { 't-0': fakePartition(partition) });
    const parked = fetch.handle(requestOf(11, wanted({ minBytes: 20, maxWaitMs: 500 })), context);
    expect({ released, parked: waits.parked }).toEqual({ released: 1, parked: 1 });
    highWatermark = 2;
    await clock.advance(500);
    const answer = (await parked) as Answer;
    expect(released).toBe(1);
    answer.release();
    expect(released).toBe(2);
  });

  it('forgets a parked fetch when its client goes away', async () => {
    const { context, connection, waits } = fakeCall(11, image, {
      't-0': fakePartition({ highWatermark: 0, read: () => fakeOutcome() }),
    });
    void fetch.handle(requestOf(11, wanted({ maxWaitMs: 500 })), context);
    expect(waits.parked).toBe(1);
    connection.close();
    expect(waits.parked).toBe(0);
  });
});

describe('fetch: truncation', () => {
  it('tells a reader where its log parts from ours', async () => {
    const partition = fakePartition({
      logStartOffset: 0,
      highWatermark: 50,
      lastStableOffset: 50,
      epochEndOffset: () => ({ leaderEpoch: 2, endOffset: 40 }),
    });
    const { context } = fakeCall(12, fakeImage(fakeTopic('t', {})), { 't-0': partition });
    const place = { partition: 0, fetchOffset: 45, lastFetchedEpoch: 3, partitionMaxBytes: 1000 };
    const request = wanted({ maxWaitMs: 500, topics: [{ topic: 't', partitions: [place] }] });
    const answer = await fetch.handle(requestOf(12, request), context);
    expect(ROWS(answer)[0]).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: 2, endOffset: 40 }, records: [] });
  });
});
