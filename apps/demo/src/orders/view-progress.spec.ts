import type {
  ConsumerRecord,
  ContainerEvent,
  KafkaListenerEndpointRegistry,
  TopicPartition,
} from '@kafka-template/nestjs';
import { until } from '../../../../test/support/until.js';
import type { Cluster, PartitionRange } from '../status/cluster.js';
import { ViewProgress } from './view-progress.js';

const PARTITIONS = [0, 1, 2].map((partition) => ({ topic: 'orders', partition }));

/** A progress on a broker that answers with these ranges, or fails first. */
function progressOn(answers: (readonly PartitionRange[] | Error)[]) {
  let tell: (event: ContainerEvent) => void = () => undefined;
  const registry = { onEvent: (listener: typeof tell) => ((tell = listener), () => undefined) };
  const asked: (readonly TopicPartition[])[] = [];
  const ranges = (partitions: readonly TopicPartition[]) => {
    asked.push(partitions);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const progress = new ViewProgress(
    { ranges } as unknown as Cluster,
    registry as unknown as KafkaListenerEndpointRegistry,
  );
  const assign = (listenerId: string) =>
    tell({
      type: 'partitions-assigned',
      name: 'ConsumerPartitionsAssignedEvent',
      containerId: `${listenerId}-0`,
      listenerId,
      partitions: PARTITIONS,
    });
  const read = (partition: number, offset: number) =>
    progress.received({ topic: 'orders', partition, offset } as ConsumerRecord);
  return { progress, assign, read, asked };
}

const range = (partition: number, start: number, end: number) => ({ topic: 'orders', partition, start, end });

describe('the progress of the view', () => {
  it('is complete when everything that was there at the start has been read', async () => {
    const { progress, assign, read, asked } = progressOn([[range(0, 0, 2), range(1, 5, 5), range(2, 0, 1)]]);
    assign('billing');
    expect([asked.length, progress.isComplete]).toEqual([0, false]);
    assign('view');
    // Records may come before the broker has said how many there are.
    read(0, 0);
    read(2, 0);
    await Promise.resolve();
    expect(progress.isComplete).toBe(false);
    read(0, 1);
    await until(() => progress.isComplete, 'the last record counted');
    progress.onApplicationShutdown();
  });

  it('is complete at once when there is nothing', async () => {
    const { progress, assign } = progressOn([PARTITIONS.map(({ partition }) => range(partition, 3, 3))]);
    assign('view');
    await until(() => progress.isComplete, 'it was complete');
    progress.onApplicationShutdown();
  });

  it('asks again when the broker does not answer', async () => {
    const { progress, assign, asked } = progressOn([new Error('away'), [range(0, 0, 0)]]);
    assign('view');
    await until(() => progress.isComplete, 'it was complete');
    expect(asked).toEqual([PARTITIONS, PARTITIONS]);
    progress.onApplicationShutdown();
  });
});
