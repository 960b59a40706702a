/**
 * Which partition a record goes to: the one it names, the application's partitioner, murmur2 of its key as Java does, or
 * the next partition in turn for a whole batch. kafkajs asks again with every retry; a record keeps what was chosen first.
 */
import { partitionForKey } from '@kafka-template/client';
import type { ProducerProperties } from '../driver-options.js';
import { KafkaJsError } from './kafkajs.error.js';
import { NOT_CHOSEN } from './kafkajs.outgoing.js';
import type { KafkaJsMessage } from './kafkajs.types.js';

interface Question {
  readonly topic: string;
  readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
  readonly message: KafkaJsMessage;
}

type OwnRule = (record: Pick<KafkaJsMessage, 'key' | 'value'> & { topic: string }, count: number) => number | null;

/** kafkajs' `createPartitioner`, without and with a partitioner of the application. */
export function partitionChooser(own: ProducerProperties['partitioner']): (question: Question) => number {
  const ownRule = own?.partition.bind(own) as OwnRule | undefined;
  return ({ topic, partitionMetadata, message }) => {
    const { key, value, turn } = message;
    if (message.chosen === NOT_CHOSEN) {
      const wanted = ownRule?.({ topic, key, value }, partitionMetadata.length) ?? null;
      message.chosen = wanted ?? builtIn(key, turn, partitionMetadata);
    }
    // kafkajs would drop the record without a word.
    message.isMisdirected = !partitionMetadata.some(({ partitionId }) => partitionId === message.chosen);
    if (message.isMisdirected) throw new NoSuchPartition(topic, message.chosen, partitionMetadata.length);
    return message.chosen;
  };
}

/** By its `type`, kafkajs looks the topic up again: it may have grown. */
class NoSuchPartition extends KafkaJsError {
  readonly type = 'UNKNOWN_TOPIC_OR_PARTITION';

  constructor(topic: string, partition: number, count: number) {
    super('UNKNOWN_TOPIC_OR_PARTITION', `There is no partition ${partition} of ${topic}: it has ${count}, from 0 on.`, {
      retriable: true,
    });
  }
}

function builtIn(key: KafkaJsMessage['key'], turn: number, partitions: Question['partitionMetadata']): number {
  if (key !== null) return partitionForKey(key, partitions.length);
  const led = partitions.filter(({ leader }) => leader >= 0);
  const choice = led.length > 0 ? led : partitions;
  return choice[turn % choice.length]?.partitionId ?? 0;
}
