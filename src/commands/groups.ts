/**
 * `kt groups`: list groups, and show how far one has read. Thin: what happens is the admin client's business.
 */
import type { Admin, GroupDescription } from '@kafka-template/client';
import type { CommandIo } from '../command-io.js';
import { withAdmin, type RowFlags } from '../connection.js';
import { CommandError } from '../exit-code.js';
import { counted, printRows } from '../output.js';

/** Prints all groups. */
export function listGroups(io: CommandIo, flags: RowFlags): Promise<void> {
  return withAdmin(flags, async (admin) => {
    const groups = await admin.listGroups();
    const rows = groups.map(({ groupId, state, protocolType, type }) => ({
      group: groupId,
      state,
      protocol: protocolType,
      type,
    }));
    printRows(io, rows, flags.output);
  });
}

/** Prints each partition the group has read or is reading: committed offset, end, lag, and who owns it. */
export function describeGroup(io: CommandIo, groupId: string, flags: RowFlags): Promise<void> {
  return withAdmin(flags, async (admin) => {
    const [group] = await admin.describeGroups([groupId]);
    const isUnknown = group!.error?.code === 'GROUP_ID_NOT_FOUND';
    if (group!.error !== null && !isUnknown) throw new CommandError(group!.error.message);
    const rows = await partitionRows(admin, group!);
    if ((isUnknown || group!.state === 'Dead') && rows.length === 0) {
      throw new CommandError(`There is no group '${groupId}'. \`kt groups ls\` shows those there are.`);
    }
    io.stderr.write(`group ${groupId}: ${group!.state}, ${counted(group!.members.length, 'member')}\n`);
    printRows(io, rows, flags.output);
  });
}

async function partitionRows(admin: Admin, { groupId, members }: GroupDescription) {
  const { OffsetSpec } = await import('@kafka-template/client');
  const committed = await admin.listConsumerGroupOffsets(groupId);
  const owners = new Map<string, string>();
  const places = new Map<string, { topic: string; partition: number }>();
  for (const { memberId, assignment } of members) {
    for (const place of assignment) {
      owners.set(keyOf(place), memberId);
      places.set(keyOf(place), place);
    }
  }
  for (const { topic, partition } of committed) places.set(keyOf({ topic, partition }), { topic, partition });
  const wanted = [...places.values()].sort(
    (left, right) => left.topic.localeCompare(right.topic) || left.partition - right.partition,
  );
  const ends = await admin.listOffsets(wanted.map((place) => ({ ...place, timestamp: OffsetSpec.LATEST })));
  const offsets = new Map(committed.map((entry) => [keyOf(entry), entry.offset]));
  return wanted.map((place, index) => {
    const offset = offsets.get(keyOf(place)) ?? null;
    const end = ends[index]!.offset;
    return {
      ...place,
      offset,
      end,
      lag: offset === null ? null : end - offset,
      member: owners.get(keyOf(place)) ?? null,
    };
  });
}

function keyOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}-${partition}`;
}
