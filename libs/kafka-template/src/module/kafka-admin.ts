/**
 * Creates the topics of the configuration, and gives access to the admin client. Spring's KafkaAdmin. Injectable.
 *
 * Missing topics are created, topics with fewer partitions are grown, everything else is left alone. When the broker is
 * away the application starts anyway and the work goes on in the background; consumers wait for it, so that a topic is not
 * created by their asking for it, with another number of partitions.
 */
import type { DriverAdmin, TopicDescription } from '../drivers/driver.js';
import { KafkaTemplateError, errorCodeOf, messageOf } from '../errors.js';
import type { Clock } from '../io/clock.js';
import type { Log } from '../io/log.js';
import { milliseconds } from '../io/wording.js';
import type { KafkaAdminOptions } from './kafka.options.js';
import type { NewTopic } from './new-topic.js';

/** What a KafkaAdmin works with. */
export interface KafkaAdminParts {
  readonly client: DriverAdmin;
  readonly topics: readonly NewTopic[];
  readonly options: KafkaAdminOptions;
  readonly clock: Clock;
  readonly log: Log;
}

const START_TIMEOUT_MS = 3000;
const RETRY_MS = 500;
const RETRY_MAX_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1000;

/** Errors that say no more than that the broker is not to be reached now. */
const AWAY_CODES: ReadonlySet<string> = new Set(['NETWORK', 'TIMEOUT', 'REQUEST_TIMED_OUT', 'NOT_CONTROLLER']);

/** Manages the topics of an application. */
export class KafkaAdmin {
  /** Resolves when the topics of the configuration exist, or could not be created; never rejects. */
  readonly ready: Promise<void>;
  readonly #parts: KafkaAdminParts;
  #setReady!: () => void;
  #endWait: (() => void) | undefined;
  #isClosed = false;
  #failure: Error | undefined;

  constructor(parts: KafkaAdminParts) {
    this.#parts = parts;
    this.ready = new Promise((resolve) => (this.#setReady = resolve));
  }

  /** The admin client itself, for everything else. */
  get client(): DriverAdmin {
    return this.#parts.client;
  }

  /** Starts the work and waits for it up to `startTimeoutMs`. Rejects only with `failFast`. */
  async initialize(): Promise<void> {
    const { topics, options, clock, log } = this.#parts;
    if (topics.length === 0 || options.autoCreate === false) {
      this.#setReady();
      return;
    }
    const work = this.#createWhenPossible();
    const timeoutMs = options.startTimeoutMs ?? START_TIMEOUT_MS;
    const isDone = await new Promise<boolean>((resolve) => {
      const timer = clock.setTimer(timeoutMs, () => resolve(false));
      void work.then(() => {
        timer.cancel();
        resolve(true);
      });
    });
    const names = topics.map((topic) => topic.name).join(', ');
    if (options.failFast === true && (!isDone || this.#failure !== undefined)) {
      const reason = this.#failure?.message ?? `no answer within ${milliseconds(timeoutMs)}`;
      throw new KafkaTemplateError(
        errorCodeOf(this.#failure) ?? 'TIMEOUT',
        `The topics ${names} could not be created (${reason}) and admin.failFast is true`,
        this.#failure,
      );
    }
    if (!isDone) {
      // That the broker is away, and why, the client has said.
      log.info(
        `The application starts without its topics (${names}), which could not be created within ` +
          `${milliseconds(timeoutMs)}: they are created, and listeners begin, when the broker is there`,
      );
    }
  }

  /** Creates or grows these topics now. Rejects with the broker's error. */
  async createOrModifyTopics(...topics: NewTopic[]): Promise<void> {
    const existing = await this.describeTopics(...topics.map((topic) => topic.name));
    const byName = new Map(existing.map((topic) => [topic.name, topic]));
    for (const topic of topics) await this.#createOrGrow(topic, byName.get(topic.name));
  }

  /** Those of the named topics that exist. */
  describeTopics(...names: string[]): Promise<readonly TopicDescription[]> {
    return this.#parts.client.describeTopics(names);
  }

  /** Disconnects. The module does it when the application shuts down. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endWait?.();
    await this.#parts.client.close(CLOSE_TIMEOUT_MS);
  }

  async #createWhenPossible(): Promise<void> {
    const { topics, log } = this.#parts;
    for (let delayMs = RETRY_MS; !this.#isClosed; delayMs = Math.min(RETRY_MAX_MS, delayMs * 2)) {
      try {
        await this.createOrModifyTopics(...topics);
        break;
      } catch (error) {
        if (this.#isClosed) break;
        if (!isAway(error)) {
          this.#failure = error as Error;
          log.error('The topics of the configuration could not be created; listeners start without them', error);
          break;
        }
        log.debug(`The topics could not be created yet: ${messageOf(error)}`);
        await this.#wait(delayMs);
      }
    }
    this.#setReady();
  }

  async #createOrGrow(topic: NewTopic, existing: TopicDescription | undefined): Promise<void> {
    if (existing !== undefined) return this.#grow(topic, existing);
    const { client, log } = this.#parts;
    try {
      await client.createTopic(topic);
      log.info(`Created topic ${topic.name}`);
    } catch (error) {
      if (errorCodeOf(error) !== 'TOPIC_ALREADY_EXISTS') throw error;
      // Somebody was faster: another instance of the application, or a record that was sent before the topic was there
      // and made the broker create it with its own number of partitions.
      const [created] = await client.describeTopics([topic.name]);
      if (created !== undefined) await this.#grow(topic, created);
    }
  }

  async #grow(topic: NewTopic, existing: TopicDescription): Promise<void> {
    const { client, log } = this.#parts;
    const wanted = topic.partitions ?? existing.partitions;
    if (wanted > existing.partitions) {
      await client.createPartitions(topic.name, wanted);
      log.info(`Topic ${topic.name} grew from ${existing.partitions} to ${wanted} partitions`);
    } else if (wanted < existing.partitions) {
      log.warn(`Topic ${topic.name} has ${existing.partitions} partitions and keeps them: ${wanted} would be fewer`);
    }
  }

  async #wait(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#parts.clock.setTimer(delayMs, resolve);
      this.#endWait = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

function isAway(error: unknown): boolean {
  return AWAY_CODES.has(errorCodeOf(error) ?? '') || (error as { retriable?: unknown }).retriable === true;
}
