/**
 * A real Apache Kafka for tests and benches: one node, KRaft, on loopback, with its data in a temporary folder.
 *
 * `startKafka` installs the jars with Maven on first use (test/interop/.cache, ignored by git), chooses free ports,
 * formats, starts, and resolves when clients can connect. `stop` ends it in order and removes the data.
 * Plain JavaScript, so that runners can use it without a build. It needs `java` (17 or newer) and `mvn`.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LINE, installKafka, KAFKA_VERSIONS } from './install.mjs';
import { format, freePorts, isPortTaken, launch, randomClusterId } from './server.mjs';

export { installKafka, KAFKA_VERSIONS } from './install.mjs';

/** Another process may take a port between our look and Kafka's bind. */
const START_ATTEMPTS = 3;

/** The version that is started when none is asked for. */
export const KAFKA_VERSION = KAFKA_VERSIONS[DEFAULT_LINE];

/** Starts one node. See start.d.mts for the options and the result. */
export async function startKafka(options = {}) {
  const line = options.line ?? DEFAULT_LINE;
  const classPath = installKafka(line);
  let failure;
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'kafka-'));
    try {
      return { version: KAFKA_VERSIONS[line], ...(await startOnce(classPath, dataDir, options)) };
    } catch (error) {
      failure = error;
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
      if (!isPortTaken(error)) break;
    }
  }
  throw failure;
}

async function startOnce(classPath, dataDir, options) {
  const extra = Object.entries(options.listeners ?? {});
  const [port, controllerPort, ...extraPorts] = await freePorts(2 + extra.length, options.port);
  const listeners = extra.map(([name, protocol], index) => ({ name, protocol, port: extraPorts[index] }));
  const properties = join(dataDir, 'server.properties');
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(
    properties,
    serverProperties({ port, controllerPort, listeners, dataDir, config: options.config ?? {} }),
  );
  if (!existsSync(join(dataDir, 'log', 'meta.properties'))) {
    const clusterId = randomClusterId(classPath);
    format(classPath, properties, ['--standalone', '-t', clusterId, ...(options.formatArguments ?? [])]);
  }
  const server = await launch({ classPath, properties, port, heap: options.heap });
  return {
    host: '127.0.0.1',
    port,
    bootstrapServers: `127.0.0.1:${port}`,
    ports: Object.fromEntries(listeners.map((each) => [each.name, each.port])),
    dataDir,
    pid: server.pid,
    classPath,
    log: server.log,
    kill: () => server.end('SIGKILL'),
    stop: async ({ keepData = options.dataDir !== undefined } = {}) => {
      await server.end('SIGTERM');
      if (!keepData) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function serverProperties({ port, controllerPort, listeners, dataDir, config }) {
  const addresses = [
    `PLAINTEXT://127.0.0.1:${port}`,
    `CONTROLLER://127.0.0.1:${controllerPort}`,
    ...listeners.map((each) => `${each.name}://127.0.0.1:${each.port}`),
  ].join(',');
  const protocols = ['PLAINTEXT:PLAINTEXT', 'CONTROLLER:PLAINTEXT'];
  for (const { name, protocol } of listeners) protocols.push(`${name}:${protocol}`);
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    listeners: addresses,
    'advertised.listeners': addresses,
    'listener.security.protocol.map': protocols.join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(dataDir, 'log'),
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    ...config,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
