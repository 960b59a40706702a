/**
 * Everything a spec of the client needs in one value: a fake clock, a fake network, a fake cluster, seeded chance.
 */
import type { ClientIo } from '../io/io.js';
import type { ClientLogger, LogFields } from '../io/logger.js';
import { seededRandom } from '../io/random.js';
import { FakeClock } from './fake-clock.js';
import { FakeKafka, type FakeKafkaOptions } from './fake-kafka.js';
import { FakeNetwork } from './fake-network.js';

/** One line that was logged. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** The parts, ready to use. */
export interface World {
  readonly clock: FakeClock;
  readonly network: FakeNetwork;
  readonly kafka: FakeKafka;
  readonly io: ClientIo;
  /** What was logged at info, warn and error. */
  readonly log: LogLine[];
  /** Options every client of this world needs. */
  readonly options: { readonly bootstrapServers: string; readonly logger: ClientLogger };
}

/** A world of its own. */
export function createWorld(options: FakeKafkaOptions & { readonly seed?: number } = {}): World {
  const clock = new FakeClock();
  const network = new FakeNetwork(clock);
  const kafka = new FakeKafka(clock, network, options);
  const log: LogLine[] = [];
  const record = (level: string) => (message: string, fields?: LogFields) => void log.push({ level, message, fields });
  const ignore = (): void => undefined;
  const logger = { debug: ignore, info: record('info'), warn: record('warn'), error: record('error') };
  const io = { clock, network, random: seededRandom(options.seed ?? 1) };
  return { clock, network, kafka, io, log, options: { bootstrapServers: kafka.bootstrapServers, logger } };
}
