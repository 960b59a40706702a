/**
 * A real Apache Kafka for tests and benches: one node, KRaft, on loopback, with its data in a temporary folder.
 *
 * `startKafka` installs the jars with Maven on first use (test/interop/.cache, ignored by git), chooses free ports,
 * formats, starts, and resolves when clients can connect. `stop` ends it in order and removes the data.
 * Plain JavaScript, so that runners can use it without a build. It needs `java` (17 or newer) and `mvn`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const HERE = import.meta.dirname;
const CACHE = join(HERE, '..', '.cache');
const START_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 30_000;
const LOG_CHARS_MAX = 64 * 1024;
/** Another process may take a port between our look and Kafka's bind. */
const START_ATTEMPTS = 3;

/** The version in pom.xml. */
export const KAFKA_VERSION = /<kafka\.version>([^<]+)</.exec(readFileSync(join(HERE, 'pom.xml'), 'utf8'))[1];

/** Installs the jars if they are not there; returns Java's class path. */
export function installKafka() {
  const home = join(CACHE, `kafka-${KAFKA_VERSION}`);
  const jars = join(home, 'lib');
  if (!existsSync(jars)) {
    mkdirSync(home, { recursive: true });
    const fresh = `${jars}.${process.pid}`;
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${fresh}`];
    const maven = spawnSync('mvn', ['-q', '-B', '-f', join(HERE, 'pom.xml'), ...goal], { encoding: 'utf8' });
    if (maven.status !== 0) {
      rmSync(fresh, { recursive: true, force: true });
      throw new Error(
        `Apache Kafka ${KAFKA_VERSION} could not be installed by Maven: ${maven.error?.message ?? ''}\n` +
          `${maven.stdout ?? ''}${maven.stderr ?? ''}\nInstall \`mvn\` and Java 17, and check that Maven can reach its repository.`,
      );
    }
    // Renamed when complete: an interrupted installation is not taken for a whole one.
    renameSync(fresh, jars);
  }
  return [join(HERE, 'conf'), join(jars, '*')].join(delimiter);
}

/** Starts one node. See start.d.mts for the options and the result. */
export async function startKafka(options = {}) {
  const classPath = installKafka();
  let failure;
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'kafka-'));
    try {
      return await startOnce(classPath, dataDir, options);
    } catch (error) {
      failure = error;
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
      if (!/Address already in use|BindException/.test(error.message)) break;
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
    formatStorage(classPath, properties, options.formatArguments ?? []);
  }

  const heap = options.heap ?? '512m';
  const java = ['-Xms256m', `-Xmx${heap}`, '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-cp', classPath];
  const server = spawn('java', [...java, 'kafka.Kafka', properties], { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = keepTail(server);
  const dieWithUs = () => server.kill('SIGKILL');
  process.once('exit', dieWithUs);
  const exited = new Promise((resolve) => {
    server.once('exit', (code, signal) => {
      process.off('exit', dieWithUs);
      resolve(code ?? signal);
    });
  });

  try {
    await untilOpen(port, server, log);
  } catch (error) {
    server.kill('SIGKILL');
    await exited;
    throw error;
  }
  const end = async (signal) => {
    const force = setTimeout(() => server.kill('SIGKILL'), STOP_DEADLINE_MS);
    server.kill(signal);
    await exited;
    clearTimeout(force);
  };
  return {
    version: KAFKA_VERSION,
    host: '127.0.0.1',
    port,
    bootstrapServers: `127.0.0.1:${port}`,
    ports: Object.fromEntries(listeners.map((each) => [each.name, each.port])),
    dataDir,
    pid: server.pid,
    classPath,
    log,
    kill: () => end('SIGKILL'),
    stop: async ({ keepData = options.dataDir !== undefined } = {}) => {
      await end('SIGTERM');
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

function formatStorage(classPath, properties, parameters) {
  const tool = (...parameters) =>
    spawnSync('java', ['-cp', classPath, 'kafka.tools.StorageTool', ...parameters], { encoding: 'utf8' });
  const id = tool('random-uuid');
  const format = ['format', '--standalone', '-t', id.stdout.trim(), '-c', properties, ...parameters];
  const formatted = id.status === 0 ? tool(...format) : id;
  if (formatted.status === 0) return;
  const reason = formatted.error?.message ?? `${formatted.stdout}${formatted.stderr}`;
  throw new Error(`Kafka's storage tool failed: ${reason}\nIt needs Java 17 or newer as \`java\` on the PATH.`);
}

/** Returns a function giving the last output of the server. */
function keepTail(server) {
  let text = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk) => {
      text = (text + chunk).slice(-LOG_CHARS_MAX);
    });
  }
  return () => text;
}

async function untilOpen(port, server, log) {
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!(await canConnect(port))) {
    if (server.exitCode !== null || server.signalCode !== null)
      throw new Error(`Kafka ended while starting:\n${log()}`);
    if (Date.now() > deadline) throw new Error(`Kafka did not open port ${port} in ${START_DEADLINE_MS} ms:\n${log()}`);
    await wait(50);
  }
}

function canConnect(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (open) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

/** Free ports of the system. Kafka has to tell clients its port, so it cannot bind 0 itself. */
async function freePorts(count, first) {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return first === undefined ? ports : [first, ...ports.slice(1)];
}
