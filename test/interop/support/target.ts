/**
 * The broker the interop suites talk to: ours as a separate process, or Apache Kafka when INTEROP_TARGET=kafka.
 *
 * The suites are the same for both. What passes on Apache Kafka is a correct expectation; ours has to meet it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKafka, type RunningKafka } from '../kafka/start.mjs';
import { startBrokerProcess, type BrokerProcess } from './broker-process.js';

/** A broker that can be stopped and come back with the same data on the same port. */
export interface Target {
  readonly name: 'ours' | 'kafka';
  readonly bootstrapServers: string;
  readonly port: number;
  /** Ends it in order and starts it again. */
  restart(): Promise<void>;
  /** Ends it with SIGKILL, in the middle of whatever it does, and starts it again. */
  crash(): Promise<void>;
  /** Ends it in order and removes its data. */
  stop(): Promise<void>;
  /** What it printed last; for the message of a failing test. */
  log(): string;
}

/** Starts the broker named by INTEROP_TARGET: `ours` (default) or `kafka`. */
export async function startTarget(config: Readonly<Record<string, string>> = {}): Promise<Target> {
  const dataDir = mkdtempSync(join(tmpdir(), 'interop-'));
  const name = process.env.INTEROP_TARGET === 'kafka' ? 'kafka' : 'ours';
  const start = (port?: number): Promise<RunningKafka | BrokerProcess> =>
    name === 'kafka' ? startKafka({ dataDir, port, config }) : startBrokerProcess({ dataDir, port, config });
  let running: RunningKafka | BrokerProcess;
  try {
    running = await start();
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true });
    throw error;
  }
  const { port, bootstrapServers } = running;
  return {
    name,
    port,
    bootstrapServers,
    log: () => running.log(),
    async restart() {
      await running.stop();
      running = await start(port);
    },
    async crash() {
      await running.kill();
      running = await start(port);
    },
    async stop() {
      await running.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
