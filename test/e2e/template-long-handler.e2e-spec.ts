/**
 * A handler that works for longer than `maxPollIntervalMs` keeps its member in the group: the rest is paused, and polls go on.
 */
import { Injectable } from '@nestjs/common';
import { KafkaAdmin, KafkaListener, KafkaTemplate, newTopic } from '@kafka-template/nestjs';
import { uniqueName } from '../support/broker.js';
import { NestApps, TEMPLATE_DRIVERS } from '../support/nest-apps.js';
import { until } from '../support/until.js';

const MAX_POLL_INTERVAL_MS = 5_000;
/** How long the handler works: a member that does not poll would be out of the group by then. */
const WORK_MS = 2 * MAX_POLL_INTERVAL_MS;

describe.each(TEMPLATE_DRIVERS)('template: a handler longer than maxPollIntervalMs, on $name', ({ driver }) => {
  let apps: NestApps;

  beforeAll(async () => {
    apps = await NestApps.start(driver);
  });
  afterAll(() => apps.close());

  it('no partition is lost, nothing comes again, and its record is committed', async () => {
    const topic = uniqueName('long');
    const groupId = uniqueName('group');
    const seen: string[] = [];
    const lost: unknown[] = [];
    @Injectable()
    class Listener {
      @KafkaListener({
        topics: topic,
        groupId,
        rebalanceListener: {
          onPartitionsRevokedBeforeCommit: (partitions) => void lost.push(partitions),
          onPartitionsLost: (partitions) => void lost.push(partitions),
        },
        properties: { autoOffsetReset: 'earliest', maxPollIntervalMs: MAX_POLL_INTERVAL_MS, heartbeatIntervalMs: 500 },
      })
      async onRecord(value: string) {
        seen.push(value);
        if (value === 'long') await new Promise((resolve) => setTimeout(resolve, WORK_MS));
      }
    }
    const app = await apps.app({ topics: [newTopic(topic)], providers: [Listener] });
    for (const value of ['long', 'next']) await app.get(KafkaTemplate).send(topic, value);
    const committed = async () => (await app.get(KafkaAdmin).client.listConsumerGroupOffsets(groupId))[0]?.offset;
    await until(async () => (await committed()) === 2, 'both were committed');
    expect([seen, lost]).toEqual([['long', 'next'], []]);
  });
});
