import { isDeepStrictEqual } from 'node:util';
import { ErrorCode } from '@kafka-template/protocol';
import { seededRandom, type Random } from '../../io/random.js';
import { partitionKey } from './assignment.js';
import { ConsumerPlay, idOf, rows, storedOf, topicImage, type Wish } from './consumer-play.fixture.js';
import { stateOf } from './consumer-group.js';
import { checkConsumerCommit } from './offset-checks.js';
import type { HeartbeatAnswer } from './replies.js';

/**
 * Random clients in one group of the new protocol, by a seed. What must hold, whatever they do and lose: no partition has
 * two owners whose commits would be taken; an epoch that is over is refused; committed offsets never go back, although
 * members that are taken for dead go on committing; what comes back from the bytes in the log is the group as it was; left alone the group becomes stable with every partition given out.
 */
const STEPS = 500;
/** Reading the whole log after every step would make minutes of it. */
const RELOAD_EVERY = 10;
const TOPICS = ['t', 'u'];

function must(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(sentence);
}

/** Somebody who reads and commits. */
interface Reader {
  readonly memberId: string;
  readonly instanceId: string | null;
  /** 0: not in the group. */
  readonly epoch: number;
  /** `topic id/partition` to the next offset it reads. */
  readonly positions: Map<string, number>;
}

interface Client {
  readonly name: string;
  readonly instanceId: string | null;
  readonly assignor: string | null;
  life: number;
  /** 0: not in the group. */
  epoch: number;
  /** What it reads, as `topic id/partition`. */
  owned: Set<string>;
  /** Of what it reads, the next offset. */
  positions: Map<string, number>;
}

const commitKind = { apiVersion: 9, transactional: false };

class Crowd {
  readonly play: ConsumerPlay;
  readonly clients: Client[];
  moves = 0;
  /** `topic id/partition` to what the group has committed. */
  readonly committed = new Map<string, number>();
  private readonly zombies: Reader[] = [];
  private steps = 0;

  constructor(private readonly random: Random) {
    this.play = new ConsumerPlay({ membersMax: 5 });
    this.play.image = this.play.image.withTopics([topicImage('u', 2)]);
    this.clients = Array.from({ length: 6 }, (_, index) => ({
      name: `c${index}`,
      instanceId: index < 2 ? `static-${index}` : null,
      assignor: index % 3 === 0 ? 'range' : null,
      life: 0,
      epoch: 0,
      owned: new Set<string>(),
      positions: new Map<string, number>(),
    }));
  }

  step(): void {
    const client = this.clients[this.random.below(this.clients.length)]!;
    const dice = this.random.below(100);
    if (dice < 50) this.beat(client);
    else if (dice < 66) this.read(this.reader(client));
    else if (dice < 70) this.read(this.zombies[this.random.below(this.zombies.length)]);
    else if (dice < 76) this.leave(client);
    else if (dice < 79) this.crash(client);
    else if (dice < 83) this.changeTopics();
    else if (dice < 86) this.restart();
    else this.play.pass(this.random.below(dice < 98 ? 5000 : 50_000));
    this.check();
  }

  /** Everybody who is in beats until nothing changes any more. */
  settle(): void {
    for (let round = 0; round < 80; round += 1) {
      for (const client of this.clients) if (client.epoch > 0) this.beat(client, true);
      this.play.pass(1000);
    }
  }

  private id(client: Client): string {
    return `${client.name}-${client.life}`;
  }

  /** A heartbeat; now and then the answer is lost, or the member does not say what it owns. */
  private beat(client: Client, well = false): void {
    const { instanceId } = client;
    const owned = this.ownedRows(client);
    const first: Wish = {
      instanceId,
      rebalanceTimeoutMs: 20_000,
      topicPartitions: [],
      serverAssignor: client.assignor,
      ...(client.name === 'c5' ? { subscribedTopicRegex: '[tu]' } : { subscribedTopicNames: this.topics() }),
    };
    if (client.epoch === 0) client.life += 1;
    const later = well || this.random.below(3) > 0 ? { instanceId, topicPartitions: owned } : { instanceId };
    const answer = this.play.heartbeat(this.id(client), client.epoch, client.epoch === 0 ? first : later);
    if (!well && this.random.below(10) === 0) return;
    this.hear(client, answer);
  }

  private topics(): string[] {
    return this.random.below(4) === 0 ? ['t'] : TOPICS;
  }

  private ownedRows(client: Client) {
    return rows(
      Object.fromEntries(
        TOPICS.map((topic) => {
          const own = [...client.owned].filter((key) => key.startsWith(`${idOf(topic)}/`));
          return [topic, own.map((key) => Number(key.split('/')[1]))] as const;
        }).filter(([, partitions]) => partitions.length > 0),
      ),
    );
  }

  private hear(client: Client, answer: HeartbeatAnswer): void {
    if (answer.errorCode !== ErrorCode.NONE) {
      this.crash(client);
      return;
    }
    client.epoch = answer.memberEpoch;
    if (!answer.assignment) return;
    this.moves += 1;
    const keys = answer.assignment.topicPartitions.flatMap(({ topicId, partitions }) =>
      partitions.map((partition) => partitionKey(topicId, partition)),
    );
    client.owned = new Set(keys);
    // A partition it had before goes on where it is; a new one where the group has committed.
    client.positions = new Map(
      keys.map((key) => [key, client.positions.get(key) ?? this.committed.get(key) ?? 0] as const),
    );
  }

  private reader(client: Client): Reader {
    const { instanceId, epoch, positions } = client;
    return { memberId: this.id(client), instanceId, epoch, positions };
  }

  /** Reads on in a partition it was given, and says so. */
  private read(reader: Reader | undefined): void {
    if (!reader || reader.epoch === 0 || reader.positions.size === 0) return;
    const [key, position] = [...reader.positions][this.random.below(reader.positions.size)]!;
    const next = position + this.random.below(5);
    reader.positions.set(key, next);
    const [topicId = '', partition = ''] = key.split('/');
    const committer = { memberId: reader.memberId, groupInstanceId: reader.instanceId, generationId: reader.epoch };
    const { group } = this.play;
    if (checkConsumerCommit(group, committer, commitKind).check(topicId, Number(partition)) !== ErrorCode.NONE) return;
    const before = this.committed.get(key) ?? 0;
    must(next >= before, `The offset of ${key} went back from ${before} to ${next}.`);
    this.committed.set(key, next);
  }

  private leave(client: Client): void {
    if (client.epoch === 0) return;
    const { instanceId } = client;
    const epoch = instanceId !== null && this.random.below(2) === 0 ? -2 : -1;
    this.play.heartbeat(this.id(client), epoch, { instanceId });
    this.crash(client);
  }

  /** It forgets everything; another process may go on under its name. */
  private crash(client: Client): void {
    if (client.epoch > 0) this.zombies.push(this.reader(client));
    client.epoch = 0;
    client.owned = new Set();
    client.positions = new Map();
  }

  private changeTopics(): void {
    const { image } = this.play;
    const exists = image.topic('u') !== undefined;
    if (exists && this.random.below(3) === 0) this.play.image = image.withoutTopic('u');
    else this.play.image = image.withTopics([topicImage('u', (image.topic('u')?.partitions.length ?? 0) + 1)]);
  }

  /** The broker comes back with what is in the log. */
  private restart(): void {
    const loaded = this.play.reloaded();
    if (loaded) this.play.group = loaded;
  }

  private check(): void {
    const { group } = this.play;
    const owners = new Map<string, string>();
    for (const client of this.clients) {
      const identity = { memberId: this.id(client), groupInstanceId: client.instanceId };
      for (const key of client.epoch > 0 ? client.owned : []) {
        const [topicId = '', partition = ''] = key.split('/');
        const commit = (epoch: number): number => {
          const committer = { ...identity, generationId: epoch };
          return checkConsumerCommit(group, committer, commitKind).check(topicId, Number(partition));
        };
        must(commit(client.epoch + 1000) !== ErrorCode.NONE, 'A commit of an epoch to come was let in.');
        if (commit(client.epoch) !== ErrorCode.NONE || !this.isHeldBy(key, identity.memberId)) continue;
        must(!owners.has(key), `${key} is owned by ${owners.get(key)} and ${client.name}.`);
        owners.set(key, client.name);
      }
    }
    for (const [key, memberId] of group.owners) {
      must(this.isHeldBy(key, memberId), `${key} belongs to ${memberId}, which does not have it.`);
    }
    must(new Set(group.staticMembers.values()).size === group.staticMembers.size, 'Two names for one static member.');
    this.steps += 1;
    if (this.steps % RELOAD_EVERY > 0) return;
    must(isDeepStrictEqual(storedOf(this.play.reloaded()), this.stored()), 'What is stored is another group.');
  }

  private stored(): unknown {
    return this.play.records.length === 0 ? null : storedOf(this.play.group);
  }

  private isHeldBy(key: string, memberId: string): boolean {
    const member = this.play.group.members.get(memberId);
    const [topicId = '', partition = ''] = key.split('/');
    return [member?.assigned, member?.pendingRevocation].some((owned) => owned?.get(topicId)?.has(Number(partition)));
  }
}

describe('random clients of the new protocol', () => {
  let moves = 0;
  let offsets = 0;

  afterAll(() => {
    // A crowd that never gets anywhere proves nothing.
    expect(moves).toBeGreaterThan(300);
    expect(offsets).toBeGreaterThan(300);
  });

  it.each(Array.from({ length: 12 }, (_, seed) => seed))('keep to it (seed %i)', (seed) => {
    const crowd = new Crowd(seededRandom(seed + 1));
    for (let step = 0; step < STEPS; step += 1) crowd.step();
    crowd.settle();
    const { group, image } = crowd.play;
    moves += crowd.moves;
    for (const offset of crowd.committed.values()) offsets += offset;
    if (group.members.size === 0) return;
    expect(stateOf(group)).toBe('Stable');
    const given = [...group.targets.values()].flatMap((target) =>
      [...target].flatMap(([topicId, list]) => list.map((partition) => partitionKey(topicId, partition))),
    );
    expect(new Set(given).size).toBe(given.length);
    const t = Array.from({ length: image.topic('t')?.partitions.length ?? 0 }, (_, at) => partitionKey(idOf('t'), at));
    expect(t.filter((key) => !given.includes(key))).toEqual([]);
  });
});
