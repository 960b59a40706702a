/**
 * A group of the new protocol without a coordinator, for specs: time that is moved by hand, topics that come and go, and
 * everything that would be stored.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ConsumerGroupHeartbeatRequest } from '@kafka-template/protocol';
import { ClusterSnapshot, type TopicImage } from '../../cluster/image.js';
import type { TopicConfig } from '../../log/log-config.js';
import { ConsumerGroupLoad } from '../runtime/consumer-groups.js';
import type { TopicPartitions } from './assignment.js';
import {
  newConsumerGroup,
  nextConsumerDeadlineMs,
  type ConsumerGroup,
  type ConsumerGroupRules,
  type World,
} from './consumer-group.js';
import { decideRemovals, decideRequest, decideTick, type ConsumerGroupDecision } from './decide.js';
import { decodeConsumerGroupRecord, encodeConsumerGroupRecord, type ConsumerGroupRecord } from './records.js';
import { heartbeatFailure, Refusal, type HeartbeatAnswer } from './replies.js';
import { checkRequest } from './request.js';

/** What a heartbeat may say; everything has a default. */
export type Wish = Partial<ConsumerGroupHeartbeatRequest>;

const NOTHING: ConsumerGroupHeartbeatRequest = {
  groupId: 'g',
  memberId: '',
  memberEpoch: 0,
  instanceId: null,
  rackId: null,
  rebalanceTimeoutMs: -1,
  subscribedTopicNames: null,
  subscribedTopicRegex: null,
  serverAssignor: null,
  topicPartitions: null,
};

/** The id of a topic, made of its name so that specs can be read. */
export function idOf(name: string): string {
  return `${name.padEnd(21, '-')}A`;
}

/** The topic of an id. */
export function nameOf(topicId: string): string {
  return topicId.replace(/-*A$/, '');
}

/** A topic of a cluster. */
export function topicImage(name: string, partitions: number): TopicImage {
  const states = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    leader: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
    replicas: [0],
    isr: [0],
  }));
  return { name, id: idOf(name), internal: false, partitions: states, config: {} as TopicConfig, overrides: {} };
}

/** Rows of a message from `{ topic name: partitions }`. */
export function rows(partitions: Readonly<Record<string, readonly number[]>>): TopicPartitions[] {
  return Object.entries(partitions).map(([name, list]) => ({ topicId: idOf(name), partitions: [...list] }));
}

/** What is stored of a group, for comparisons. */
export function storedOf(group: ConsumerGroup | null): unknown {
  if (!group) return null;
  const members = [...group.members.values()].map((member) => ({
    ...member,
    sessionDeadlineMs: 0,
    revocationDeadlineMs: 0,
  }));
  return { ...group, checkedTopics: null, members: new Map(members.map((member) => [member.id, member])) };
}

/** See the file comment. */
export class ConsumerPlay {
  group: ConsumerGroup = newConsumerGroup('g');
  image = ClusterSnapshot.empty('c').withTopics([topicImage('t', 3)]);
  readonly rules: ConsumerGroupRules;
  readonly records: ConsumerGroupRecord[] = [];
  /** What the last request or tick stored, type by type. */
  lastTypes: string[] = [];
  private elapsedMs = 0;
  private isStored = false;

  constructor(rules: Partial<ConsumerGroupRules> = {}) {
    const defaults = { sessionTimeoutMs: 45_000, heartbeatIntervalMs: 5000, assignmentIntervalMs: 0, membersMax: 100 };
    this.rules = { ...defaults, assignors: ['uniform', 'range'], ...rules };
  }

  get world(): World {
    const now = { epochMs: 1_700_000_000_000 + this.elapsedMs, monotonicMs: this.elapsedMs };
    return { now, rules: this.rules, topics: this.image };
  }

  heartbeat(memberId: string, memberEpoch: number, wish: Wish = {}, apiVersion = 1): HeartbeatAnswer {
    const request = { ...NOTHING, memberId, memberEpoch, ...wish };
    try {
      checkRequest(request, apiVersion, this.rules);
    } catch (error) {
      if (error instanceof Refusal) return heartbeatFailure(error.errorCode, error.message);
      throw error;
    }
    const command = { request, memberId, clientId: 'client', clientHost: '/127.0.0.1', isNewGroup: !this.isStored };
    return this.follow(() => decideRequest(this.group, command, this.world));
  }

  join(memberId: string, wish: Wish = {}): HeartbeatAnswer {
    const first = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['t'], topicPartitions: [] };
    return this.heartbeat(memberId, 0, { ...first, ...wish });
  }

  remove(...members: { memberId: string; groupInstanceId: string | null }[]): number[] {
    return this.follow(() => decideRemovals(this.group, members, this.world));
  }

  /** Moves time on, with a tick at every deadline on the way; returns who was dropped. */
  pass(ms: number): string[] {
    const endMs = this.elapsedMs + ms;
    const dropped: string[] = [];
    for (let next = nextConsumerDeadlineMs(this.group); next <= endMs; next = nextConsumerDeadlineMs(this.group)) {
      this.elapsedMs = Math.max(this.elapsedMs, next);
      dropped.push(...this.follow(() => decideTick(this.group, this.world)));
    }
    this.elapsedMs = endMs;
    return dropped;
  }

  /** The group as it would come back from the bytes in the log; null when nothing of it is stored. */
  reloaded(records: readonly ConsumerGroupRecord[] = this.records): ConsumerGroup | null {
    const load = new ConsumerGroupLoad(this.world.now, () => this.rules);
    for (const record of records) {
      const { key, value } = encodeConsumerGroupRecord(record);
      const decoded = decodeConsumerGroupRecord(key.readInt16BE(0), key, value);
      if (decoded) load.apply(decoded);
    }
    return load.groups.get('g') ?? null;
  }

  private follow<A>(decide: () => ConsumerGroupDecision<A>): A {
    const before = this.group;
    const copy = structuredClone({ ...before, checkedTopics: null });
    const decision = decide();
    if (!isDeepStrictEqual(structuredClone({ ...before, checkedTopics: null }), copy)) {
      throw new Error('A decision changed its group.');
    }
    this.group = decision.group;
    this.records.push(...decision.records);
    this.lastTypes = decision.records.map(({ type }) => type);
    this.isStored ||= decision.records.length > 0;
    const member = decision.alive === null ? undefined : this.group.members.get(decision.alive);
    if (member) member.sessionDeadlineMs = this.elapsedMs + this.rules.sessionTimeoutMs;
    return decision.answer;
  }
}
