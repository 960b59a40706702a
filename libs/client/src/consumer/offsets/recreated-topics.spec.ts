/**
 * A topic that is deleted and created again under a consumer that keeps its assignment: read from its beginning.
 */
import { ErrorCode, Fetch, ListOffsets, OffsetCommit } from '@kafka-template/protocol';
import { ConsumerWorld } from '../testing/consumer-world.js';

const A0 = { topic: 'a', partition: 0 };
const NEW_ID = 'newAAAAAAAAAAAAAAAAAAA';
const OLD_VALUES = ['v0', 'v1', 'v2'];
const NEW_VALUES = ['n0', 'n1', 'n2', 'n3', 'n4'];
/** Last version of Fetch that names topics. */
const FETCH_NAMES_VERSION = 12;

interface World {
  readonly created: ConsumerWorld;
  readonly warnings: string[];
  readonly oldId: string;
}

/** A consumer that has read the old topic, or stands at its end. */
async function reader(options: ConstructorParameters<typeof ConsumerWorld>[0] = {}): Promise<World> {
  const warnings: string[] = [];
  const nothing = (): void => undefined;
  const logger = { debug: nothing, info: nothing, warn: (text: string) => void warnings.push(text), error: nothing };
  const created = new ConsumerWorld({ groupId: undefined, logger, ...options });
  created.cluster.setTopic('a', 1);
  created.logs.append('a', 0, OLD_VALUES);
  created.consumer.assign([A0]);
  if (options.autoOffsetReset === 'none') created.consumer.seekToBeginning([A0]);
  await created.values();
  await expect(created.drive(created.consumer.position(A0))).resolves.toBe(OLD_VALUES.length);
  return { created, warnings, oldId: created.cluster.topics.get('a')?.topicId as string };
}

/** Deletes the topic and creates it with these records. */
function recreate(created: ConsumerWorld, values: readonly string[]): void {
  created.cluster.setTopic('a', 1, NEW_ID);
  created.logs.drop('a', 0);
  created.logs.append('a', 0, values);
}

async function drain(created: ConsumerWorld): Promise<string[]> {
  const all: string[] = [];
  for (let turn = 0; turn < 30; turn++) all.push(...(await created.values(100)));
  return all;
}

const WARNING = 'Topic a was deleted and created again; its partitions are read from the beginning.';

describe('a topic that was deleted and created again', () => {
  it.each(['earliest', 'latest'] as const)('is read from the beginning with %s, and said once', async (policy) => {
    const { created, warnings } = await reader({ autoOffsetReset: policy });
    recreate(created, NEW_VALUES);
    expect(await drain(created)).toEqual(NEW_VALUES);
    expect(warnings).toEqual([WARNING]);
  });

  it('may hold fewer records than were read of the old one', async () => {
    const { created, warnings } = await reader({ autoOffsetReset: 'latest' });
    recreate(created, ['n0']);
    expect(await drain(created)).toEqual(['n0']);
    expect(warnings).toEqual([WARNING]);
  });

  it.each(['earliest', 'latest'] as const)(
    'is looked for when an offset is out of range by name, with %s',
    async (policy) => {
      const { created, warnings } = await reader({ autoOffsetReset: policy });
      created.cluster.maxVersions.set('Fetch', FETCH_NAMES_VERSION);
      await created.poll(1_200);
      recreate(created, ['n0']);
      expect(await drain(created)).toEqual(['n0']);
      expect(warnings).toEqual([WARNING]);
    },
  );

  it.each(['UNKNOWN_TOPIC_ID', 'INCONSISTENT_TOPIC_ID', 'UNKNOWN_TOPIC_OR_PARTITION'] as const)(
    'is looked for after %s',
    async (code) => {
      const { created, warnings } = await reader();
      created.logs.idErrors = false;
      created.logs.fetchErrors.set('a-0', [ErrorCode[code]]);
      recreate(created, NEW_VALUES);
      expect(await drain(created)).toEqual(NEW_VALUES);
      expect(warnings).toEqual([WARNING]);
    },
  );

  it('fails the poll with none, again and again, until the application seeks', async () => {
    const { created, warnings } = await reader({ autoOffsetReset: 'none' });
    recreate(created, NEW_VALUES);
    const failure = { code: 'NO_OFFSET_FOR_PARTITION', message: expect.stringContaining('a-0') as unknown };
    await expect(drain(created)).rejects.toMatchObject(failure);
    await expect(drain(created)).rejects.toMatchObject(failure);
    created.consumer.seek(A0, 1);
    expect(await drain(created)).toEqual(NEW_VALUES.slice(1));
    expect(warnings).toEqual([expect.stringMatching(/^Topic a was deleted and created again/)]);
  });

  it('drops what was fetched ahead of the old one, and its lag', async () => {
    const { created } = await reader();
    created.logs.append('a', 0, ['v3', 'v4', 'v5', 'v6', 'v7']);
    await created.poll(0);
    await created.clock.advance(1_000);
    recreate(created, ['n0', 'n1']);
    await created.drive(created.cluster.metadata.refresh());
    expect(created.consumer.currentLag(A0)).toBeNull();
    expect(await drain(created)).toEqual(['n0', 'n1']);
    expect(created.consumer.currentLag(A0)).toBe(0);
  });

  it('commits nothing of the old one', async () => {
    const { created } = await reader({ groupId: 'billing', enableAutoCommit: true, autoCommitIntervalMs: 60_000 });
    recreate(created, NEW_VALUES);
    created.logs.lookupErrors.set('a-0', new Array<number>(1_000).fill(ErrorCode.LEADER_NOT_AVAILABLE));
    await created.drive(created.cluster.metadata.refresh());
    await created.poll(100);
    await created.drive(created.consumer.commitSync());
    await created.drive(created.consumer.close());
    expect(created.cluster.bodies(OffsetCommit)).toEqual([]);
  });

  it('an answer that still tells the old id changes nothing', async () => {
    const { created, warnings, oldId } = await reader();
    recreate(created, NEW_VALUES);
    expect(await drain(created)).toEqual(NEW_VALUES);
    const lookups = created.cluster.bodies(ListOffsets).length;
    created.cluster.setTopic('a', 1, oldId);
    await created.drive(created.cluster.metadata.refresh());
    created.cluster.setTopic('a', 1, NEW_ID);
    await created.drive(created.cluster.metadata.refresh());
    expect(await drain(created)).toEqual([]);
    expect(created.cluster.bodies(ListOffsets)).toHaveLength(lookups);
    expect(warnings).toEqual([WARNING]);
  });

  it('a topic that only becomes known, or has no id, is no other one', async () => {
    const { created, warnings, oldId } = await reader();
    created.cluster.setTopic('a', 1, 'AAAAAAAAAAAAAAAAAAAAAA');
    await created.drive(created.cluster.metadata.refresh());
    created.cluster.setTopic('a', 1, oldId);
    await created.drive(created.cluster.metadata.refresh());
    created.logs.append('a', 0, ['v3']);
    expect(await drain(created)).toEqual(['v3']);
    expect(warnings).toEqual([]);
    expect(created.cluster.bodies(Fetch).length).toBeGreaterThan(0);
  });
});
