/**
 * What every coordination store must do, as a suite of Jest tests over a factory.
 *
 * Guarantees: only the port of store.ts is used, so one suite judges the embedded store and ZooKeeper alike; tests wait
 * for events, never for time, and use names of their own, so that a shared server may serve them all.
 */
import { StoreError, type CoordinationSession, type CoordinationStore, type WatchEvent } from './store.js';

/** How the suite gets at a store, and takes a session away as the store would after silence. */
export interface StoreUnderTest {
  readonly store: CoordinationStore;
  expire(session: CoordinationSession): Promise<void>;
  stop(): Promise<void>;
}

const bytes = (text: string): Buffer => Buffer.from(text);
const TIMEOUT_MS = 10_000;

/** A watch and the promise of what it is told. */
function expectation(): { watch: (event: WatchEvent) => void; event: Promise<WatchEvent>; events: WatchEvent[] } {
  const events: WatchEvent[] = [];
  let tell: (event: WatchEvent) => void = () => undefined;
  const event = new Promise<WatchEvent>((resolve) => {
    tell = resolve;
  });
  const watch = (told: WatchEvent): void => {
    events.push(told);
    tell(told);
  };
  return { watch, event, events };
}

/** Declares the suite under the given name. */
export function describeStore(name: string, start: () => Promise<StoreUnderTest>): void {
  describe(`coordination store: ${name}`, () => {
    let subject: StoreUnderTest;
    let session: CoordinationSession;
    let other: CoordinationSession;
    let root = '';
    let roots = 0;

    const code = async (promise: Promise<unknown>): Promise<string> => {
      try {
        await promise;
        return 'OK';
      } catch (error) {
        return error instanceof StoreError ? error.code : String(error);
      }
    };

    beforeAll(async () => {
      subject = await start();
    });
    afterAll(() => subject.stop());
    beforeEach(async () => {
      session = await subject.store.openSession({ timeoutMs: TIMEOUT_MS });
      other = await subject.store.openSession({ timeoutMs: TIMEOUT_MS });
      root = `/suite-${process.pid}-${(roots += 1)}`;
      await session.create(root, bytes(''), 'persistent');
    });
    afterEach(async () => {
      await session.close();
      await other.close();
    });

    const context = {
      session: () => session,
      other: () => other,
      path: (rest: string) => `${root}/${rest}`,
      root: () => root,
      expire: (target: CoordinationSession) => subject.expire(target),
      open: () => subject.store.openSession({ timeoutMs: TIMEOUT_MS }),
      code,
    };
    describe('nodes', () => nodeTests(context));
    describe('multi', () => multiTests(context));
    describe('watches', () => watchTests(context));
    describe('sessions', () => sessionTests(context));
  });
}

interface SuiteContext {
  session(): CoordinationSession;
  other(): CoordinationSession;
  path(rest: string): string;
  root(): string;
  expire(session: CoordinationSession): Promise<void>;
  open(): Promise<CoordinationSession>;
  code(promise: Promise<unknown>): Promise<string>;
}

function nodeTests({ session, other, path, root, code }: SuiteContext): void {
  it('creates, reads, changes and deletes a node, with versions', async () => {
    const created = await session().create(path('a'), bytes('one'), 'persistent');
    expect(created).toMatchObject({ path: path('a'), stat: { version: 0, ephemeralOwner: null, childCount: 0 } });
    const changed = await session().set(path('a'), bytes('two'), 0);
    expect(changed.version).toBe(1);
    expect(changed.czxid).toBe(created.stat?.czxid);
    expect(changed.mzxid).toBeGreaterThan(changed.czxid);
    const read = await other().get(path('a'));
    expect(read.data.toString()).toBe('two');
    expect(read.stat).toEqual(changed);
    expect(await code(session().delete(path('a'), 0))).toBe('BAD_VERSION');
    await session().delete(path('a'), 1);
    expect(await session().exists(path('a'))).toBeNull();
  });

  it('refuses what cannot be, and says why', async () => {
    await session().create(path('a'), bytes(''), 'persistent');
    await session().create(path('a/b'), bytes(''), 'ephemeral');
    expect(await code(session().create(path('a'), bytes(''), 'persistent'))).toBe('NODE_EXISTS');
    expect(await code(session().create(path('none/x'), bytes(''), 'persistent'))).toBe('NO_NODE');
    expect(await code(session().create(path('a/b/c'), bytes(''), 'persistent'))).toBe('NO_CHILDREN_FOR_EPHEMERALS');
    expect(await code(session().get(path('none')))).toBe('NO_NODE');
    expect(await code(session().children(path('none')))).toBe('NO_NODE');
    expect(await code(session().set(path('none'), bytes(''), -1))).toBe('NO_NODE');
    expect(await code(session().set(path('a'), bytes(''), 7))).toBe('BAD_VERSION');
    expect(await code(session().delete(path('none'), -1))).toBe('NO_NODE');
    expect(await code(session().delete(path('a'), -1))).toBe('NOT_EMPTY');
    expect(await code(session().create('relative', bytes(''), 'persistent'))).toBe('BAD_ARGUMENTS');
    expect(await code(session().create(`${root()}/`, bytes(''), 'persistent'))).toBe('BAD_ARGUMENTS');
  });

  it('keeps data of any bytes and any length up to 500 kB', async () => {
    const data = Buffer.from(Array.from({ length: 500_000 }, (_, index) => (index * 31) & 0xff));
    await session().create(path('bytes'), data, 'persistent');
    expect((await other().get(path('bytes'))).data.equals(data)).toBe(true);
  });

  it('lists children by name', async () => {
    for (const name of ['c', 'a', 'b']) await session().create(path(name), bytes(''), 'persistent');
    expect(await other().children(root())).toEqual(['a', 'b', 'c']);
    expect((await session().exists(root()))?.childCount).toBe(3);
  });

  it('numbers sequential nodes upwards and never twice', async () => {
    const first = await session().create(path('n-'), bytes(''), 'persistentSequential');
    const second = await session().create(path('n-'), bytes(''), 'ephemeralSequential');
    await session().delete(second.path, -1);
    const third = await session().create(path('n-'), bytes(''), 'persistentSequential');
    const names = [first, second, third].map((result) => result.path);
    expect(new Set(names).size).toBe(3);
    expect([...names].sort()).toEqual(names);
    expect(first.path).toMatch(/n-\d{10}$/);
  });

  it('does the operations of a session in the order of the calls', async () => {
    await session().create(path('a'), bytes('0'), 'persistent');
    const writes = Array.from({ length: 50 }, (_, index) => session().set(path('a'), bytes(String(index)), index));
    const read = session().get(path('a'));
    expect((await Promise.all(writes)).map((stat) => stat.version)).toEqual(writes.map((_, index) => index + 1));
    expect((await read).data.toString()).toBe('49');
  });
}

function multiTests({ session, other, path, code }: SuiteContext): void {
  it('does all steps, each seeing the ones before it, as one change', async () => {
    const results = await session().multi([
      { type: 'create', path: path('a'), data: bytes('1'), mode: 'persistent' },
      { type: 'create', path: path('a/b'), data: bytes('2'), mode: 'persistent' },
      { type: 'set', path: path('a'), data: bytes('3'), version: 0 },
      { type: 'check', path: path('a'), version: 1 },
      { type: 'delete', path: path('a/b'), version: 0 },
    ]);
    expect(results).toHaveLength(5);
    expect(results[4]?.path).toBe(path('a/b'));
    const { data, stat } = await other().get(path('a'));
    expect(data.toString()).toBe('3');
    expect(stat).toMatchObject({ version: 1, childCount: 0 });
    expect(stat.mzxid).toBe(stat.czxid);
  });

  it('does nothing at all when one step fails, and names the step', async () => {
    await session().create(path('epoch'), bytes('5'), 'persistent');
    const failed = session().multi([
      { type: 'create', path: path('a'), data: bytes(''), mode: 'persistent' },
      { type: 'set', path: path('epoch'), data: bytes('6'), version: 0 },
      { type: 'create', path: path('seq-'), data: bytes(''), mode: 'persistentSequential' },
      { type: 'check', path: path('epoch'), version: 0 },
    ]);
    await expect(failed).rejects.toMatchObject({ code: 'BAD_VERSION', failedOperation: 3 });
    expect(await other().exists(path('a'))).toBeNull();
    expect((await other().get(path('epoch'))).data.toString()).toBe('5');
    expect(await code(session().create(path('a'), bytes(''), 'persistent'))).toBe('OK');
  });

  it('lets only one of two win who expect the same version', async () => {
    await session().create(path('epoch'), bytes('0'), 'persistent');
    const claim = (who: CoordinationSession, name: string) =>
      who.multi([
        { type: 'create', path: path('leader'), data: bytes(name), mode: 'ephemeral' },
        { type: 'set', path: path('epoch'), data: bytes(name), version: 0 },
      ]);
    const outcomes = await Promise.allSettled([claim(session(), 'one'), claim(other(), 'two')]);
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(won).toHaveLength(1);
    const leader = (await session().get(path('leader'))).data.toString();
    expect((await session().get(path('epoch'))).data.toString()).toBe(leader);
  });
}

function watchTests({ session, other, path, root, code }: SuiteContext): void {
  it('tells of data, once', async () => {
    await session().create(path('a'), bytes('0'), 'persistent');
    const { watch, event, events } = expectation();
    await session().get(path('a'), watch);
    await other().set(path('a'), bytes('1'), -1);
    await other().set(path('a'), bytes('2'), -1);
    expect(await event).toEqual({ type: 'dataChanged', path: path('a') });
    await session().get(path('a'));
    expect(events).toHaveLength(1);
  });

  it('tells of a node that comes and one that goes', async () => {
    const coming = expectation();
    expect(await session().exists(path('a'), coming.watch)).toBeNull();
    await other().create(path('a'), bytes(''), 'persistent');
    expect(await coming.event).toEqual({ type: 'created', path: path('a') });
    const going = expectation();
    await session().exists(path('a'), going.watch);
    await other().delete(path('a'), -1);
    expect(await going.event).toEqual({ type: 'deleted', path: path('a') });
  });

  it('tells of children that come and go, but not of their data', async () => {
    await other().create(path('a'), bytes(''), 'persistent');
    const coming = expectation();
    await session().children(root(), coming.watch);
    await other().set(path('a'), bytes('x'), -1);
    await other().create(path('b'), bytes(''), 'persistent');
    expect(await coming.event).toEqual({ type: 'childrenChanged', path: root() });
    const going = expectation();
    expect(await session().children(root(), going.watch)).toEqual(['a', 'b']);
    await other().delete(path('a'), -1);
    expect(await going.event).toEqual({ type: 'childrenChanged', path: root() });
    expect(await session().children(root())).toEqual(['b']);
  });

  it('sets no watch when the read fails', async () => {
    const { watch, events } = expectation();
    expect(await code(session().get(path('a'), watch))).toBe('NO_NODE');
    await session().create(path('a'), bytes(''), 'persistent');
    await session().get(path('a'));
    expect(events).toEqual([]);
  });

  it('tells a session of a change before it can read what came of it', async () => {
    await session().create(path('a'), bytes('0'), 'persistent');
    const seen: string[] = [];
    await session().get(path('a'), () => seen.push('event'));
    const written = other().set(path('a'), bytes('1'), -1);
    for (let read = '0'; read === '0';) {
      read = (await session().get(path('a'))).data.toString();
      seen.push(read);
    }
    await written;
    expect(seen.indexOf('event')).toBeGreaterThanOrEqual(0);
    expect(seen.indexOf('event')).toBeLessThan(seen.indexOf('1'));
  });
}

function sessionTests({ session, other, path, root, code, expire, open }: SuiteContext): void {
  it('takes the ephemeral nodes of a closed session away, and nothing else', async () => {
    const leaving = await open();
    await leaving.create(path('gone'), bytes(''), 'ephemeral');
    await leaving.create(path('stays'), bytes(''), 'persistent');
    expect((await session().get(path('gone'))).stat.ephemeralOwner).toBe(leaving.id);
    const { watch, event } = expectation();
    await session().exists(path('gone'), watch);
    let told = false;
    leaving.onLost(() => {
      told = true;
    });
    await leaving.close();
    expect((await event).type).toBe('deleted');
    expect(await session().children(root())).toEqual(['stays']);
    expect(await code(leaving.exists(root()))).toBe('SESSION_LOST');
    expect(told).toBe(false);
  });

  it('tells a session that it was given up, and refuses it from then on', async () => {
    const victim = await open();
    await victim.create(path('mine'), bytes(''), 'ephemeral');
    const { watch, event } = expectation();
    await session().exists(path('mine'), watch);
    const lost = new Promise<void>((resolve) => victim.onLost(resolve));
    await expire(victim);
    await lost;
    expect((await event).type).toBe('deleted');
    expect(victim.lost).toBe(true);
    expect(await code(victim.create(path('again'), bytes(''), 'persistent'))).toBe('SESSION_LOST');
    expect(await session().exists(path('mine'))).toBeNull();
    let late = false;
    victim.onLost(() => {
      late = true;
    });
    expect(late).toBe(true);
  });

  it('gives a later registration of the same name a higher zxid', async () => {
    const first = await other().create(path('broker'), bytes(''), 'ephemeral');
    await other().delete(path('broker'), -1);
    const second = await session().create(path('broker'), bytes(''), 'ephemeral');
    expect(second.stat?.czxid).toBeGreaterThan(first.stat?.czxid ?? Infinity);
  });
}
