/** Reading from a replica nearby (KIP-392): the leader names it, and the leader is asked again when it fails. */
import { ErrorCode, Fetch, type ResponseInput } from '@kafka-template/protocol';
import { networkError } from '../../errors.js';
import { ConsumerWorld } from '../testing/consumer-world.js';

const A0 = { topic: 'a', partition: 0 };
const LEADER = 1;
const FOLLOWER = 2;

/** A leader that sends consumers of a rack to its follower; `follower` may answer in its own way. */
function world(follower: { answer?: 'network' | number } = {}, clientRack = 'zone-b'): ConsumerWorld {
  const created = new ConsumerWorld({
    groupId: undefined,
    ...(clientRack === '' ? {} : { clientRack }),
    metadataMaxAgeMs: 60_000,
  });
  const { cluster } = created;
  cluster.setTopic('a', 1);
  cluster.brokers.add(FOLLOWER);
  const read = cluster.handlerOf(Fetch);
  cluster.on(Fetch, (body, sent) => {
    const { topics } = body;
    const answer = (errorCode: number, preferredReadReplica: number): ResponseInput<typeof Fetch> => ({
      responses: topics.map(({ topic: name, topicId }) => ({
        topic: name,
        topicId,
        partitions: [
          {
            partitionIndex: 0,
            errorCode,
            highWatermark: 0,
            preferredReadReplica,
            records: Buffer.alloc(0),
            abortedTransactions: null,
          },
        ],
      })),
    });
    if (sent.target === FOLLOWER && follower.answer === 'network') return networkError('reset');
    if (sent.target === FOLLOWER && follower.answer !== undefined) return answer(follower.answer as number, -1);
    if (sent.target === LEADER && body.rackId !== '' && topics.length > 0) return answer(ErrorCode.NONE, FOLLOWER);
    return read(body, sent);
  });
  created.logs.append('a', 0, ['v0']);
  created.consumer.assign([A0]);
  return created;
}

function targets(created: ConsumerWorld): unknown[] {
  return created.cluster.sent.filter((each) => each.api === 'Fetch').map(({ target }) => target);
}

describe('a consumer in a rack', () => {
  it('reads from the replica the leader names, and tells its rack', async () => {
    const created = world();
    expect(await created.values()).toEqual(['v0']);
    expect(targets(created).slice(0, 2)).toEqual([LEADER, FOLLOWER]);
    expect(created.cluster.bodies(Fetch)[0]?.rackId).toBe('zone-b');
  });

  it('asks the leader again when the news is old', async () => {
    const created = world();
    await created.values();
    await created.clock.advance(60_000);
    await created.values(10);
    await created.clock.advance(1_000);
    await created.values(10);
    expect(targets(created).filter((target) => target === LEADER)).toHaveLength(2);
  });

  it.each([['network' as const], [ErrorCode.OFFSET_OUT_OF_RANGE], [ErrorCode.NOT_LEADER_OR_FOLLOWER]])(
    'goes back to the leader when the replica answers %s, and its position stays',
    async (answer) => {
      const follower: { answer?: 'network' | number } = { answer };
      const created = world(follower);
      expect(await created.values(30)).toEqual([]);
      delete follower.answer;
      expect(await created.values()).toEqual(['v0']);
      expect(targets(created).slice(0, 3)).toEqual([LEADER, FOLLOWER, LEADER]);
    },
  );

  it('goes back to the leader when the replica leaves the cluster', async () => {
    const created = world();
    await created.values();
    created.cluster.brokers.delete(FOLLOWER);
    await created.drive(created.cluster.metadata.refresh());
    await created.clock.advance(1_000);
    const before = targets(created).length;
    await created.values(2_000);
    const later = targets(created).slice(before);
    expect(new Set(later)).toEqual(new Set([LEADER]));
    expect(later.length).toBeLessThan(30);
  });

  it('reads from the leader without the option', async () => {
    const created = world({}, '');
    expect(await created.values()).toEqual(['v0']);
    expect(new Set(targets(created))).toEqual(new Set([LEADER]));
  });
});
