/**
 * Which protocol a group works with: what all members support, and which of it most of them prefer.
 *
 * Guarantees Kafka's rules: a member that shares no protocol with all others cannot join; each member votes for the first
 * protocol in its list that all support. Source: Kafka, `ClassicGroup`.
 */
import { decodeSubscription, ProtocolError } from '@kafka-template/protocol';
import { CONSUMER_PROTOCOL_TYPE, type Group, type Member, type MemberProtocol } from './group.js';

/** Protocols that every one of the members supports. */
function commonProtocols(members: Iterable<Member>): Set<string> {
  let common: Set<string> | null = null;
  for (const { protocols } of members) {
    const names = new Set<string>();
    for (const { name } of protocols) if (common === null || common.has(name)) names.add(name);
    common = names;
  }
  return common ?? new Set();
}

/** True when somebody with these protocols could join the group as it is. */
export function supportsProtocols(group: Group, protocolType: string, protocols: readonly MemberProtocol[]): boolean {
  if (group.members.size === 0) return protocolType !== '' && protocols.length > 0;
  if (group.protocolType !== protocolType) return false;
  const common = commonProtocols(group.members.values());
  return protocols.some(({ name }) => common.has(name));
}

/** The protocol of the next generation: most votes, the first one voted for when votes are equal; null without members. */
export function chooseProtocol(group: Group): string | null {
  const common = commonProtocols(group.members.values());
  const votes = new Map<string, number>();
  for (const { protocols } of group.members.values()) {
    const vote = protocols.find(({ name }) => common.has(name));
    if (vote) votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1);
  }
  let chosen: string | null = null;
  for (const [name, count] of votes) if (chosen === null || count > (votes.get(chosen) ?? 0)) chosen = name;
  return chosen;
}

/** What a member says about a protocol; empty when it does not know it. */
export function metadataFor(member: Member, protocolName: string | null): Buffer {
  return member.protocols.find(({ name }) => name === protocolName)?.metadata ?? Buffer.alloc(0);
}

/** True when a member asks to join with exactly what it asked for before. */
export function sameProtocols(left: readonly MemberProtocol[], right: readonly MemberProtocol[]): boolean {
  if (left.length !== right.length) return false;
  return left.every((protocol, index) => {
    const other = right[index];
    return other !== undefined && other.name === protocol.name && other.metadata.equals(protocol.metadata);
  });
}

/** Topics all members together subscribe to; null when it is no consumer group or a subscription cannot be read. */
export function subscribedTopics(group: Group): ReadonlySet<string> | null {
  if (group.protocolType !== CONSUMER_PROTOCOL_TYPE || group.protocolName === null) return null;
  const topics = new Set<string>();
  for (const member of group.members.values()) {
    try {
      for (const topic of decodeSubscription(metadataFor(member, group.protocolName)).topics) topics.add(topic);
    } catch (error) {
      // Anybody may call its protocol "consumer"; then nothing is known about its topics.
      if (error instanceof ProtocolError) return null;
      throw error;
    }
  }
  return topics;
}
