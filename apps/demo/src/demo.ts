/**
 * Puts the demo together: the bundled broker, unless there is another, and the application on it.
 *
 * Starting either succeeds or leaves nothing behind. Closing goes in order: listeners finish and commit, what was sent is
 * acknowledged, then the broker stops.
 */
import { resolve } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Broker, BrokerError, createBroker } from '@kafka-template/broker';
import { AppModule } from './app.module.js';
import type { Settings } from './settings.js';
import { StartError } from './start-error.js';

/** A running demo. */
export interface Demo {
  readonly app: INestApplication;
  /** `http://localhost:3000`. */
  readonly url: string;
  /** `127.0.0.1:9092`. */
  readonly bootstrapServers: string;
  /** What to tell the user first: where everything is and what to type next. */
  readonly welcome: string;
  /** Ends everything in order. */
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';

/** Starts the demo. Throws StartError when a port is taken or the data cannot be used. */
export async function startDemo(settings: Settings): Promise<Demo> {
  const broker = settings.bootstrapServers === undefined ? await startBroker(settings) : undefined;
  const bootstrapServers = settings.bootstrapServers ?? broker?.bootstrapServers ?? '';
  let app: INestApplication | undefined;
  try {
    // The log waits until the user has been told where everything is.
    // An HTTP client that keeps its connection open must not hold up the end.
    const options = { bufferLogs: true, autoFlushLogs: false, abortOnError: false, forceCloseConnections: true };
    app = await NestFactory.create(AppModule.on(bootstrapServers), options);
    const url = await listen(app, settings.port);
    return demoOf(app, { broker, bootstrapServers, url, settings });
  } catch (error) {
    await app?.close();
    await broker?.close();
    throw error;
  }
}

async function startBroker({ brokerPort, dataDir }: Settings): Promise<Broker> {
  try {
    return await createBroker({ port: brokerPort, dataDir });
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    if (error.code !== 'PORT_IN_USE') {
      throw new StartError(`The bundled broker cannot start: ${error.message} Here the directory is DATA_DIR.`);
    }
    throw new StartError(
      `Port ${brokerPort} is taken, so the bundled broker cannot start. Choose another with BROKER_PORT, ` +
        `or use what listens there: BOOTSTRAP_SERVERS=localhost:${brokerPort}.`,
    );
  }
}

async function listen(app: INestApplication, port: number): Promise<string> {
  try {
    await app.listen(port, LOOPBACK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new StartError(`Port ${port} is taken, so the demo cannot listen for HTTP. Choose another with PORT.`);
  }
  return `http://localhost:${new URL(await app.getUrl()).port}`;
}

interface Parts {
  readonly broker: Broker | undefined;
  readonly bootstrapServers: string;
  readonly url: string;
  readonly settings: Settings;
}

function demoOf(app: INestApplication, { broker, bootstrapServers, url, settings }: Parts): Demo {
  const origin = broker === undefined ? 'from BOOTSTRAP_SERVERS' : `bundled, data in ${resolve(settings.dataDir)}`;
  const order = '{"id":"1","customer":"Ada","item":"book","quantity":2}';
  const welcome = [
    `HTTP    ${url}`,
    `Broker  ${bootstrapServers} (${origin})`,
    'Now type:',
    `  curl -X POST '${url}/orders?mode=sync' -H 'content-type: application/json' -d '${order}'`,
    `  curl ${url}/orders/1`,
    `  curl ${url}/status`,
    'Modes are forget, sync and callback. Ctrl-C ends it in order.',
    '',
  ].join('\n');
  const close = async () => {
    await app.close();
    await broker?.close();
  };
  return { app, url, bootstrapServers, welcome, close };
}
