/**
 * Puts the demo together: the bundled broker, unless there is another, and the application on it.
 *
 * Starting either succeeds or leaves nothing behind. Closing goes in order: who waits for the broker is answered,
 * listeners finish and commit, what was sent is acknowledged, then the broker stops.
 */
import { resolve } from 'node:path';
import { type INestApplication, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Broker, BrokerError, createBroker } from '@kafka-template/broker';
import { KafkaListenerEndpointRegistry, KafkaOptionsError } from '@kafka-template/nestjs';
import { AppModule, SESSION_TIMEOUT_MS } from './app.module.js';
import { brokerLogger } from './broker-logger.js';
import { OrdersService } from './orders/orders.service.js';
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

const log = new Logger('Demo');

const LOOPBACK = '127.0.0.1';

/** How long the application may take to end. Only one whose broker is away needs it. */
const CLOSE_TIMEOUT_MS = 1200;

/** How long requests that wait for the broker are left waiting then. A broker that is there needs less. */
const PENDING_REQUESTS_MS = 200;

/** Under this name the listeners are static members, while the broker is ours and nobody else's. */
const GROUP_INSTANCE_ID = 'demo';

/** When the user is told that listeners still wait for partitions. */
const WAIT_NOTICE_MS = 2000;

/** Starts the demo. Throws StartError when a port is taken or the data cannot be used. */
export async function startDemo(settings: Settings): Promise<Demo> {
  // The log waits until the user has been told where everything is; the broker may have something to say before.
  Logger.attachBuffer();
  const broker = settings.bootstrapServers === undefined ? await startBroker(settings) : undefined;
  const bootstrapServers = settings.bootstrapServers ?? broker?.bootstrapServers ?? '';
  let app: INestApplication | undefined;
  try {
    // An HTTP client that keeps its connection open must not hold up the end.
    const options = { bufferLogs: true, autoFlushLogs: false, abortOnError: false, forceCloseConnections: true };
    const groupInstanceId = broker === undefined ? undefined : GROUP_INSTANCE_ID;
    app = await NestFactory.create(AppModule.on({ bootstrapServers, groupInstanceId }), options);
    const url = await listen(app, settings.port);
    return demoOf(app, { broker, bootstrapServers, url, settings });
  } catch (error) {
    await app?.close();
    await broker?.close();
    // The only option that comes from the user.
    if (!(error instanceof KafkaOptionsError)) throw error;
    throw new StartError(`--bootstrap-servers or BOOTSTRAP_SERVERS is not usable: ${error.message}`);
  }
}

async function startBroker({ brokerPort, dataDir }: Settings): Promise<Broker> {
  try {
    return await createBroker({ port: brokerPort, dataDir, logger: brokerLogger() });
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    if (error.code !== 'PORT_IN_USE') {
      // The broker's own names for the option; here it has others.
      const reason = error.message.replace('option dataDir, on the command line --data-dir', '--data-dir or DATA_DIR');
      throw new StartError(`The bundled broker cannot start: ${reason}`);
    }
    throw new StartError(
      `Port ${brokerPort} is taken, so the bundled broker cannot start. Choose another with --broker-port or ` +
        `BROKER_PORT, or use what listens there: --bootstrap-servers or BOOTSTRAP_SERVERS, localhost:${brokerPort}.`,
    );
  }
}

async function listen(app: INestApplication, port: number): Promise<string> {
  try {
    await app.listen(port, LOOPBACK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new StartError(
      `Port ${port} is taken, so the demo cannot listen for HTTP. Choose another with --port or PORT.`,
    );
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
  const notice = setTimeout(() => tellWaiting(app), WAIT_NOTICE_MS).unref();
  const close = async () => {
    clearTimeout(notice);
    // While their connections are open.
    await app.get(OrdersService).stop(PENDING_REQUESTS_MS);
    await closeWithin(app, CLOSE_TIMEOUT_MS);
    await broker?.close();
  };
  return { app, url, bootstrapServers, welcome, close };
}

/** Ctrl-C means now: a broker that is away is not waited for. What this costs is what a crash would cost. */
async function closeWithin(app: INestApplication, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      log.warn(
        `Not everything has ended within ${timeoutMs} ms, as happens when the broker is away: orders it has not ` +
          'acknowledged are lost, records that are not committed come again at the next start',
      );
      resolve();
    }, timeoutMs);
  });
  await Promise.race([app.close(), late]).finally(() => clearTimeout(timer));
}

/** A listener without partitions looks like one that is broken: say what it waits for. */
function tellWaiting(app: INestApplication): void {
  const waiting = app.get(KafkaListenerEndpointRegistry).all.filter((container) => !container.isReady);
  if (waiting.length === 0) return;
  log.warn(
    `Still without partitions: ${waiting.map(({ id }) => id).join(', ')}. Either the broker is away, or a member of the ` +
      `group was killed and the broker has not missed it yet, which takes it ${SESSION_TIMEOUT_MS / 1000} s`,
  );
}
