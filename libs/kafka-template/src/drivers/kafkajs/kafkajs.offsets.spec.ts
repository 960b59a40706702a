import { systemClock } from '../../io/clock.js';
import { KafkaJsOffsets } from './kafkajs.offsets.js';
import type { KafkaJsCluster } from './kafkajs.types.js';

it('looks offsets up again when a leader has moved, with fresh metadata, until the time is up', async () => {
  let failures = 2;
  let refreshed = 0;
  const cluster = {
    addMultipleTargetTopics: async () => undefined,
    refreshMetadata: async () => void refreshed++,
    fetchTopicsOffset: async () => {
      if (failures-- > 0)
        throw Object.assign(new Error('moved'), { type: 'NOT_LEADER_FOR_PARTITION', retriable: true });
      return [{ topic: 't', partitions: [{ partition: 0, offset: '7' }] }];
    },
  } as unknown as KafkaJsCluster;
  const lookup = new KafkaJsOffsets(cluster, { clock: systemClock, timeoutMs: 20_000, retryBackoffMs: 1 });
  expect(await lookup.end([{ topic: 't', partition: 0 }])).toEqual([{ topic: 't', partition: 0, offset: 7 }]);
  expect(refreshed).toBe(2);
  failures = Infinity;
  const hasty = new KafkaJsOffsets(cluster, { clock: systemClock, timeoutMs: 5, retryBackoffMs: 1 });
  await expect(hasty.end([{ topic: 't', partition: 0 }])).rejects.toMatchObject({ code: 'NOT_LEADER_OR_FOLLOWER' });
});
