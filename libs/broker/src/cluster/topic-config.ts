/**
 * From a topic's own configs and the broker's defaults to what is in effect.
 *
 * Guarantees: `checkTopicConfigs` answers in Kafka's sentences; `effectiveTopicConfig` never fails on checked entries.
 */
import type { CleanupPolicy, TopicCompression, TopicConfig } from '../log/log-config.js';
import type { BrokerConfig, ConfigEntries } from './broker-config.js';
import {
  canonicalText,
  checkConfig,
  readBoolean,
  readList,
  readNumber,
  type ConfigDefinition,
} from './config-definition.js';
import { TOPIC_CONFIGS, TOPIC_CONFIG_SYNONYMS } from './topic-config-table.js';

const BY_NAME = new Map(TOPIC_CONFIGS.map((definition) => [definition.name, definition]));

/** The definition of a topic config, or undefined when there is none of this name. */
export function topicConfigDefinition(name: string): ConfigDefinition | undefined {
  return BY_NAME.get(name);
}

/** Null when the entries may be a topic's own configs, else Kafka's sentence about the first that may not. */
export function checkTopicConfigs(entries: ConfigEntries, broker: BrokerConfig): string | null {
  for (const [name, value] of Object.entries(entries)) {
    const definition = BY_NAME.get(name);
    if (!definition) return `Unknown topic config name: ${name}`;
    const complaint = checkConfig(definition, value);
    if (complaint !== null) return complaint;
  }
  const minLag = readNumber(topicConfigText('min.compaction.lag.ms', entries, broker) ?? '0');
  const maxLag = readNumber(topicConfigText('max.compaction.lag.ms', entries, broker) ?? '0');
  if (minLag > maxLag) {
    return `conflict topic config setting min.compaction.lag.ms (${minLag}) > max.compaction.lag.ms (${maxLag})`;
  }
  return null;
}

/** The default of a topic config on this broker: the strongest broker config that is set, else Kafka's own. */
function brokerDefault(name: string, broker: BrokerConfig): string | null {
  for (const synonym of TOPIC_CONFIG_SYNONYMS[name] ?? []) {
    const value = broker.text(synonym.name);
    if (value === null) continue;
    if (synonym.factor === 1) return value;
    const number = readNumber(value);
    return number < 0 ? '-1' : String(number * synonym.factor);
  }
  return BY_NAME.get(name)?.defaultValue ?? null;
}

/** The value in effect as Kafka prints it; null when it is not set (only for internal configs). */
export function topicConfigText(name: string, overrides: ConfigEntries, broker: BrokerConfig): string | null {
  const own = overrides[name];
  const definition = BY_NAME.get(name);
  if (own === undefined || !definition) return brokerDefault(name, broker);
  return canonicalText(definition, own);
}

/** Everything in effect for a topic, typed, for the log and the partitions. */
export function effectiveTopicConfig(overrides: ConfigEntries, broker: BrokerConfig): TopicConfig {
  const text = (name: string): string => topicConfigText(name, overrides, broker) ?? '';
  const number = (name: string): number => readNumber(text(name));
  const testSegmentBytes = topicConfigText('internal.segment.bytes', overrides, broker);
  return {
    cleanupPolicy: readList(text('cleanup.policy')) as CleanupPolicy[],
    segmentBytes: testSegmentBytes === null ? number('segment.bytes') : readNumber(testSegmentBytes),
    segmentMs: number('segment.ms'),
    segmentJitterMs: number('segment.jitter.ms'),
    segmentIndexBytes: number('segment.index.bytes'),
    indexIntervalBytes: number('index.interval.bytes'),
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    deleteRetentionMs: number('delete.retention.ms'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
    maxCompactionLagMs: number('max.compaction.lag.ms'),
    minCleanableDirtyRatio: number('min.cleanable.dirty.ratio'),
    fileDeleteDelayMs: number('file.delete.delay.ms'),
    maxMessageBytes: number('max.message.bytes'),
    messageTimestampType: text('message.timestamp.type') as TopicConfig['messageTimestampType'],
    messageTimestampBeforeMaxMs: number('message.timestamp.before.max.ms'),
    messageTimestampAfterMaxMs: number('message.timestamp.after.max.ms'),
    compressionType: text('compression.type') as TopicCompression,
    flushMessages: number('flush.messages'),
    flushMs: number('flush.ms'),
    minInsyncReplicas: number('min.insync.replicas'),
    uncleanLeaderElectionEnable: readBoolean(text('unclean.leader.election.enable')),
  };
}
