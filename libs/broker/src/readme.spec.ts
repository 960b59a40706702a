/**
 * The README: its program runs here and must print what the README says, its table of APIs is the registry's.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConsumer, createProducer } from '@kafka-template/client';
import { HANDLERS } from './api/registry.js';
import { createBroker } from './index.js';

const README = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');

describe('README', () => {
  it('shows a program that works', async () => {
    const printed: string[] = [];
    const console = { log: (text: string) => printed.push(text) };

    // <readme>
    const broker = await createBroker({ config: { 'num.partitions': 3 } });

    const producer = createProducer({ bootstrapServers: broker.bootstrapServers });
    const { partition, offset } = await producer.send({ topic: 'orders', key: 'order-1', value: 'a book' });
    console.log(`stored in partition ${partition} at offset ${offset}`);

    const consumer = createConsumer({
      bootstrapServers: broker.bootstrapServers,
      groupId: 'billing',
      autoOffsetReset: 'earliest',
    });
    consumer.subscribe('orders');
    let records = await consumer.poll(1000);
    while (records.isEmpty) records = await consumer.poll(1000);
    for (const { value } of records) console.log(`read ${value?.toString()}`);

    await consumer.close();
    await producer.close();
    await broker.close();
    // </readme>

    const source = readFileSync(import.meta.filename, 'utf8');
    const lines = /\/\/ <readme>\n([^]*?) *\/\/ <\/readme>/.exec(source)![1]!;
    expect(README).toContain(lines.replace(/^ {4}/gm, '').trim());
    expect(README).toContain(`\`\`\`text\n${printed.join('\n')}\n\`\`\``);
  });

  it('lists every API with the versions that are served', () => {
    const rows = HANDLERS.map(({ api, versions }) => `| ${api.key} | ${api.name} | ${versions[0]}–${versions[1]} |`);
    for (const row of rows) expect(README).toContain(row);
    expect(README.match(/^\| \d+ \|/gm)).toHaveLength(rows.length);
  });
});
