import { DiskError } from '../io/disk.js';
import { MemoryDisk } from '../io/memory-disk.js';
import { silentLogger } from '../io/logger.js';
import { COORDINATION_LOG, EmbeddedStore } from './embedded-store.js';
import { JournalError } from './journal.js';
import { describeStore } from './store.suite.js';

const DIR = '/data';
const LOG = `${DIR}/${COORDINATION_LOG}`;
const bytes = (text: string): Buffer => Buffer.from(text);

async function newDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await disk.mkdir(DIR);
  return disk;
}

function open(disk: MemoryDisk): Promise<EmbeddedStore> {
  return EmbeddedStore.open({ disk, dataDir: DIR, logger: silentLogger });
}

describeStore('embedded', async () => {
  const store = await open(await newDisk());
  return { store, expire: (session) => store.expire(session.id), stop: () => store.close() };
});

describe('EmbeddedStore on disk', () => {
  it('comes back with everything persistent, and without what was ephemeral', async () => {
    const disk = await newDisk();
    const before = await open(disk);
    const session = await before.openSession();
    await session.create('/a', bytes('text'), 'persistent');
    await session.create('/a/raw', Buffer.from([0xff, 0, 0xfe]), 'persistent');
    await session.create('/a/mine', bytes(''), 'ephemeral');
    await session.create('/a/gone', bytes(''), 'persistent');
    await session.delete('/a/gone', -1);
    const first = await session.create('/a/n-', bytes(''), 'persistentSequential');
    const { stat } = await session.get('/a');
    await before.close();

    const after = await open(disk);
    const reader = await after.openSession();
    expect(await reader.children('/a')).toEqual([first.path.slice('/a/'.length), 'raw']);
    expect((await reader.get('/a/raw')).data).toEqual(Buffer.from([0xff, 0, 0xfe]));
    expect((await reader.get('/a')).stat).toEqual({ ...stat, childCount: 2 });
    const second = await reader.create('/a/n-', bytes(''), 'persistentSequential');
    expect(second.path > first.path).toBe(true);
    expect(second.stat?.czxid).toBeGreaterThan(stat.czxid);
  });

  it('gives zxids that grow over restarts even when only ephemeral nodes were made', async () => {
    const disk = await newDisk();
    const zxids: number[] = [];
    for (let start = 0; start < 3; start += 1) {
      const store = await open(disk);
      const session = await store.openSession();
      const { stat } = await session.create('/broker', bytes(''), 'ephemeral');
      zxids.push(stat?.czxid ?? -1);
      await store.close();
    }
    expect([...zxids].sort((left, right) => left - right)).toEqual(zxids);
    expect(new Set(zxids).size).toBe(3);
  });

  it('forgets a torn end at every byte, and keeps what was answered', async () => {
    const disk = await newDisk();
    const store = await open(disk);
    const session = await store.openSession();
    await session.create('/a', bytes('1'), 'persistent');
    const answered = (await disk.readFile(LOG)).length;
    await session.create('/b', bytes('2'), 'persistent');
    await store.close();
    const whole = await disk.readFile(LOG);
    for (let length = answered; length < whole.length; length += 1) {
      const torn = await newDisk();
      await torn.replaceFile(LOG, whole.subarray(0, length), { sync: true });
      const again = await open(torn);
      const reader = await again.openSession();
      expect(await reader.children('/')).toEqual(['a']);
      await reader.create('/c', bytes('3'), 'persistent');
      await again.close();
      const last = await open(torn);
      expect(await (await last.openSession()).children('/')).toEqual(['a', 'c']);
      await last.close();
    }
  });

  it('refuses a journal that is damaged before its end', async () => {
    const disk = await newDisk();
    const store = await open(disk);
    const session = await store.openSession();
    await session.create('/a', bytes('1'), 'persistent');
    await session.create('/b', bytes('2'), 'persistent');
    await store.close();
    const content = Buffer.from(await disk.readFile(LOG));
    content.writeUInt8(content.readUInt8(12) ^ 1, 12);
    await disk.replaceFile(LOG, content, { sync: true });
    await expect(open(disk)).rejects.toThrow(JournalError);
    await expect(open(disk)).rejects.toThrow(/damaged at byte 0/);
  });

  it('rewrites the journal when it has grown, without losing anything', async () => {
    const disk = await newDisk();
    const store = await open(disk);
    const session = await store.openSession();
    await session.create('/a', bytes(''), 'persistent');
    await session.create('/a/n-', bytes('kept'), 'persistentSequential');
    const big = Buffer.alloc(200_000, 'x');
    for (let round = 0; round < 30; round += 1) await session.set('/a', big, -1);
    expect((await disk.readFile(LOG)).length).toBeLessThan(4.3 * 1024 * 1024);
    const { stat } = await session.get('/a');
    await store.close();
    const again = await open(disk);
    const reader = await again.openSession();
    expect((await reader.get('/a')).stat).toEqual(stat);
    expect(await reader.children('/a')).toEqual(['n-0000000000']);
    expect((await reader.create('/a/n-', bytes(''), 'persistentSequential')).path).toBe('/a/n-0000000001');
  });

  it('writes operations that arrive together as one entry', async () => {
    const disk = await newDisk();
    const store = await open(disk);
    const session = await store.openSession();
    const paths = Array.from({ length: 20 }, (_, index) => `/n${index}`);
    await Promise.all(paths.map((path) => session.create(path, bytes(''), 'persistent')));
    const content = await disk.readFile(LOG);
    expect(content.readUInt32BE(0) + 8).toBe(content.length);
  });

  it('undoes and refuses what there is no room for, and goes on when there is', async () => {
    const disk = await newDisk();
    const store = await open(disk);
    const session = await store.openSession();
    const other = await store.openSession();
    await session.create('/a', bytes('1'), 'persistent');
    await other.create('/a/alive', bytes(''), 'ephemeral');
    const events: string[] = [];
    await session.get('/a', ({ type }) => events.push(type));
    disk.capacityBytes = disk.usedBytes + 10;
    const outcomes = await Promise.allSettled([
      session.set('/a', bytes('2'), -1),
      session.create('/a/n-', bytes(''), 'persistentSequential'),
      other.close(),
      session.set('/a', bytes('3'), -1),
    ]);
    expect(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason as unknown)).toMatchObject(
      Array.from({ length: 4 }, () => ({ code: 'NO_SPACE' })),
    );
    // Who watched may look again, and finds what was there; a session that ends has ended.
    expect(events).toEqual(['dataChanged']);
    expect(await session.get('/a')).toMatchObject({ data: bytes('1'), stat: { version: 0 } });
    expect(await session.children('/a')).toEqual([]);

    disk.capacityBytes = Infinity;
    expect(await session.set('/a', bytes('4'), 0)).toMatchObject({ version: 1 });
    expect((await session.create('/a/n-', bytes(''), 'persistentSequential')).path).toBe('/a/n-0000000000');
    await store.close();
    const again = await (await open(disk)).openSession();
    expect(await again.get('/a')).toMatchObject({ data: bytes('4'), stat: { version: 1 } });
    expect(await again.children('/a')).toEqual(['n-0000000000']);
  });

  it('goes on with a journal it has no room to rewrite', async () => {
    const disk = await newDisk();
    const store = await open(disk);
    const session = await store.openSession();
    await session.create('/a', bytes(''), 'persistent');
    disk.intercept = (operation) => {
      if (operation === 'replace') throw new DiskError('The disk is full', 'ENOSPC');
    };
    for (let index = 0; index < 50; index++) await session.set('/a', Buffer.alloc(100_000, index), -1);
    expect(disk.counts.replace).toBeGreaterThan(0);
    disk.intercept = null;
    await store.close();
    const again = await (await open(disk)).openSession();
    expect((await again.get('/a')).data).toEqual(Buffer.alloc(100_000, 49));
  });

  it('gives everything up when the journal cannot be written', async () => {
    const disk = await newDisk();
    const store = await open(disk);
    const session = await store.openSession();
    await session.create('/a', bytes(''), 'persistent');
    const lost = new Promise<void>((resolve) => session.onLost(resolve));
    disk.intercept = (operation) => {
      if (operation === 'write') throw new DiskError('The device fails', 'EIO');
    };
    await expect(session.create('/b', bytes(''), 'persistent')).rejects.toMatchObject({ code: 'STORE_FAILED' });
    await lost;
    await expect(session.get('/a')).rejects.toMatchObject({ code: 'SESSION_LOST' });
    await expect(store.openSession()).rejects.toMatchObject({ code: 'STORE_FAILED' });
  });
});
