import { isDeepStrictEqual } from 'node:util';
import { ErrorCode } from '@kafka-template/protocol';
import { seededRandom, type Random } from '../../io/random.js';
import { checkCommit } from './commit.js';
import { GroupPlay } from './group-play.fixture.js';
import { metadataFor } from './protocols.js';

/**
 * Random clients in one group, by a seed, on a broker that restarts now and then. What must hold, whatever they do:
 * no partition has two owners in one generation; a commit of a generation that is over is refused; committed offsets never
 * go back, although clients that are taken for dead go on committing; every request is answered in the end; what is
 * stored is the group that was decided.
 */
const PARTITIONS = 6;
const STEPS = 400;

function must(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(sentence);
}

/** Somebody who reads and commits. */
interface Reader {
  memberId: string;
  generationId: number;
  readonly instanceId: string | null;
  /** Partition to the next offset it reads. */
  positions: Map<string, number>;
}

interface Client extends Reader {
  readonly instanceId: string | null;
  joinToken: number;
  syncToken: number;
  leads: string[] | null;
  readonly apiVersion: number;
}

class Crowd {
  readonly play: GroupPlay;
  readonly clients: Client[];
  /** Generation to partition to the member that was told it owns it. */
  readonly owners = new Map<number, Map<string, string>>();
  /** Partition to what the group has committed. */
  readonly committed = new Map<string, number>();
  sent: number[] = [];
  /** Processes that everybody takes for dead, and that go on. */
  private readonly zombies: Reader[] = [];

  constructor(private readonly random: Random) {
    this.play = new GroupPlay({ initialRebalanceDelayMs: random.below(2) * 1000, membersMax: 4 });
    this.clients = Array.from({ length: 6 }, (_, index) => ({
      instanceId: index < 2 ? `static-${index}` : null,
      memberId: '',
      generationId: -1,
      joinToken: 0,
      syncToken: 0,
      leads: null,
      positions: new Map<string, number>(),
      apiVersion: 3 + random.below(7),
    }));
  }

  step(): void {
    const client = this.clients[this.random.below(this.clients.length)]!;
    const dice = this.random.below(100);
    if (dice < 65) this.goOn(client);
    else if (dice < 80) this.beat(client);
    else if (dice < 82) this.leave(client);
    else if (dice < 84) this.crash(client);
    else if (dice < 86) this.join(client);
    else if (dice < 87) this.restart();
    else this.pass(dice < 98 ? 3000 : 12_000);
    this.hear();
    this.read(this.clients[this.random.below(this.clients.length)]);
    this.read(this.zombies[this.random.below(this.zombies.length)]);
    this.check();
  }

  /** Lets everybody be silent until nothing is left to happen. */
  end(): void {
    for (let round = 0; round < 20; round += 1) this.play.pass(200_000);
    this.hear();
  }

  /** Those that are well beat in time; now and then one is too busy. */
  private pass(limitMs: number): void {
    for (const client of this.clients) if (this.random.below(10) > 0) this.beat(client);
    this.play.pass(this.random.below(limitMs));
  }

  private goOn(client: Client): void {
    if (client.joinToken !== 0 || client.syncToken !== 0) return;
    if (client.generationId === -1) this.join(client);
    else this.sync(client);
  }

  private join(client: Client): void {
    client.generationId = -1;
    client.positions = new Map();
    client.joinToken = this.play.join({
      memberId: client.memberId,
      instanceId: client.apiVersion >= 5 ? client.instanceId : null,
      apiVersion: client.apiVersion,
      protocols: this.random.below(3) === 0 ? ['sticky', 'range'] : ['range'],
      topics: [`t${this.random.below(2)}`],
      rebalanceTimeoutMs: 15_000,
    });
    this.sent.push(client.joinToken);
  }

  private sync(client: Client): void {
    const assignments: Record<string, string> = {};
    client.leads?.forEach((memberId, index, members) => {
      const own = Array.from({ length: PARTITIONS }, (_, partition) => partition);
      assignments[memberId] = own.filter((partition) => partition % members.length === index).join(',');
    });
    const { generationId } = client;
    const instanceId = client.apiVersion >= 5 && client.instanceId !== null ? { instanceId: client.instanceId } : {};
    client.syncToken = this.play.sync(client.memberId, { generationId, assignments, ...instanceId });
    this.sent.push(client.syncToken);
  }

  private beat(client: Client): void {
    if (client.joinToken !== 0 || client.syncToken !== 0 || client.memberId === '') return;
    const errorCode = this.play.heartbeat(client.memberId, client.generationId);
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID) client.memberId = '';
    if (errorCode !== ErrorCode.NONE) client.generationId = -1;
  }

  private leave(client: Client): void {
    this.play.leave({ memberId: client.memberId });
    this.crash(client);
  }

  /** Reads on in a partition it was given, and says so. */
  private read(reader: Reader | undefined): void {
    if (!reader || reader.generationId === -1 || reader.positions.size === 0) return;
    const [place, position] = [...reader.positions][this.random.below(reader.positions.size)]!;
    const next = position + this.random.below(5);
    reader.positions.set(place, next);
    const instanceId = reader.instanceId === null ? {} : { instanceId: reader.instanceId };
    const errorCode = this.play.commit(reader.memberId, { generationId: reader.generationId, ...instanceId });
    if (errorCode !== ErrorCode.NONE) return;
    const before = this.committed.get(place) ?? 0;
    must(next >= before, `The offset of partition ${place} went back from ${before} to ${next}.`);
    this.committed.set(place, next);
  }

  /** Who waits for an answer of the broker hears of its end, and asks again. */
  private restart(): void {
    for (const client of this.clients) {
      if (client.joinToken === 0 && client.syncToken === 0) continue;
      this.sent = this.sent.filter((token) => token !== client.joinToken && token !== client.syncToken);
      Object.assign(client, { joinToken: 0, syncToken: 0, generationId: -1 });
    }
    this.sent = this.sent.filter((token) => this.play.replies.has(token));
    this.play.restart();
  }

  private crash(client: Client): void {
    const { memberId, generationId, instanceId, positions } = client;
    if (generationId !== -1) this.zombies.push({ memberId, generationId, instanceId, positions });
    client.positions = new Map();
    Object.assign(client, { memberId: '', generationId: -1, joinToken: 0, syncToken: 0, leads: null });
  }

  private hear(): void {
    for (const client of this.clients) {
      const joined = this.play.joinAnswer(client.joinToken);
      if (joined) this.hearJoin(client, joined);
      const synced = this.play.syncAnswer(client.syncToken);
      if (!synced) continue;
      client.syncToken = 0;
      if (synced.errorCode === ErrorCode.NONE) this.own(client, synced.assignment.toString());
      else client.generationId = -1;
    }
  }

  private hearJoin(client: Client, answer: NonNullable<ReturnType<GroupPlay['joinAnswer']>>): void {
    client.joinToken = 0;
    if (answer.errorCode === ErrorCode.NONE || answer.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      client.memberId = answer.memberId;
    } else client.memberId = '';
    client.generationId = answer.errorCode === ErrorCode.NONE ? (answer.generationId ?? -1) : -1;
    const leads = answer.leader === answer.memberId && answer.skipAssignment !== true;
    client.leads = leads ? answer.members.map(({ memberId }) => memberId) : null;
  }

  private own(client: Client, assignment: string): void {
    // An instance that was replaced hands its partitions to the one that replaced it: they are one owner.
    const owner = client.instanceId ?? client.memberId;
    const owned = this.owners.get(client.generationId) ?? new Map<string, string>();
    this.owners.set(client.generationId, owned);
    client.positions = new Map();
    for (const partition of assignment.split(',').filter((text) => text !== '')) {
      client.positions.set(partition, this.committed.get(partition) ?? 0);
      must((owned.get(partition) ?? owner) === owner, `Partition ${partition} has two owners in one generation.`);
      owned.set(partition, owner);
    }
  }

  private check(): void {
    const { group } = this.play;
    const { generationId } = group;
    const now = group.state === 'CompletingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
    for (const { id } of group.members.values()) {
      const commit = (generation: number): number =>
        checkCommit(group, { memberId: id, groupInstanceId: null, generationId: generation }, false);
      must(commit(generationId - 1) !== ErrorCode.NONE, 'A commit of an old generation was let in.');
      must(
        commit(generationId) === now,
        `A commit of the present generation was answered with ${commit(generationId)}.`,
      );
    }
    const free = group.state === 'Empty' ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID;
    const stranger = { memberId: '', groupInstanceId: null, generationId: -1 };
    must(checkCommit(group, stranger, false) === free, 'A stranger was let in, or kept out of an empty group.');
    must(new Set(group.staticMembers.values()).size === group.staticMembers.size, 'Two names for one static member.');
    must(group.members.size === 0 || group.members.has(group.leaderId ?? ''), 'The leader is no member.');
    if (group.state === 'Stable' || group.state === 'Empty') this.checkStored();
  }

  private checkStored(): void {
    const { group } = this.play;
    const stored = this.play.reloaded();
    if (!stored || stored.generationId !== group.generationId) return;
    must(stored.state === group.state, 'The stored state is another.');
    must([...stored.members.keys()].join() === [...group.members.keys()].join(), 'The stored members are others.');
    must(isDeepStrictEqual(stored.staticMembers, group.staticMembers), 'The stored static members are others.');
    for (const [id, member] of group.members) {
      const other = stored.members.get(id);
      const subscription = metadataFor(member, group.protocolName);
      must(other?.assignment.equals(member.assignment) === true, 'A stored assignment is another.');
      must(other?.protocols[0]?.metadata.equals(subscription) === true, 'A stored subscription is another.');
    }
  }
}

describe('a group of random clients', () => {
  let generations = 0;
  let offsets = 0;

  afterAll(() => {
    // A crowd that never gets anywhere proves nothing.
    expect(generations).toBeGreaterThan(50);
    expect(offsets).toBeGreaterThan(1000);
  });

  it.each(Array.from({ length: 30 }, (_, seed) => seed))('keeps its promises (seed %i)', (seed) => {
    const crowd = new Crowd(seededRandom(seed + 1));
    for (let step = 0; step < STEPS; step += 1) crowd.step();
    generations += crowd.owners.size;
    for (const offset of crowd.committed.values()) offsets += offset;
    crowd.end();
    expect(crowd.play.group).toMatchObject({ state: 'Empty', members: new Map() });
    expect(crowd.sent.filter((token) => !crowd.play.replies.has(token))).toEqual([]);
  });
});
