/**
 * Kafka's tools for topics, configs and the cluster.
 */
import { startTarget, type Target } from '../support/target.js';
import { brokerIdOf, lines, rows, toolsFor, type Tools } from './kafka-tool.js';

let target: Target;
let tools: Tools;
let brokerId: string;

beforeAll(async () => {
  target = await startTarget();
  tools = toolsFor(target.bootstrapServers);
  brokerId = await brokerIdOf(tools);
});
afterAll(async () => {
  await target?.stop();
});

describe('kafka-topics', () => {
  it('creates, lists, describes, grows and deletes a topic', async () => {
    const create = '--create --topic life --partitions 2 --replication-factor 1 --config retention.ms=100000';
    expect(await tools.succeed('kafka-topics', create)).toContain('Created topic life.');
    expect(lines(await tools.succeed('kafka-topics', '--list'))).toContain('life');

    await tools.succeed('kafka-topics', '--alter --topic life --partitions 3');
    const [head = '', ...partitions] = lines(await tools.succeed('kafka-topics', '--describe --topic life'));
    expect(head).toMatch(/^Topic: life\tTopicId: [\w-]{22}\tPartitionCount: 3\tReplicationFactor: 1\tConfigs: /);
    expect(head).toContain('retention.ms=100000');
    const place = `Leader: ${brokerId}\tReplicas: ${brokerId}\tIsr: ${brokerId}`;
    expect(partitions.map((line) => line.trim())).toEqual(
      [0, 1, 2].map((partition) => expect.stringContaining(`Partition: ${partition}\t${place}`) as string),
    );
    expect(await tools.succeed('kafka-topics', '--describe --topics-with-overrides')).toContain('Topic: life');
    expect(await tools.succeed('kafka-topics', '--describe --under-replicated-partitions')).toBe('');

    await tools.succeed('kafka-topics', '--delete --topic life');
    expect(lines(await tools.succeed('kafka-topics', '--list'))).not.toContain('life');
  });

  it('is told what cannot be', async () => {
    await tools.succeed('kafka-topics', '--create --topic there');
    await tools.succeed('kafka-topics', '--create --if-not-exists --topic there');
    expect(await tools.fail('kafka-topics', '--create --topic there')).toContain("Topic 'there' already exists.");
    expect(await tools.fail('kafka-topics', '--create --topic copies --replication-factor 3')).toContain(
      'InvalidReplicationFactorException',
    );
    expect(await tools.fail('kafka-topics', '--alter --topic there --partitions 1')).toContain(
      'InvalidPartitionsException',
    );
    expect(await tools.fail('kafka-topics', ['--create', '--topic', 'not a name'])).toContain('Topic name');
    expect(await tools.fail('kafka-topics', '--delete --topic nowhere')).toContain("'nowhere' does not exist");
  });
});

describe('kafka-configs', () => {
  it('adds, deletes and shows the configs of a topic', async () => {
    await tools.succeed('kafka-topics', '--create --topic tuned --config retention.ms=100000');
    const topic = '--entity-type topics --entity-name tuned';
    const change = '--add-config cleanup.policy=[compact,delete],segment.bytes=1048576 --delete-config retention.ms';
    expect(await tools.succeed('kafka-configs', `--alter ${topic} ${change}`)).toContain(
      'Completed updating config for topic tuned.',
    );
    const own = await tools.succeed('kafka-configs', `--describe ${topic}`);
    expect(own).toContain('Dynamic configs for topic tuned are:');
    expect(own).toContain(
      'segment.bytes=1048576 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:segment.bytes=1048576, ' +
        'DEFAULT_CONFIG:log.segment.bytes=1073741824}',
    );
    expect(own).toContain('cleanup.policy=compact,delete ');
    expect(own).not.toContain('retention.ms=');

    const all = await tools.succeed('kafka-configs', `--describe --all ${topic}`);
    expect(all).toContain('All configs for topic tuned are:');
    expect(all).toContain('retention.ms=604800000 sensitive=false synonyms={}');
    expect(all).toContain('max.message.bytes=1048588 ');
    expect(lines(all).length).toBeGreaterThan(25);

    expect(await tools.fail('kafka-configs', `--alter ${topic} --add-config no.such.config=1`)).toContain(
      'Unknown topic config name: no.such.config',
    );
    expect(await tools.fail('kafka-configs', `--alter ${topic} --add-config segment.bytes=many`)).toContain(
      'InvalidConfigurationException',
    );
  });

  it('adds, deletes and shows the configs of one broker and of all of them', async () => {
    const one = `--entity-type brokers --entity-name ${brokerId}`;
    expect(await tools.succeed('kafka-configs', `--alter ${one} --add-config log.cleaner.threads=2`)).toContain(
      `Completed updating config for broker ${brokerId}.`,
    );
    expect(await tools.succeed('kafka-configs', `--describe ${one}`)).toContain(
      'log.cleaner.threads=2 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:log.cleaner.threads=2, ' +
        'DEFAULT_CONFIG:log.cleaner.threads=1}',
    );

    const everyone = '--entity-type brokers --entity-default';
    await tools.succeed('kafka-configs', `--alter ${everyone} --add-config log.retention.ms=999999`);
    expect(await tools.succeed('kafka-configs', `--describe ${everyone}`)).toContain(
      'log.retention.ms=999999 sensitive=false synonyms={DYNAMIC_DEFAULT_BROKER_CONFIG:log.retention.ms=999999}',
    );
    const all = await tools.succeed('kafka-configs', `--describe --all ${one}`);
    expect(all).toContain(`All configs for broker ${brokerId} are:`);
    expect(all).toContain('log.retention.ms=999999 ');
    expect(all).toContain('log.segment.bytes=1073741824 ');

    await tools.succeed('kafka-configs', `--alter ${everyone} --delete-config log.retention.ms`);
    await tools.succeed('kafka-configs', `--alter ${one} --delete-config log.cleaner.threads`);
    expect(await tools.succeed('kafka-configs', `--describe ${one}`)).not.toContain('log.cleaner.threads');
  });
});

describe('the tools for the cluster', () => {
  it('kafka-cluster and kafka-broker-api-versions say who is there and what it serves', async () => {
    expect(await tools.succeed('kafka-cluster', 'cluster-id')).toMatch(/^Cluster ID: [\w-]{22}\n$/);
    const [endpoint] = rows(await tools.succeed('kafka-cluster', 'list-endpoints'));
    expect(endpoint).toEqual([brokerId, '127.0.0.1', String(target.port), 'null', 'unfenced', 'broker']);

    const versions = await tools.succeed('kafka-broker-api-versions', []);
    expect(versions).toContain(`127.0.0.1:${target.port} (id: ${brokerId} rack: null isFenced: false) -> (`);
    expect(versions).toContain('Produce(0): 0 to 13 [usable: 13]');
    expect(versions).toMatch(/\tFetch\(1\): 4 to 1[78] \[usable: 1[78]\]/);
    expect(await tools.succeed('kafka-features', 'describe')).toMatch(
      /Feature: transaction.version .*FinalizedVersionLevel: 2/,
    );
  });

  it('kafka-leader-election and kafka-reassign-partitions find nothing to do', async () => {
    await tools.succeed('kafka-topics', '--create --topic led');
    await tools.succeed('kafka-leader-election', '--election-type preferred --all-topic-partitions');
    expect(
      await tools.succeed('kafka-leader-election', '--election-type preferred --topic led --partition 0'),
    ).toContain('Valid replica already elected for partitions led-0');
    expect(await tools.succeed('kafka-reassign-partitions', '--list')).toContain('No partition reassignments found.');
  });
});
