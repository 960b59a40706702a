/**
 * One server process of Apache Kafka: formatting its storage, starting it, waiting for its port, ending it.
 *
 * What start.mjs (one node) and cluster.mjs (several) have in common. A server never outlives the process that started it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const START_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 30_000;
const LOG_CHARS_MAX = 64 * 1024;

/** Starts it; resolves with `{ pid, log(), end(signal) }` when clients can connect. */
export async function launch({ classPath, properties, port, heap = '512m' }) {
  const java = ['-Xms128m', `-Xmx${heap}`, '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-cp', classPath];
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
  const end = async (signal) => {
    const force = setTimeout(() => server.kill('SIGKILL'), STOP_DEADLINE_MS);
    server.kill(signal);
    await exited;
    clearTimeout(force);
  };
  try {
    await untilOpen(port, server, log);
  } catch (error) {
    await end('SIGKILL');
    throw error;
  }
  return { pid: server.pid, log, end };
}

/** Whether a start failed because somebody else took the port. */
export function isPortTaken(error) {
  return /Address already in use|BindException/.test(error.message);
}

/** An id for a new cluster, by Kafka's own tool. */
export function randomClusterId(classPath) {
  return storageTool(classPath, ['random-uuid']).trim();
}

/** Formats the storage of a node. */
export function format(classPath, properties, parameters) {
  storageTool(classPath, ['format', '-c', properties, ...parameters]);
}

function storageTool(classPath, parameters) {
  const java = ['-cp', classPath, 'kafka.tools.StorageTool', ...parameters];
  const result = spawnSync('java', java, { encoding: 'utf8' });
  if (result.status === 0) return result.stdout;
  const reason = result.error?.message ?? `${result.stdout}${result.stderr}`;
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
export async function freePorts(count, first) {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return first === undefined ? ports : [first, ...ports.slice(1)];
}
