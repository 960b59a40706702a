/**
 * The broker configs of Apache Kafka that this broker does not have: which of them it may pass over, and which it must
 * refuse because somebody relies on them.
 *
 * Guarantees: a name is judged alone, or by its value where only some values ask for something. The names are those of
 * Kafka 4.3 and a few of 3.x; what they mean is in Kafka's documentation.
 */

function namesOf(lines: string): ReadonlySet<string> {
  return new Set(lines.split(/\s+/).filter((name) => name !== ''));
}

/** Threads, buffers, metrics, Raft, streams groups, tiered storage while it is off: nothing depends on them here. */
export const PASSED_OVER = namesOf(`
  add.partitions.to.txn.retry.backoff.max.ms
  add.partitions.to.txn.retry.backoff.ms
  alter.log.dirs.replication.quota.window.num
  alter.log.dirs.replication.quota.window.size.seconds
  broker.heartbeat.interval.ms
  broker.session.timeout.ms
  connection.failed.authentication.delay.ms
  controller.performance.always.log.threshold.ms
  controller.performance.sample.period.ms
  controller.quorum.append.linger.ms
  controller.quorum.auto.join.enable
  controller.quorum.election.backoff.max.ms
  controller.quorum.election.timeout.ms
  controller.quorum.fetch.max.bytes
  controller.quorum.fetch.snapshot.max.bytes
  controller.quorum.fetch.timeout.ms
  controller.quorum.request.timeout.ms
  controller.quorum.retry.backoff.ms
  controller.quota.window.num
  controller.quota.window.size.seconds
  early.start.listeners
  follower.fetch.last.tiered.offset.enable
  group.consumer.regex.refresh.interval.ms
  group.coordinator.background.threads
  group.coordinator.cached.buffer.max.bytes
  group.share.assignment.interval.ms
  group.share.initialize.retry.interval.ms
  group.share.max.assignment.interval.ms
  group.share.min.assignment.interval.ms
  group.share.persister.class.name
  group.streams.assignment.interval.ms
  group.streams.heartbeat.interval.ms
  group.streams.initial.rebalance.delay.ms
  group.streams.max.assignment.interval.ms
  group.streams.max.heartbeat.interval.ms
  group.streams.max.session.timeout.ms
  group.streams.max.size
  group.streams.max.standby.replicas
  group.streams.min.assignment.interval.ms
  group.streams.min.heartbeat.interval.ms
  group.streams.min.session.timeout.ms
  group.streams.num.standby.replicas
  group.streams.session.timeout.ms
  initial.broker.registration.timeout.ms
  internal.metadata.delete.delay.millis
  internal.metadata.log.segment.bytes
  internal.metadata.max.batch.size.in.bytes
  kafka.metrics.polling.interval.secs
  kafka.metrics.reporters
  log.dir.failure.timeout.ms
  log.initial.task.delay.ms
  metadata.log.dir
  metadata.log.max.record.bytes.between.snapshots
  metadata.log.max.snapshot.interval.ms
  metadata.log.segment.bytes
  metadata.log.segment.ms
  metadata.max.idle.interval.ms
  metadata.max.retention.bytes
  metadata.max.retention.ms
  metric.reporters
  num.replica.alter.log.dirs.threads
  producer.id.expiration.check.interval.ms
  quota.window.num
  quota.window.size.seconds
  remote.fetch.max.wait.ms
  remote.list.offsets.request.timeout.ms
  remote.log.index.file.cache.total.size.bytes
  remote.log.index.file.cache.ttl.ms
  remote.log.manager.copier.thread.pool.size
  remote.log.manager.copy.max.bytes.per.second
  remote.log.manager.copy.quota.window.num
  remote.log.manager.copy.quota.window.size.seconds
  remote.log.manager.expiration.thread.pool.size
  remote.log.manager.fetch.max.bytes.per.second
  remote.log.manager.fetch.quota.window.num
  remote.log.manager.fetch.quota.window.size.seconds
  remote.log.manager.follower.thread.pool.size
  remote.log.manager.task.interval.ms
  remote.log.manager.task.retry.backoff.max.ms
  remote.log.manager.task.retry.backoff.ms
  remote.log.manager.task.retry.jitter
  remote.log.manager.thread.pool.size
  remote.log.metadata.custom.metadata.max.bytes
  remote.log.metadata.manager.class.name
  remote.log.metadata.manager.class.path
  remote.log.metadata.manager.impl.prefix
  remote.log.metadata.manager.listener.name
  remote.log.reader.max.pending.tasks
  remote.log.reader.threads
  remote.log.storage.manager.class.name
  remote.log.storage.manager.class.path
  remote.log.storage.manager.impl.prefix
  replica.selector.class
  replication.quota.window.num
  replication.quota.window.size.seconds
  server.max.startup.time.ms
  share.coordinator.append.linger.ms
  share.coordinator.cached.buffer.max.bytes
  share.coordinator.cold.partition.snapshot.interval.ms
  share.coordinator.threads
  share.fetch.purgatory.purge.interval.requests
  socket.connection.setup.timeout.max.ms
  socket.connection.setup.timeout.ms
  telemetry.max.bytes
  unclean.leader.election.interval.ms
  unstable.feature.versions.enable
`);

/** Of Kafka 3.x, gone in 4. */
const PASSED_OVER_OF_OLD = namesOf(`
  auto.include.jmx.reporter
  broker.id.generation.enable
  inter.broker.protocol.version
  log.message.downconversion.enable
  log.message.format.version
  offsets.commit.required.acks
  reserved.broker.max.id
`);

/** TLS, SASL and delegation tokens. */
const SECURITY = namesOf(`
  delegation.token.expiry.check.interval.ms
  delegation.token.expiry.time.ms
  delegation.token.max.lifetime.ms
  delegation.token.secret.key
  sasl.client.callback.handler.class
  sasl.enabled.mechanisms
  sasl.jaas.config
  sasl.kerberos.kinit.cmd
  sasl.kerberos.min.time.before.relogin
  sasl.kerberos.principal.to.local.rules
  sasl.kerberos.service.name
  sasl.kerberos.ticket.renew.jitter
  sasl.kerberos.ticket.renew.window.factor
  sasl.login.callback.handler.class
  sasl.login.class
  sasl.login.connect.timeout.ms
  sasl.login.read.timeout.ms
  sasl.login.refresh.buffer.seconds
  sasl.login.refresh.min.period.seconds
  sasl.login.refresh.window.factor
  sasl.login.refresh.window.jitter
  sasl.login.retry.backoff.max.ms
  sasl.login.retry.backoff.ms
  sasl.mechanism.controller.protocol
  sasl.mechanism.inter.broker.protocol
  sasl.oauthbearer.assertion.algorithm
  sasl.oauthbearer.assertion.claim.aud
  sasl.oauthbearer.assertion.claim.exp.seconds
  sasl.oauthbearer.assertion.claim.iss
  sasl.oauthbearer.assertion.claim.jti.include
  sasl.oauthbearer.assertion.claim.nbf.seconds
  sasl.oauthbearer.assertion.claim.sub
  sasl.oauthbearer.assertion.file
  sasl.oauthbearer.assertion.private.key.file
  sasl.oauthbearer.assertion.private.key.passphrase
  sasl.oauthbearer.assertion.template.file
  sasl.oauthbearer.client.credentials.client.id
  sasl.oauthbearer.client.credentials.client.secret
  sasl.oauthbearer.clock.skew.seconds
  sasl.oauthbearer.expected.audience
  sasl.oauthbearer.expected.issuer
  sasl.oauthbearer.jwks.endpoint.refresh.ms
  sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms
  sasl.oauthbearer.jwks.endpoint.retry.backoff.ms
  sasl.oauthbearer.jwks.endpoint.url
  sasl.oauthbearer.jwt.retriever.class
  sasl.oauthbearer.jwt.validator.class
  sasl.oauthbearer.scope
  sasl.oauthbearer.scope.claim.name
  sasl.oauthbearer.sub.claim.name
  sasl.oauthbearer.token.endpoint.url
  sasl.server.callback.handler.class
  sasl.server.max.receive.size
  ssl.allow.dn.changes
  ssl.allow.san.changes
  ssl.cipher.suites
  ssl.client.auth
  ssl.enabled.protocols
  ssl.endpoint.identification.algorithm
  ssl.engine.factory.class
  ssl.key.password
  ssl.keymanager.algorithm
  ssl.keystore.certificate.chain
  ssl.keystore.key
  ssl.keystore.location
  ssl.keystore.password
  ssl.keystore.type
  ssl.principal.mapping.rules
  ssl.protocol
  ssl.provider
  ssl.secure.random.implementation
  ssl.trustmanager.algorithm
  ssl.truststore.certificates
  ssl.truststore.location
  ssl.truststore.password
  ssl.truststore.type
`);

/** What is missing here, by the name that asks for it. */
const REFUSED: Readonly<Record<string, string>> = {
  'authorizer.class.name': 'it has no ACLs',
  'super.users': 'it has no ACLs',
  'allow.everyone.if.no.acl.found': 'it has no ACLs',
  'principal.builder.class': 'it has no users',
  'security.providers': 'it has no TLS and no SASL',
  'connections.max.reauth.ms': 'it has no SASL',
  'create.topic.policy.class.name': 'it runs no Java classes',
  'alter.config.policy.class.name': 'it runs no Java classes',
  'client.quota.callback.class': 'it has no quotas',
  'config.providers': 'it reads values as they are written',
  'cordoned.log.dirs': 'it uses one directory',
  'remote.log.storage.system.enable': 'it has no tiered storage',
  'transaction.two.phase.commit.enable': 'it has no two-phase commit',
  'unstable.api.versions.enable': 'it has no unstable versions',
};

/** Values with which the names above ask for nothing. */
const HARMLESS: ReadonlySet<string> = new Set(['', 'false', '0']);

/** Kafka lets most configs be set for one listener: `listener.name.<listener>.<config>`. */
const OF_LISTENER = /^listener\.name\.[^.]+\.(?:(?:plain|gssapi|oauthbearer|scram-sha-256|scram-sha-512)\.(?=sasl\.))?/;

function missing(name: string, value: string): string | null {
  const plain = name.replace(OF_LISTENER, '');
  if (plain === 'security.inter.broker.protocol') {
    return value.trim() === 'PLAINTEXT' ? null : 'it speaks PLAINTEXT only';
  }
  if (plain === 'zookeeper.connect') {
    return value.trim() === '' ? null : 'it keeps the state of its cluster itself and joins no ZooKeeper';
  }
  if (plain === 'controller.quorum.voters') {
    return value.includes(',') ? 'it is a cluster of one broker' : null;
  }
  if (plain === 'process.roles') {
    return value.trim() === 'controller' ? 'it is no node that is only a controller' : null;
  }
  if (SECURITY.has(plain)) {
    return plain.startsWith('ssl.') ? 'it has no TLS' : 'it has no SASL';
  }
  const reason = Object.hasOwn(REFUSED, plain) ? REFUSED[plain]! : null;
  return reason !== null && HARMLESS.has(value.trim().toLowerCase()) ? null : reason;
}

/** One sentence about every entry that asks for what this broker does not have, or null. */
export function notServed(entries: Readonly<Record<string, string>>): string | null {
  const names: string[] = [];
  const reasons = new Set<string>();
  for (const [name, value] of Object.entries(entries)) {
    const reason = missing(name, value);
    if (reason === null) continue;
    names.push(`'${name}'`);
    reasons.add(reason);
  }
  if (names.length === 0) return null;
  const [subject, verb, pronoun] =
    names.length === 1 ? ['Broker config', 'is', 'it'] : ['Broker configs', 'are', 'them'];
  return (
    `${subject} ${names.join(', ')} ${verb} known to Kafka, not served by this broker: ${[...reasons].join('; ')}. ` +
    `Remove ${pronoun} if you can do without; who needs that uses Apache Kafka.`
  );
}

/** A config of Kafka that has no effect here. Those that `notServed` complains about do not come this far. */
export function isUnserved(name: string): boolean {
  const plain = name.replace(OF_LISTENER, '');
  if (plain !== name) return true;
  return PASSED_OVER.has(name) || PASSED_OVER_OF_OLD.has(name) || Object.hasOwn(REFUSED, name);
}
