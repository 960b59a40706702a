/**
 * Broker configs about the server: identity, listeners, connections, topics it creates, its place in the cluster.
 *
 * Guarantees: names, types, defaults and bounds are Kafka's. The ZooKeeper ones are those of Kafka 3.9.
 * Leaves out TLS, SASL and authorisation: a security setting that would be ignored is refused instead, as unknown.
 */
import { atLeast, config, type ConfigDefinition } from './config-definition.js';

const update = 'cluster-wide';
const KEPT = 'Kept and shown for compatibility; this broker does not act on it.';

/** The server related broker configs, in no particular order. */
export const SERVER_BROKER_CONFIGS: readonly ConfigDefinition[] = [
  config('int', 'broker.id', 0, 'The number of this broker, unique in its cluster.', { rule: atLeast(0) }),
  config('int', 'node.id', null, 'Newer name of broker.id; it wins when both are set.', { rule: atLeast(0) }),
  config('string', 'broker.rack', null, 'Where the broker stands. Replicas of a partition are spread over racks.'),
  config('list', 'process.roles', null, `Roles of a node without ZooKeeper. ${KEPT}`),
  config('list', 'listeners', null, 'Addresses to listen on, NAME://host:port.', { update: 'per-broker' }),
  config('list', 'advertised.listeners', null, 'Addresses told to clients; by default those of listeners.'),
  config('string', 'inter.broker.listener.name', null, 'The listener brokers use among themselves.'),
  config('string', 'listener.security.protocol.map', 'PLAINTEXT:PLAINTEXT', 'Listener name to security protocol.', {
    update: 'per-broker',
  }),
  config('string', 'security.inter.broker.protocol', 'PLAINTEXT', 'Security protocol between brokers.'),
  config('list', 'controller.listener.names', null, `Listeners of a Raft controller. ${KEPT}`),
  config('list', 'controller.quorum.voters', null, `Members of a Raft quorum. ${KEPT}`),
  config('list', 'controller.quorum.bootstrap.servers', null, `Where a Raft quorum is found. ${KEPT}`),
  config(
    'string',
    'zookeeper.connect',
    null,
    'Addresses of ZooKeeper, host:port with an optional path at the end. Unset, the broker keeps its own store.',
  ),
  config('int', 'zookeeper.session.timeout.ms', 18_000, 'Silence after which ZooKeeper takes the broker for dead.'),
  config(
    'int',
    'zookeeper.connection.timeout.ms',
    null,
    'How long the first connection to ZooKeeper may take; by default the session timeout.',
  ),
  config('int', 'zookeeper.max.in.flight.requests', 10, 'Requests to ZooKeeper waiting for an answer.', {
    rule: atLeast(1),
  }),
  config('int', 'num.network.threads', 3, `Threads for the network. ${KEPT}`, { update, rule: atLeast(1) }),
  config('int', 'num.io.threads', 8, `Threads for requests. ${KEPT}`, { update, rule: atLeast(1) }),
  config('int', 'background.threads', 10, `Threads for background work. ${KEPT}`, { update, rule: atLeast(1) }),
  config('int', 'queued.max.requests', 500, `Requests waiting for a thread. ${KEPT}`, { rule: atLeast(1) }),
  config('long', 'queued.max.request.bytes', -1, `Bytes of requests waiting for a thread. ${KEPT}`),
  config('int', 'socket.send.buffer.bytes', 102_400, `Send buffer of the operating system. ${KEPT}`),
  config('int', 'socket.receive.buffer.bytes', 102_400, `Receive buffer of the operating system. ${KEPT}`),
  config('int', 'socket.listen.backlog.size', 50, 'Connections the operating system may hold for the broker.', {
    rule: atLeast(1),
  }),
  config('int', 'socket.request.max.bytes', 104_857_600, 'Largest request; a larger one ends its connection.', {
    rule: atLeast(1),
  }),
  config('int', 'max.connections', 2_147_483_647, 'Connections the broker takes.', { update, rule: atLeast(0) }),
  config('int', 'max.connections.per.ip', 2_147_483_647, 'Connections the broker takes from one address.', {
    update,
    rule: atLeast(0),
  }),
  config('string', 'max.connections.per.ip.overrides', '', `Exceptions from max.connections.per.ip. ${KEPT}`, {
    update,
  }),
  config('int', 'max.connection.creation.rate', 2_147_483_647, `New connections in a second. ${KEPT}`, {
    update,
    rule: atLeast(0),
  }),
  config('long', 'connections.max.idle.ms', 600_000, 'Silence after which a connection is closed.'),
  config('int', 'request.timeout.ms', 30_000, 'How long a request between brokers may take.'),
  config('boolean', 'auto.create.topics.enable', true, 'Whether a topic that somebody asks for is created.'),
  config('boolean', 'delete.topic.enable', true, 'Whether topics may be deleted.'),
  config('int', 'num.partitions', 1, 'Partitions of a topic whose creator does not say.', { rule: atLeast(1) }),
  config('int', 'default.replication.factor', 1, 'Replicas of a topic whose creator does not say.'),
  config('int', 'fetch.max.bytes', 57_671_680, 'Most bytes of one fetch answer.', { rule: atLeast(1024) }),
  config('int', 'max.incremental.fetch.session.cache.slots', 1000, 'Fetch sessions kept.', { rule: atLeast(0) }),
  config('int', 'max.request.partition.size.limit', 2000, 'Partitions one DescribeTopicPartitions answer may list.', {
    rule: atLeast(1),
  }),
  config('int', 'fetch.purgatory.purge.interval.requests', 1000, `Finished waits between two clean-ups. ${KEPT}`),
  config('int', 'producer.purgatory.purge.interval.requests', 1000, `Finished waits between two clean-ups. ${KEPT}`),
  config('int', 'delete.records.purgatory.purge.interval.requests', 1, `Finished waits between two clean-ups. ${KEPT}`),
  config('boolean', 'controlled.shutdown.enable', true, 'Whether a broker that stops hands its partitions over first.'),
  config(
    'boolean',
    'auto.leader.rebalance.enable',
    true,
    'Whether leadership goes back to the preferred replicas by itself.',
  ),
  config('long', 'leader.imbalance.check.interval.seconds', 300, 'How often the preferred replicas are looked at.', {
    rule: atLeast(1),
  }),
  config(
    'int',
    'leader.imbalance.per.broker.percentage',
    10,
    'Share of partitions that may be led by another than the preferred replica.',
  ),
  config('int', 'controller.socket.timeout.ms', 30_000, 'How long an answer of the controller may take.'),
  config('long', 'replica.lag.time.max.ms', 30_000, 'Time a follower may be behind before it is out of sync.'),
  config('int', 'replica.socket.timeout.ms', 30_000, 'How long a fetch of a follower may take.'),
  config('int', 'replica.socket.receive.buffer.bytes', 65_536, `Receive buffer of followers. ${KEPT}`),
  config('int', 'replica.fetch.max.bytes', 1_048_576, 'Bytes a follower asks for of one partition.', {
    rule: atLeast(0),
  }),
  config('int', 'replica.fetch.wait.max.ms', 500, 'How long a fetch of a follower waits for data.'),
  config('int', 'replica.fetch.min.bytes', 1, 'Bytes a fetch of a follower waits for.'),
  config('int', 'replica.fetch.response.max.bytes', 10_485_760, 'Bytes a follower asks for in one fetch.', {
    rule: atLeast(0),
  }),
  config('int', 'replica.fetch.backoff.ms', 1000, 'Pause of a follower after an error.', { rule: atLeast(0) }),
  config(
    'long',
    'replica.high.watermark.checkpoint.interval.ms',
    5000,
    'How often the high watermarks are written down.',
  ),
  config('int', 'num.replica.fetchers', 1, `Threads that fetch for followers. ${KEPT}`, { update, rule: atLeast(1) }),
  config('string', 'metrics.recording.level', 'INFO', `Which metrics are kept. ${KEPT}`),
  config('int', 'metrics.num.samples', 2, `Samples a metric is computed from. ${KEPT}`, { rule: atLeast(1) }),
  config('long', 'metrics.sample.window.ms', 30_000, `Length of a sample of a metric. ${KEPT}`, { rule: atLeast(1) }),
];
