/**
 * A broker that speaks Kafka's protocol: inside a test, stand-alone, or as a cluster.
 *
 * Named exports only: starting a broker, what can be told to it, what it reports, and reading Kafka's server.properties.
 */
export { createBroker, type Broker } from './broker.js';
export { type BrokerOptions, type BrokerPorts } from './options.js';
export { BrokerError, type BrokerErrorCode } from './errors.js';
export { parseProperties } from './properties.js';
export { silentLogger, stderrLogger, type LogFields, type Logger } from './io/logger.js';
