import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { createAdmin } from '@kafka-template/client';
import { createBroker } from './broker.js';
import { MemoryDisk } from './io/memory-disk.js';

const DIR = 'data';

async function listing(disk: MemoryDisk): Promise<[path: string, content: string][]> {
  const paths = disk.list().filter((path) => !path.endsWith('.lock'));
  return Promise.all(
    paths.map(async (path) => [path, (await disk.readFile(path)).toString('latin1')] as [string, string]),
  );
}

describe('createBroker: a data directory of somebody else', () => {
  it.each([
    ['another broker', 'node.id=5\n', /belongs to broker 5, this is broker 0/],
    ['a cluster whose state is missing', 'cluster.id=c\nnode.id=0\n', /belongs to cluster c, whose state is not in it/],
  ])('is left exactly as it was: %s', async (_whose, properties, message) => {
    const disk = new MemoryDisk(() => 5);
    await disk.mkdir(`${DIR}/t-0`);
    await disk.replaceFile(`${DIR}/meta.properties`, Buffer.from(properties), { sync: true });
    await disk.replaceFile(`${DIR}/.kafka_cleanshutdown`, Buffer.from('{}'), { sync: true });
    const before = await listing(disk);
    await expect(createBroker({ dataDir: DIR, ports: { disk } })).rejects.toThrow(message);
    expect(await listing(disk)).toEqual(before);
  });

  it('is not touched while another broker has it', async () => {
    const disk = new MemoryDisk(() => 5);
    const first = await createBroker({ dataDir: DIR, ports: { disk } });
    try {
      const before = await listing(disk);
      await expect(createBroker({ dataDir: DIR, ports: { disk } })).rejects.toThrow(/is in use by another broker/);
      expect(await listing(disk)).toEqual(before);
    } finally {
      await first.close();
    }
  });
});

describe('createBroker: limits of connections', () => {
  it('follows max.connections.per.ip when it is changed while the broker runs', async () => {
    const broker = await createBroker();
    const admin = createAdmin({ bootstrapServers: broker.bootstrapServers });
    const sockets: Socket[] = [];
    try {
      const change = { name: 'max.connections.per.ip', value: '1' };
      await admin.alterConfigs([{ type: 'broker', name: '0', changes: [change] }]);
      const refused = connect(broker.port, broker.host);
      sockets.push(refused);
      refused.resume();
      // The admin has its connection already; nothing beyond it is taken.
      await once(refused, 'close');
    } finally {
      for (const socket of sockets) socket.destroy();
      await admin.close();
      await broker.close();
    }
  });
});
