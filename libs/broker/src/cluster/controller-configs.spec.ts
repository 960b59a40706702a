import { newCluster, open, topic } from './controller.fixture.js';
import { ConfigOperation, ConfigResourceType } from './topic-request.js';

const everything = { keys: null, includeSynonyms: true, includeDocumentation: false };

describe('Controller: configs', () => {
  const resource = (resourceName: string, resourceType: number = ConfigResourceType.TOPIC) => ({
    resourceType,
    resourceName,
  });
  const change = (name: string, value: string | null, configOperation: number = ConfigOperation.SET) => [
    { name, value, configOperation },
  ];

  async function withTopic(config: Record<string, string> = {}) {
    const opened = await open(await newCluster(), { config });
    await opened.controller.createTopic(topic('t', { configs: [{ name: 'retention.ms', value: '5000' }] }));
    return opened;
  }

  const refusals: [string, ReturnType<typeof resource>, ReturnType<typeof change>, number, string | null][] = [
    ['an unknown key', resource('t'), change('no.such', '1'), 40, 'Unknown topic config name: no.such'],
    ['an unknown topic', resource('no'), change('retention.ms', '1'), 3, "The topic 'no' does not exist."],
    ['an unknown operation', resource('t'), change('retention.ms', '1', 9), -1, null],
    [
      'append to a number',
      resource('t'),
      change('retention.ms', '1', 2),
      40,
      "Can't APPEND to key retention.ms because its type is not LIST.",
    ],
    ['no value', resource('t'), change('retention.ms', null), 42, 'Null value not supported for : retention.ms'],
    [
      'a static broker config',
      resource('0', 4),
      change('broker.id', '5'),
      42,
      'Cannot update these configs dynamically: [broker.id]',
    ],
    [
      'another broker',
      resource('99', 4),
      change('log.retention.ms', '1'),
      42,
      'Unexpected broker id, expected 0, but received 99',
    ],
    [
      'a broker that is no number',
      resource('zero', 4),
      change('log.retention.ms', '1'),
      42,
      'Broker id must be an integer, but it is: zero',
    ],
    [
      'a short group session',
      resource('g', 32),
      change('consumer.session.timeout.ms', '1'),
      40,
      'consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms',
    ],
    [
      'a conflict',
      resource('t'),
      [...change('min.compaction.lag.ms', '9'), ...change('max.compaction.lag.ms', '5')],
      40,
      'conflict topic config setting min.compaction.lag.ms (9) > max.compaction.lag.ms (5)',
    ],
    [
      'a key twice',
      resource('t'),
      [...change('flush.ms', '9'), ...change('flush.ms', '5')],
      42,
      'Error due to duplicate config keys',
    ],
  ];

  it.each(refusals)('refuses %s', async (_title, target, changes, errorCode, errorMessage) => {
    const { controller } = await withTopic();
    const before = controller.image;
    expect(await controller.changeConfigs(target, changes, false)).toEqual({ errorCode, errorMessage });
    expect(controller.image).toBe(before);
  });

  it('changes single configs and leaves the others', async () => {
    const { controller, changes } = await withTopic();
    const apply = (...steps: ReturnType<typeof change>) => controller.changeConfigs(resource('t'), steps, false);
    expect((await apply(...change('cleanup.policy', 'compact', ConfigOperation.APPEND))).errorCode).toBe(0);
    expect(controller.image.topic('t')?.config.cleanupPolicy).toEqual(['delete', 'compact']);
    await apply(...change('cleanup.policy', 'delete', ConfigOperation.SUBTRACT), ...change('segment.ms', '60000'));
    expect(controller.image.topic('t')).toMatchObject({
      overrides: { 'retention.ms': '5000', 'cleanup.policy': 'compact', 'segment.ms': '60000' },
      config: { cleanupPolicy: ['compact'], segmentMs: 60_000, retentionMs: 5000 },
    });
    await apply(...change('retention.ms', null, ConfigOperation.DELETE));
    expect(controller.image.topic('t')?.config.retentionMs).toBe(604_800_000);
    expect(changes.filter(({ type }) => type === 'configured')).toHaveLength(3);
  });

  it('replaces the whole set with AlterConfigs, and changes nothing when it only validates', async () => {
    const { controller } = await withTopic();
    const configs = [{ name: 'flush.messages', value: '10' }];
    expect((await controller.replaceConfigs(resource('t'), configs, true)).errorCode).toBe(0);
    expect(controller.image.topic('t')?.overrides).toEqual({ 'retention.ms': '5000' });
    expect((await controller.replaceConfigs(resource('t'), configs, false)).errorCode).toBe(0);
    expect(controller.image.topic('t')?.overrides).toEqual({ 'flush.messages': '10' });
    const unset = await controller.replaceConfigs(resource('t'), [{ name: 'flush.ms', value: null }], false);
    expect(unset.errorCode).toBe(42);
  });

  it('changes broker configs at run time, and the topics that take their default from them', async () => {
    const { controller, changes } = await withTopic();
    await controller.createTopic(topic('plain'));
    const set = (name: string) =>
      controller.changeConfigs(resource(name, 4), change('log.retention.ms', '7777'), false);
    expect((await set('')).errorCode).toBe(0);
    expect(controller.image.topic('plain')?.config.retentionMs).toBe(7777);
    expect(controller.image.topic('t')?.config.retentionMs).toBe(5000);
    expect(controller.config.number('log.retention.ms')).toBe(7777);
    expect(changes.filter(({ type }) => type === 'configured').map((told) => told.topic.name)).toEqual(['plain']);
    expect(controller.describeConfigs(resource('', 4), everything).configs).toMatchObject([
      { name: 'log.retention.ms', value: '7777', configSource: 3 },
    ]);
    const [entry] = controller.describeConfigs(resource('plain'), { ...everything, keys: ['retention.ms'] }).configs;
    expect(entry).toMatchObject({
      value: '7777',
      configSource: 3,
      synonyms: [
        { name: 'log.retention.ms', source: 3 },
        { name: 'log.retention.hours', source: 5 },
      ],
    });
  });
});
