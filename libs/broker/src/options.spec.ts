import { BrokerError } from './errors.js';
import { resolveOptions } from './options.js';

describe('options: what a broker is told', () => {
  it('has a default for everything', () => {
    const resolved = resolveOptions({});
    expect(resolved).toMatchObject({
      brokerId: 0,
      rack: null,
      listen: { host: '127.0.0.1', port: 0 },
      advertised: { host: null, port: null },
      dataDir: null,
    });
  });

  it('takes Kafka configs for what they mean', () => {
    const resolved = resolveOptions({
      config: {
        'broker.id': 7,
        'broker.rack': 'r1',
        listeners: 'PLAINTEXT://0.0.0.0:9092',
        'advertised.listeners': 'PLAINTEXT://kafka.test:19092',
        'log.dirs': '/data',
        'num.partitions': 3,
      },
    });
    expect(resolved).toMatchObject({
      brokerId: 7,
      rack: 'r1',
      listen: { host: '0.0.0.0', port: 9092 },
      advertised: { host: 'kafka.test', port: 19092 },
      dataDir: '/data',
    });
    expect(resolved.config.number('num.partitions')).toBe(3);
  });

  it('lets an option win over the config of its meaning', () => {
    const resolved = resolveOptions({
      brokerId: 1,
      host: '127.0.0.2',
      port: 1234,
      advertisedHost: 'a',
      advertisedPort: 5,
      dataDir: '/other',
      config: {
        'broker.id': 7,
        listeners: 'PLAINTEXT://:9092',
        'advertised.listeners': 'PLAINTEXT://b:6',
        'log.dir': '/d',
      },
    });
    expect(resolved).toMatchObject({
      brokerId: 1,
      listen: { host: '127.0.0.2', port: 1234 },
      advertised: { host: 'a', port: 5 },
      dataDir: '/other',
    });
    expect(resolved.config.text('broker.id')).toBe('1');
    expect(resolved.config.text('log.dirs')).toBe('/other');
  });

  it('reads the server.properties that Kafka ships for a node without ZooKeeper', () => {
    const resolved = resolveOptions({
      config: {
        'process.roles': 'broker,controller',
        'node.id': '1',
        'controller.quorum.bootstrap.servers': 'localhost:9093',
        listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
        'inter.broker.listener.name': 'PLAINTEXT',
        'advertised.listeners': 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
        'controller.listener.names': 'CONTROLLER',
        'listener.security.protocol.map':
          'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
        'num.network.threads': 3,
        'log.dirs': '/tmp/logs',
      },
    });
    expect(resolved).toMatchObject({
      brokerId: 1,
      listen: { host: '', port: 9092 },
      advertised: { host: 'localhost', port: 9092 },
    });
  });

  it('tells clients of the port an option chose, unless they are meant to use another one', () => {
    const config = { listeners: 'PLAINTEXT://a:9092', 'advertised.listeners': 'PLAINTEXT://a:9092' };
    expect(resolveOptions({ port: 0, config }).advertised).toEqual({ host: 'a', port: null });
    expect(resolveOptions({ host: 'b', config }).advertised).toEqual({ host: null, port: 9092 });
    const mapped = { ...config, 'advertised.listeners': 'PLAINTEXT://outside:19092' };
    expect(resolveOptions({ port: 0, host: 'b', config: mapped }).advertised).toEqual({ host: 'outside', port: 19092 });
  });

  it('understands an IPv6 listener', () => {
    expect(resolveOptions({ config: { listeners: 'PLAINTEXT://[::1]:9092' } }).listen).toEqual({
      host: '::1',
      port: 9092,
    });
  });

  const mistakes: [what: string, options: object, message: RegExp][] = [
    ['an unknown option', { prot: 9092 }, /^Unknown broker option 'prot'\. Did you mean 'port'\?$/],
    [
      'an unknown option like nothing',
      { xyzzyplugh: 1 },
      /^Unknown broker option 'xyzzyplugh'\. The options are brokerId, host/,
    ],
    ['a config among the options', { 'num.partitions': 3 }, /Kafka's configs belong in the option config/],
    ['an unknown config', { config: { 'num.partition': 3 } }, /'num\.partition'.*Did you mean 'num\.partitions'\?/],
    ['a config of the wrong type', { config: { 'num.partitions': 'many' } }, /num\.partitions/],
    ['a port out of range', { port: 70_000 }, /'port' must be a whole number from 0 to 65535, not 70000/],
    ['a port that is a text', { port: '9092' }, /'port' must be a whole number/],
    ['a negative broker id', { brokerId: -1 }, /'brokerId' must be a whole number from 0/],
    ['an empty data directory', { dataDir: '' }, /'dataDir' is empty/],
    ['a host that is no text', { host: 1 }, /'host' must be a text, not number/],
    ['two data directories', { config: { 'log.dirs': '/a,/b' } }, /log\.dirs names 2 directories \(\/a, \/b\)/],
    ['two listeners', { config: { listeners: 'PLAINTEXT://:1,PLAINTEXT://:2' } }, /listeners names 2 listeners/],
    ['TLS', { config: { listeners: 'SSL://h:9093' } }, /asks for SSL.*Write listeners=PLAINTEXT:\/\/h:9093/],
    [
      'SASL by the protocol map',
      { config: { listeners: 'CLIENT://h:1', 'listener.security.protocol.map': 'CLIENT:SASL_SSL' } },
      /asks for SASL_SSL \(CLIENT\)/,
    ],
    [
      'a listener without a port',
      { config: { listeners: 'PLAINTEXT://h' } },
      /'PLAINTEXT:\/\/h', which is no listener/,
    ],
    [
      'a listener port out of range',
      { config: { listeners: 'PLAINTEXT://h:70000' } },
      /whose port is 70000\. A port is a whole number from 0 to 65535/,
    ],
    ['an empty directory', { config: { 'log.dirs': '' } }, /^log\.dirs is empty\. Name a directory, or leave/],
    [
      'ZooKeeper',
      { config: { 'zookeeper.connect': 'z:2181' } },
      /'zookeeper\.connect' is known to Kafka, not served by this/,
    ],
    ['a quorum of several', { config: { 'controller.quorum.voters': '1@a:1,2@b:1' } }, /it is a cluster of one broker/],
    ['a wildcard told to clients', { advertisedHost: '0.0.0.0' }, /0\.0\.0\.0, which no client can connect to/],
    ['an object as a config', { config: { 'num.partitions': {} } }, /must be a text, a number or true\/false/],
  ];
  it.each(mistakes)('refuses %s', (_what, options, message) => {
    let thrown: unknown = null;
    try {
      resolveOptions(options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(BrokerError);
    expect(thrown).toMatchObject({ code: 'CONFIG', message: expect.stringMatching(message) as string });
  });
});
