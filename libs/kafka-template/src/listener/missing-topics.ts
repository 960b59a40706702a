/**
 * Looks, when containers start, whether the topics they name exist.
 *
 * With `missingTopicsFatal` a missing topic, or no answer within the time, is an error; without, a warning that names the
 * topic and the option, and no answer is no news: the consumer itself will say that the broker is away.
 */
import type { DriverAdmin } from '../drivers/driver.js';
import { reasonOf } from '../io/error-report.js';
import { KafkaTemplateError, KafkaTemplateErrorCode, messageOf } from '../errors.js';
import type { Clock } from '../io/clock.js';
import type { Log } from '../io/log.js';
import { milliseconds } from '../io/wording.js';
import type { ContainerSettings } from './container-settings.js';

/** Topics that settings name; a pattern names none. */
export function namedTopics(settings: ContainerSettings): readonly string[] {
  const { source } = settings;
  if (source.kind === 'topics') return source.topics;
  if (source.kind === 'partitions') return [...new Set(source.partitions.map((option) => option.topic))];
  return [];
}

/** Rejects with MISSING_TOPICS when one of these topics is not there. */
export async function requireTopics(
  settings: ContainerSettings,
  admin: DriverAdmin,
  { clock, topicsReady }: { readonly clock: Clock; readonly topicsReady: Promise<void> },
): Promise<void> {
  const { topicCheckTimeoutMs, id } = settings;
  const search = topicsReady.then(() => findMissing(settings, admin));
  const missing = await withDeadline(search, topicCheckTimeoutMs, clock).catch((error: unknown) => {
    throw new KafkaTemplateError(
      KafkaTemplateErrorCode.MISSING_TOPICS,
      `Listener ${id} cannot start: its topics could not be checked within ${milliseconds(topicCheckTimeoutMs)} ` +
        `(${reasonOf(error)}) and missingTopicsFatal is true`,
      error,
    );
  });
  if (missing.length === 0) return;
  throw new KafkaTemplateError(
    KafkaTemplateErrorCode.MISSING_TOPICS,
    `Topic(s) [${missing.join(', ')}] is/are not present and missingTopicsFatal is true. Listener ${id} needs them: ` +
      'create them (topics: [newTopic(...)] in KafkaModule.forRoot does it at start), or set missingTopicsFatal to false',
  );
}

/** Warns when one of these topics is not there. Never rejects. */
export async function warnOfMissingTopics(settings: ContainerSettings, admin: DriverAdmin, log: Log): Promise<void> {
  try {
    const missing = await findMissing(settings, admin);
    if (missing.length === 0) return;
    log.warn(
      `Listener ${settings.id} reads topic(s) [${missing.join(', ')}], which do not exist yet: it waits for them, and the ` +
        'broker may create them with its own number of partitions. Create them with topics: [newTopic(...)] in ' +
        'KafkaModule.forRoot, or set listener.missingTopicsFatal to refuse to start',
    );
  } catch (error) {
    log.debug(`Listener ${settings.id}: its topics could not be checked: ${messageOf(error)}`);
  }
}

async function findMissing(settings: ContainerSettings, admin: DriverAdmin): Promise<readonly string[]> {
  const wanted = namedTopics(settings);
  if (wanted.length === 0) return [];
  const present = new Set((await admin.describeTopics(wanted)).map((topic) => topic.name));
  return wanted.filter((topic) => !present.has(topic));
}

function withDeadline<T>(work: Promise<T>, timeoutMs: number, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(timeoutMs, () => reject(new Error('no answer from the broker')));
    work.then(
      (result) => {
        timer.cancel();
        resolve(result);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
