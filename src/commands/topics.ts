/**
 * `kt topics`: list, create, describe and remove topics. Thin: what happens is the admin client's business.
 */
import type { Admin, ItemOutcome } from '@kafka-template/client';
import type { CommandIo } from '../command-io.js';
import { withAdmin, type RowFlags } from '../connection.js';
import { CommandError, ExitCode } from '../exit-code.js';
import { printRows } from '../output.js';

/** Flags of `kt topics create`. */
export interface CreateTopicFlags extends RowFlags {
  readonly partitions?: number;
  readonly replicas?: number;
  readonly config: readonly string[];
}

/** Prints all topics; internal ones only when asked for. */
export function listTopics(io: CommandIo, flags: RowFlags & { readonly internal?: boolean }): Promise<void> {
  return withAdmin(flags, async (admin) => {
    const listed = await admin.listTopics({ listInternal: flags.internal === true });
    const described = await admin.describeTopics(listed.map(({ name }) => name));
    const rows = described.map(({ name, partitions, topicId }) => ({
      name,
      partitions: partitions.length,
      replicas: partitions[0]?.replicas.length ?? 0,
      id: topicId,
    }));
    printRows(io, rows, flags.output);
  });
}

/** Creates one topic and prints what came out. */
export function createTopic(io: CommandIo, name: string, flags: CreateTopicFlags): Promise<void> {
  return withAdmin(flags, async (admin) => {
    const outcomes = await admin.createTopics([
      {
        name,
        numPartitions: flags.partitions,
        replicationFactor: flags.replicas,
        configs: Object.fromEntries(flags.config.map(split)),
      },
    ]);
    failOnError(outcomes);
    const rows = outcomes.map(({ numPartitions, replicationFactor, topicId }) => ({
      name,
      partitions: numPartitions,
      replicas: replicationFactor,
      id: topicId,
    }));
    printRows(io, rows, flags.output);
  });
}

/** Prints the partitions of a topic, with the first and the next offset of each. */
export function describeTopic(io: CommandIo, name: string, flags: RowFlags): Promise<void> {
  return withAdmin(flags, async (admin) => {
    const [topic] = await admin.describeTopics([name]);
    failOnError([topic!]);
    const places = topic!.partitions.map(({ partition }) => ({ topic: name, partition }));
    const starts = await offsets(admin, places, 'earliest');
    const ends = await offsets(admin, places, 'latest');
    const rows = topic!.partitions.map(({ partition, leader, replicas, inSyncReplicas }, index) => ({
      partition,
      leader,
      replicas,
      isr: inSyncReplicas,
      start: starts[index],
      end: ends[index],
    }));
    printRows(io, rows, flags.output);
  });
}

/** Removes topics with everything in them. */
export function removeTopics(names: readonly string[], flags: RowFlags): Promise<void> {
  return withAdmin(flags, async (admin) => failOnError(await admin.deleteTopics(names)));
}

async function offsets(
  admin: Admin,
  places: readonly { topic: string; partition: number }[],
  spec: 'earliest' | 'latest',
): Promise<number[]> {
  const { OffsetSpec } = await import('@kafka-template/client');
  const timestamp = spec === 'earliest' ? OffsetSpec.EARLIEST : OffsetSpec.LATEST;
  const listed = await admin.listOffsets(places.map((place) => ({ ...place, timestamp })));
  return listed.map(({ offset }) => offset);
}

function split(config: string): [name: string, value: string] {
  const at = config.indexOf('=');
  if (at < 1) throw new CommandError(`--config takes name=value, not '${config}'.`, ExitCode.USAGE);
  return [config.slice(0, at), config.slice(at + 1)];
}

/** One failed item makes the command fail; the sentences are the client's. */
function failOnError(outcomes: readonly ItemOutcome[]): void {
  const failures = outcomes.flatMap(({ error }) => (error === null ? [] : [error.message]));
  if (failures.length > 0) throw new CommandError(failures.join('\nkt: '));
}
