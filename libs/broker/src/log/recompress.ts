/**
 * Gives a batch the compression its topic asks for (`compression.type` other than `producer`).
 * Guarantees: same records, producer id, sequence and attributes; a batch that has the compression already is returned as is.
 * Leaves out speed: this unpacks every record on the event loop, which is why `producer` is the default.
 */
import {
  BatchBuilder,
  COMPRESSION_NAMES,
  type CompressionName,
  RecordReader,
  batchBaseSequence,
  batchCompression,
  batchProducerEpoch,
  batchProducerId,
  isTransactionalBatch,
} from '@kafka-template/protocol';
import type { TopicCompression } from './log-config.js';

/** The batch in the topic's compression. Throws a `ProtocolError` when its records cannot be read. */
export function recompress(batch: Buffer, topicCompression: TopicCompression): Buffer {
  if (topicCompression === 'producer') return batch;
  const wanted: CompressionName = topicCompression === 'uncompressed' ? 'none' : topicCompression;
  if (COMPRESSION_NAMES[batchCompression(batch)] === wanted) return batch;
  const reader = new RecordReader(batch);
  reader.nextBatch();
  const builder = new BatchBuilder({ capacityBytes: 2 * batch.length, compression: wanted });
  while (reader.nextRecord()) builder.append(reader.timestamp, reader.key(), reader.value(), reader.headers());
  return builder.finish({
    producerId: batchProducerId(batch),
    producerEpoch: batchProducerEpoch(batch),
    baseSequence: batchBaseSequence(batch),
    transactional: isTransactionalBatch(batch),
  });
}
