/**
 * The broker an end-to-end test runs on: the embedded one, or the one named by KAFKA_BOOTSTRAP_SERVERS.
 *
 * The same files run on both (`npm run test:interop -- e2e-on-kafka` sets the variable), so a test may not depend on
 * what only one of them does, and not on an empty broker: every topic and group name comes from `uniqueName`.
 */
import { randomBytes } from 'node:crypto';
import { createBroker, type BrokerOptions } from '@kafka-template/broker';

/** A broker that a test may use. */
export interface TestBroker {
  readonly bootstrapServers: string;
  /** False when it is an Apache Kafka of somebody else: it was not started here and has its own configuration. */
  readonly embedded: boolean;
  /** Ends the embedded one; leaves the other alone. */
  close(): Promise<void>;
}

/** Starts the embedded broker in memory, or takes the external one. `options` are for the embedded one only. */
export async function startTestBroker(options: BrokerOptions = {}): Promise<TestBroker> {
  const external = process.env.KAFKA_BOOTSTRAP_SERVERS;
  if (external !== undefined && external !== '') {
    return { bootstrapServers: external, embedded: false, close: async () => undefined };
  }
  const broker = await createBroker(options);
  return { bootstrapServers: broker.bootstrapServers, embedded: true, close: () => broker.close() };
}

/** A topic or group name that no other test, run or broker has seen: `orders` → `orders-1f0a93bc`. */
export function uniqueName(base: string): string {
  return `${base}-${randomBytes(4).toString('hex')}`;
}
