/**
 * What the leader epochs are for: replicas whose logs have parted find the place from which they differ.
 *
 * Three replicas in a model of Kafka's replication (KIP-101, KIP-279): only `LeaderEpochs` is ours; a follower asks the
 * leader where its newest epoch ends, cuts, asks again until the epochs agree, and copies. No network, no files.
 */
import { type Random, seededRandom } from '../io/random.js';
import { LeaderEpochs } from './leader-epochs.js';

interface Entry {
  readonly epoch: number;
  readonly value: string;
}

class Replica {
  entries: Entry[] = [];
  epochs = new LeaderEpochs();
  highWatermark = 0;

  constructor(readonly name: string) {}

  get end(): number {
    return this.entries.length;
  }

  lead(epoch: number): void {
    this.epochs.assign(epoch, this.end);
  }

  write(epoch: number, ...values: string[]): void {
    for (const value of values) this.entries.push({ epoch, value });
  }

  /** What a broker does when it stops and starts: the high watermark is only as new as its checkpoint. */
  restart(checkpointedHighWatermark: number): void {
    this.highWatermark = Math.min(checkpointedHighWatermark, this.end);
    this.epochs = new LeaderEpochs(this.epochs.list());
  }

  cut(offset: number): void {
    this.entries.length = Math.min(offset, this.end);
    this.epochs.truncateFromEnd(this.end);
  }

  /** Becomes a follower of `leader`: cuts what the leader does not have. Returns how often it had to ask. */
  follow(leader: Replica): number {
    for (let asked = 1; ; asked++) {
      const { latest } = this.epochs;
      const answer = leader.epochs.endOffset(latest, leader.end);
      if (answer.leaderEpoch === -1) return this.nothingInCommon(asked);
      const own = this.epochs.endOffset(answer.leaderEpoch, this.end);
      this.cut(Math.min(answer.endOffset, own.leaderEpoch === -1 ? 0 : own.endOffset, this.end));
      if (answer.leaderEpoch === latest || this.epochs.latest === answer.leaderEpoch || this.end === 0) return asked;
    }
  }

  private nothingInCommon(asked: number): number {
    // Older than everything the leader knows, or an empty log.
    if (this.epochs.latest !== -1) this.cut(0);
    return asked;
  }

  /** Copies up to `count` entries, and the epochs with them. */
  fetch(leader: Replica, count = Infinity): void {
    for (const entry of leader.entries.slice(this.end, this.end + count)) {
      this.epochs.assign(entry.epoch, this.end);
      this.entries.push(entry);
    }
    this.highWatermark = Math.min(leader.highWatermark, this.end);
  }

  values(): string[] {
    return this.entries.map(({ value }) => value);
  }
}

describe('leader epochs: the scenarios of KIP-101', () => {
  it('loses nothing when a follower restarts before it knows the high watermark, and then leads', () => {
    const [a, b] = [new Replica('a'), new Replica('b')];
    b.lead(0);
    b.write(0, 'm1', 'm2');
    a.fetch(b);
    // Both have m2 and it was acknowledged; `a` had only heard that m1 was safe when it stopped.
    a.restart(1);
    a.follow(b);
    expect(a.values()).toEqual(['m1', 'm2']);
    // Before it fetches again, `b` dies and `a` leads.
    a.lead(1);
    b.restart(2);
    b.follow(a);
    expect(b.values()).toEqual(['m1', 'm2']);
  });

  it('brings logs together that parted when both lost their memory', () => {
    const [a, b] = [new Replica('a'), new Replica('b')];
    a.lead(0);
    a.write(0, 'm1', 'm2');
    b.fetch(a, 1);
    // Power fails for both: `b`, which never had m2, leads first and writes something else in its place.
    b.lead(1);
    b.write(1, 'm3');
    a.restart(1);
    a.follow(b);
    a.fetch(b);
    expect(a.values()).toEqual(['m1', 'm3']);
    expect(a.epochs.list()).toEqual(b.epochs.list());
  });
});

describe('leader epochs: the scenarios of KIP-279', () => {
  it('cuts at the right place after two quick elections without a write in between', () => {
    const [a, b] = [new Replica('a'), new Replica('b')];
    a.lead(0);
    a.write(0, 'm1', 'm2');
    b.fetch(a, 1);
    // `b` leads without writing, then `a` again, which writes; `b` follows with an epoch that `a` never had.
    b.lead(1);
    a.lead(2);
    a.write(2, 'm3');
    b.follow(a);
    b.fetch(a);
    expect(b.values()).toEqual(['m1', 'm2', 'm3']);
    expect(b.epochs.list()).toEqual([
      { epoch: 0, startOffset: 0 },
      { epoch: 2, startOffset: 2 },
    ]);
  });

  it('asks again until the epochs agree when logs parted more than once', () => {
    const [a, b] = [new Replica('a'), new Replica('b')];
    for (const replica of [a, b]) {
      replica.lead(1);
      replica.write(1, 'x', 'y');
    }
    // Unclean elections: each led while the other was away.
    a.lead(3);
    a.write(3, 'a1', 'a2');
    b.lead(2);
    b.write(2, 'b1');
    b.lead(4);
    b.write(4, 'b2', 'b3');
    a.lead(5);
    a.write(5, 'a3');
    expect(b.follow(a)).toBeGreaterThan(1);
    b.fetch(a);
    expect(b.values()).toEqual(a.values());
    expect(b.epochs.list()).toEqual(a.epochs.list());
  });
});

describe('leader epochs: random leaders on three logs', () => {
  /** The replica that may lead: of those in sync, as every election but an unclean one picks it. */
  function elect(random: Random, inSync: readonly Replica[]): Replica {
    return inSync[random.below(inSync.length)] as Replica;
  }

  it.each(Array.from({ length: 30 }, (_, index) => index + 1))(
    'keeps what all in-sync replicas had, and makes the logs equal (seed %d)',
    (seed) => {
      const random = seededRandom(seed);
      const replicas = ['a', 'b', 'c'].map((name) => new Replica(name));
      let inSync = [...replicas];
      let leader = elect(random, inSync);
      let epoch = 0;
      const acknowledged: string[] = [];
      leader.lead(epoch);
      for (let step = 0; step < 200; step++) {
        const other = replicas[random.below(3)] as Replica;
        const dice = random.below(10);
        if (dice < 4) leader.write(epoch, ...Array.from({ length: 1 + random.below(3) }, (_, at) => `${step}.${at}`));
        else if (dice < 7 && other !== leader) {
          other.follow(leader);
          other.fetch(leader, 1 + random.below(4));
          if (other.end === leader.end && !inSync.includes(other)) inSync.push(other);
        } else if (dice === 7 && other !== leader && inSync.length > 1) {
          inSync = inSync.filter((replica) => replica !== other);
        } else if (dice === 8) {
          other.restart(random.below(other.highWatermark + 1));
        } else if (dice === 9) {
          leader = elect(random, inSync);
          leader.lead(++epoch);
        }
        // What every replica in the set has is acknowledged.
        const safe = Math.min(...inSync.map((replica) => replica.end));
        if (inSync.every((replica) => replica === leader || isPrefix(replica, leader, safe))) {
          leader.highWatermark = Math.max(leader.highWatermark, safe);
          for (const { value } of leader.entries.slice(acknowledged.length, safe)) acknowledged.push(value);
        }
        expect(leader.values().slice(0, acknowledged.length)).toEqual(acknowledged);
      }
      for (const replica of replicas.filter((candidate) => candidate !== leader)) {
        replica.follow(leader);
        replica.fetch(leader);
        expect(replica.values()).toEqual(leader.values());
        const known = replica.epochs.list();
        expect(leader.epochs.list().slice(0, known.length)).toEqual(known);
      }
      expect(acknowledged.length).toBeGreaterThan(20);
    },
  );

  function isPrefix(replica: Replica, leader: Replica, length: number): boolean {
    return replica.entries.slice(0, length).every((entry, offset) => entry === leader.entries[offset]);
  }
});
