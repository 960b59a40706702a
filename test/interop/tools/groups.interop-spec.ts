/**
 * Kafka's tools for groups, on a group without members and on one that has a consumer.
 */
import { startTarget, type Target } from '../support/target.js';
import { lines, rows, toolsFor, type Tools } from './kafka-tool.js';

let target: Target;
let tools: Tools;

beforeAll(async () => {
  target = await startTarget();
  tools = toolsFor(target.bootstrapServers);
  await tools.succeed('kafka-topics', '--create --topic steps --partitions 2');
  // Small batches, because the client stays at a partition for a batch: both get records.
  const records = '--topic steps --num-records 1000 --record-size 10 --throughput -1';
  await tools.succeed('kafka-producer-perf-test', `batch.size=200 ${records}`);
});
afterAll(async () => {
  await target?.stop();
});

const groups = (parameters: string): Promise<string> => tools.succeed('kafka-consumer-groups', parameters);

describe('kafka-consumer-groups', () => {
  it('lists, describes, resets and deletes a group that nobody is in', async () => {
    await tools.succeed('kafka-console-consumer', '--topic steps --group walkers --from-beginning --max-messages 1000');
    expect(rows(await groups('--list --state'))).toContainEqual(['walkers', 'Empty']);
    expect(lines(await groups('--list'))).toContain('walkers');

    const state = rows(await groups('--describe --group walkers --state'));
    expect(state[0]?.[0]).toBe('walkers');
    expect(state[0]).toContain('Empty');
    const offsets = rows(await groups('--describe --group walkers'));
    expect(offsets.map((row) => row[0])).toEqual(['walkers', 'walkers']);
    const lags = offsets.map((row) => Number(row[5]));
    expect(lags).toEqual([0, 0]);

    const reset = rows(await groups('--reset-offsets --to-earliest --topic steps --group walkers --execute'));
    expect(reset.map(([, , partition, offset]) => [partition, offset]).sort()).toEqual([
      ['0', '0'],
      ['1', '0'],
    ]);
    const ends = lines(
      await groups('--reset-offsets --to-latest --topic steps --group walkers --dry-run --export'),
    ).map((line) => Number(line.split(',')[2]));
    expect(ends.reduce((sum, end) => sum + end, 0)).toBe(1000);
    const hour = rows(await groups('--reset-offsets --by-duration PT1H --topic steps:0 --group walkers --execute'));
    expect(hour).toEqual([['walkers', 'steps', '0', '0']]);
    expect(await groups('--delete-offsets --topic steps:1 --group walkers')).toMatch(/steps +1 +Successful/);

    expect(await groups('--delete --group walkers')).toContain(
      "Deletion of requested consumer groups ('walkers') was successful.",
    );
    expect(lines(await groups('--list'))).not.toContain('walkers');
    // The tool says so and yet ends with 0, on Apache Kafka too.
    expect(await groups('--describe --group walkers')).toContain('Group walkers not found.');
  });

  it('describes the members of a group in use, and does not delete it', async () => {
    const reader = toolsFor(target.bootstrapServers).succeed('kafka-console-consumer', [
      ...['--topic', 'steps', '--group', 'busy', '--from-beginning', '--timeout-ms', '12000'],
    ]);
    reader.catch(() => undefined);
    for (const deadline = Date.now() + 60_000; ;) {
      const members = await tools.succeed('kafka-consumer-groups', '--list --state').then(rows);
      if (members.some(([group, state]) => group === 'busy' && state === 'Stable')) break;
      if (Date.now() > deadline) throw new Error(`The group did not become stable: ${String(members)}`);
    }
    const [member] = rows(await groups('--describe --group busy --members --verbose'));
    expect(member?.[0]).toBe('busy');
    expect(member?.[1]).toMatch(/^console-consumer-/);
    expect(member?.join(' ')).toContain('steps:0,1');
    expect(await groups('--delete --group busy')).toContain('GroupNotEmptyException');
    expect(await tools.succeed('kafka-groups', '--list')).toMatch(/busy +Classic +consumer/);
    await reader;
  });
});
