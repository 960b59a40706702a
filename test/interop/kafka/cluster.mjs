/**
 * Several nodes of a real Apache Kafka on loopback: KRaft in combined mode, small heaps, data in a temporary folder.
 *
 * Every node is broker and controller. Each can be killed and started again; a dead one is noticed after three seconds.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LINE, installKafka } from './install.mjs';
import { format, freePorts, isPortTaken, launch, randomClusterId } from './server.mjs';

/** Another process may take a port between our look and Kafka's bind. */
const START_ATTEMPTS = 3;
const HEAP = '256m';

/** Starts the nodes 1 to `nodes`. See cluster.d.mts. */
export async function startKafkaCluster({ nodes = 3, config = {}, line = DEFAULT_LINE } = {}) {
  const classPath = installKafka(line);
  let failure;
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), 'kafka-cluster-'));
    try {
      return await startOnce({ classPath, folder, nodes, config });
    } catch (error) {
      failure = error;
      rmSync(folder, { recursive: true, force: true });
      if (!isPortTaken(error)) break;
    }
  }
  throw failure;
}

async function startOnce({ classPath, folder, nodes, config }) {
  const ports = await freePorts(2 * nodes);
  const voters = ports.slice(nodes).map((port, index) => `${index + 1}@127.0.0.1:${port}`);
  const clusterId = randomClusterId(classPath);
  const running = new Map();
  const propertiesOf = (id) => join(folder, String(id), 'server.properties');
  const portOf = (id) => ports[id - 1];
  for (let id = 1; id <= nodes; id++) {
    mkdirSync(join(folder, String(id)));
    writeFileSync(propertiesOf(id), serverProperties({ id, ports, nodes, voters, folder, config }));
    format(classPath, propertiesOf(id), ['-t', clusterId]);
  }
  const start = async (id) =>
    running.set(id, await launch({ classPath, properties: propertiesOf(id), port: portOf(id), heap: HEAP }));
  const end = async (id, signal) => {
    const server = running.get(id);
    running.delete(id);
    await server?.end(signal);
  };
  const endAll = () => Promise.all([...running.keys()].map((id) => end(id, 'SIGKILL')));
  const started = await Promise.allSettled(voters.map((_, index) => start(index + 1)));
  const failed = started.find(({ status }) => status === 'rejected');
  if (failed !== undefined) {
    await endAll();
    throw failed.reason;
  }
  return {
    bootstrapServers: ports
      .slice(0, nodes)
      .map((port) => `127.0.0.1:${port}`)
      .join(','),
    start,
    kill: (id) => end(id, 'SIGKILL'),
    log: (id) => running.get(id)?.log() ?? '',
    stop: async () => {
      await endAll();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function serverProperties({ id, ports, nodes, voters, folder, config }) {
  const listeners = `PLAINTEXT://127.0.0.1:${ports[id - 1]},CONTROLLER://127.0.0.1:${ports[nodes + id - 1]}`;
  const replicas = Math.min(nodes, 3);
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': voters.join(','),
    listeners,
    'advertised.listeners': listeners,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, String(id), 'log'),
    'default.replication.factor': replicas,
    'min.insync.replicas': Math.max(1, replicas - 1),
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': Math.max(1, replicas - 1),
    'transaction.state.log.num.partitions': 5,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': Math.max(1, replicas - 1),
    'share.coordinator.state.topic.num.partitions': 5,
    'group.initial.rebalance.delay.ms': 0,
    'group.consumer.heartbeat.interval.ms': 1000,
    'group.consumer.min.heartbeat.interval.ms': 1000,
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'replica.lag.time.max.ms': 5000,
    ...config,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
