/**
 * The demo application: in this process for what it does, as the command `npm start` for how it starts and ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type Server, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { createBroker } from '@kafka-template/broker';
import { createProducer } from '@kafka-template/client';
import { type Demo, startDemo } from '../../apps/demo/src/demo.js';
import type { OrderEntry } from '../../apps/demo/src/orders/order-view.js';
import type { Status } from '../../apps/demo/src/status/status.controller.js';
import { startTestBroker } from '../support/broker.js';
import { SILENT } from '../support/nest-apps.js';
import { until } from '../support/until.js';

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'kafka-template-demo-'));
});

afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function post(
  url: string,
  mode: string,
  order: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}/orders?mode=${mode}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function get<T>(url: string, path: string): Promise<T> {
  return (await (await fetch(`${url}${path}`)).json()) as T;
}

function order(id: string): object {
  return { id, customer: 'Ada', item: 'book', quantity: 2 };
}

/** Waits until billing and shipping have committed so many records in all. */
async function settled(url: string, count: number): Promise<Status> {
  let status: Status | undefined;
  await until(async () => {
    status = await get<Status>(url, '/status');
    return ['billing', 'shipping'].every((group) => committedBy(status, group) === count);
  }, `${count} orders were billed and shipped`);
  return status as Status;
}

function committedBy(status: Status | undefined, group: string): number {
  return (status?.committed[group] ?? []).reduce((sum, { offset }) => sum + offset, 0);
}

function receivedBy(status: Status, listener: string): number {
  return (status.received[listener] ?? []).reduce((sum, { count }) => sum + count, 0);
}

describe('demo: the application', () => {
  let demo: Demo | undefined;

  async function start(settings: { bootstrapServers?: string } = {}): Promise<Demo> {
    const { bootstrapServers } = settings;
    demo = await startDemo({ port: 0, brokerPort: 0, dataDir, bootstrapServers });
    demo.app.useLogger(SILENT);
    return demo;
  }

  afterEach(async () => {
    await demo?.close();
    demo = undefined;
  });

  it('takes orders in three modes, bills and ships them, and says so', async () => {
    const { url } = await start();
    expect(await post(url, 'sync', order('1'))).toEqual({
      status: 201,
      body: { id: '1', mode: 'sync', topic: 'orders', partition: expect.any(Number) as number, offset: 0 },
    });
    expect(await post(url, 'forget', order('2'))).toEqual({ status: 202, body: { id: '2', mode: 'forget' } });
    expect(await post(url, 'callback', order('3'))).toEqual({ status: 202, body: { id: '3', mode: 'callback' } });
    const status = await settled(url, 3);
    expect(status.sent).toEqual({ forget: 1, sync: 1, callback: 1, acknowledged: 3, failed: 0 });
    expect([receivedBy(status, 'billing'), receivedBy(status, 'shipping')]).toEqual([3, 3]);
    await until(async () => (await get<OrderEntry>(url, '/orders/2')).state === 'billed', 'the view had the invoice');
    expect(await get<OrderEntry>(url, '/orders/1')).toMatchObject({
      order: order('1'),
      state: 'billed',
      mode: 'sync',
      invoice: { orderId: '1', amountCents: 2000 },
    });
  });

  it('refuses what is not an order, and an unknown mode', async () => {
    const { url } = await start();
    const onlyMessage = (message: string) => ({ status: 400, body: { message: [message] } });
    for (const quantity of [0, 1001, 1.5, '2', undefined]) {
      const refused = onlyMessage('quantity must be an integer from 1 to 1000');
      expect(await post(url, 'sync', { ...order('1'), quantity })).toMatchObject(refused);
    }
    const noText = onlyMessage('id must be a text of 1 to 64 characters');
    for (const id of [1, '', undefined]) expect(await post(url, 'sync', { ...order('1'), id })).toMatchObject(noText);
    for (const type of ['application/x-www-form-urlencoded', 'text/plain']) {
      const body = JSON.stringify(order('1'));
      const response = await fetch(`${url}/orders`, { method: 'POST', headers: { 'content-type': type }, body });
      expect([response.status, await response.text()]).toEqual([
        415,
        expect.stringMatching(/send the header content-type: application\/json/),
      ]);
    }
    expect(await post(url, 'sync', { ...order('1'), coupon: 'x' })).toMatchObject({ status: 400 });
    expect(await post(url, 'sometimes', order('1'))).toMatchObject({
      status: 400,
      body: { message: 'mode must be one of forget, sync, callback' },
    });
    await until(async () => (await fetch(`${url}/orders/1`)).status === 404, 'the view had read the empty topics');
    expect((await get<Status>(url, '/status')).sent).toMatchObject({ acknowledged: 0, failed: 0 });
  });

  it('goes on where it stopped: what was billed is not billed again, what was shown is shown again', async () => {
    const first = await start();
    for (const id of ['1', '2']) await post(first.url, 'sync', order(id));
    await settled(first.url, 2);
    await first.close();

    const { url } = await start();
    await until(async () => receivedBy(await get<Status>(url, '/status'), 'view') === 4, 'the view was built again');
    await post(url, 'sync', order('3'));
    const status = await settled(url, 3);
    expect([receivedBy(status, 'billing'), receivedBy(status, 'shipping')]).toEqual([1, 1]);
    expect(await get<OrderEntry>(url, '/orders/1')).toMatchObject({ order: order('1'), state: 'billed' });
  });

  it('takes a deleted order and foreign records as they come', async () => {
    const { url, bootstrapServers } = await start();
    for (const id of ['1', '2']) await post(url, 'sync', order(id));
    const producer = createProducer({ bootstrapServers });
    await producer.send({ topic: 'orders', key: '1', value: null });
    await producer.send({ topic: 'orders', key: 'x', value: 'no order' });
    await producer.send({ topic: 'orders', key: 'y', value: '{"no":"order"}' });
    await producer.send({ topic: 'orders', key: 'z', value: '{broken' });
    await producer.close();
    await until(async () => (await fetch(`${url}/orders/1`)).status === 404, 'the deleted order was gone');
    await post(url, 'sync', order('3'));
    await until(async () => (await get<OrderEntry>(url, '/orders/3')).state === 'billed', 'the next order was billed');
    expect(await get<OrderEntry>(url, '/orders/2')).toMatchObject({ state: 'billed' });
    expect((await get<Status>(url, '/status')).listeners.every(({ running }) => running)).toBe(true);
  });

  it('says that the broker is away, and that an order has failed for it', async () => {
    const broker = await createBroker();
    const { url } = await start({ bootstrapServers: broker.bootstrapServers });
    expect((await post(url, 'sync', order('1'))).status).toBe(201);
    const before = await settled(url, 1);
    expect(before.broker).toEqual({ bootstrapServers: broker.bootstrapServers, reachable: true });
    await broker.close();
    const status = await get<Status>(url, '/status');
    expect(status.broker).toMatchObject({ reachable: false, reason: expect.stringMatching(/\S/) as string });
    // What is known anyway is told anyway.
    expect(status).toMatchObject({ sent: before.sent, committed: before.committed });
    expect((await post(url, 'forget', order('2'))).status).toBe(202);
    expect((await get<OrderEntry>(url, '/orders/2')).state).toBe('sent');
    const refused = await post(url, 'sync', order('3'));
    const reason = expect.stringMatching(/ topic orders .*Last reason: .*ECONNREFUSED 127\.0\.0\.1:\d+/) as string;
    expect(refused).toMatchObject({ status: 503, body: { message: reason } });
    for (const id of ['2', '3']) {
      await until(async () => (await get<OrderEntry>(url, `/orders/${id}`)).state === 'failed', `order ${id} failed`);
      expect((await get<OrderEntry>(url, `/orders/${id}`)).reason).toMatch(/\S/);
    }
  }, 60_000);

  it('says which option to change when its data is in use', async () => {
    await start();
    const second = startDemo({ port: 0, brokerPort: 0, dataDir, bootstrapServers: undefined });
    await expect(second).rejects.toThrow(/^The bundled broker cannot start: .* in use .*\(--data-dir or DATA_DIR\)\.$/);
  });

  it('shows what its broker warns of', async () => {
    const { app, bootstrapServers } = await start();
    const warnings: unknown[][] = [];
    app.useLogger({ ...SILENT, warn: (...line: unknown[]) => void warnings.push(line) });
    app.flushLogs();
    const socket = connect(Number(bootstrapServers.split(':')[1]), '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\n\r\n'),
    );
    socket.resume();
    await once(socket, 'close');
    // Nest gives what earlier applications of this process have left unshown, too.
    expect(warnings).toContainEqual([expect.stringMatching(/^Connection from .* closed: an HTTP request/), 'Broker']);
  });

  it('starts no broker when there is one', async () => {
    const broker = await startTestBroker();
    try {
      const { bootstrapServers, welcome } = await start({ bootstrapServers: broker.bootstrapServers });
      expect(bootstrapServers).toBe(broker.bootstrapServers);
      expect(welcome).toContain(`${broker.bootstrapServers} (from BOOTSTRAP_SERVERS)`);
      await demo?.close();
      demo = undefined;
    } finally {
      await broker.close();
    }
  });
});

describe('demo: the command', () => {
  const running: ChildProcess[] = [];

  /** `npm start` without npm: builds what changed, then runs. */
  function command(environment: Record<string, string>, args: string[] = [], script = resolve('scripts/start.mjs')) {
    const child = spawn(process.execPath, [script, ...args], {
      env: { ...process.env, BOOTSTRAP_SERVERS: '', PORT: '0', BROKER_PORT: '0', DATA_DIR: dataDir, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.push(child);
    const output = { out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.out += chunk.toString()));
    // On a busy machine the build may take long enough to be told.
    child.stderr.on('data', (chunk: Buffer) => (output.err += chunk.toString().replace(/^Building.*\n/, '')));
    const ended = once(child, 'close').then(([code]) => code as number | null);
    const ready = async () => {
      await until(() => output.out.includes('/status\n') || child.exitCode !== null, 'the demo was ready');
      return /HTTP {4}(\S+)/.exec(output.out)?.[1] ?? `no URL in: ${output.out}${output.err}`;
    };
    return { child, output, ended, ready };
  }

  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  async function takenPort(): Promise<{ port: number; server: Server }> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { port: (server.address() as { port: number }).port, server };
  }

  it('takes what follows `npm start --`', async () => {
    const npm = spawn('npm', ['start', '--', '--prot', '3001'], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(npm);
    let output = '';
    npm.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(npm, 'close')) as [number | null];
    expect(code).not.toBe(0);
    expect(output).toContain("Unknown option '--prot'");
  });

  it('says first where it is and what to type, ends on a signal with code 0, and loses nothing', async () => {
    const first = command({});
    const url = await first.ready();
    const lines = first.output.out.split('\n');
    expect(lines.slice(0, 3)).toEqual([
      `HTTP    ${url}`,
      expect.stringMatching(/^Broker {2}127\.0\.0\.1:\d+ \(bundled, data in .+\)$/),
      'Now type:',
    ]);
    expect(lines.slice(3, 6).every((line) => line.startsWith('  curl '))).toBe(true);
    const ids = Array.from({ length: 20 }, (_, index) => String(index));
    await Promise.all(ids.map((id) => post(url, 'forget', order(id))));
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);

    const second = command({});
    const status = await settled(await second.ready(), ids.length);
    expect(receivedBy(status, 'view')).toBeGreaterThanOrEqual(ids.length);
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(0);
    expect(second.output.err).toBe('');
  }, 120_000);

  it('has its partitions back after a kill without waiting for the dead members to be missed', async () => {
    const first = command({});
    const url = await first.ready();
    await post(url, 'sync', order('1'));
    await settled(url, 1);
    first.child.kill('SIGKILL');
    await first.ended;

    const second = command({});
    const again = await second.ready();
    await post(again, 'sync', order('2'));
    await settled(again, 2);
    // Said when members are waited for; see WAIT_NOTICE_MS.
    expect(second.output.out + second.output.err).not.toContain('Still without partitions');
    expect(second.output.out).toMatch(
      /\[Broker\] The broker had not stopped in order: its logs were checked partitions=\d+/,
    );
    second.child.kill('SIGHUP');
    expect(await second.ended).toBe(0);
    // Not on a terminal, so without colours.
    expect(second.output.out).not.toContain('\u001b[');
  }, 120_000);

  it('ends in order when nobody reads what it says', async () => {
    const { child, ended, output, ready } = command({});
    const url = await ready();
    child.stdout.destroy();
    // Billing and shipping have something to say about it.
    await post(url, 'sync', order('1')).catch(() => 'it ended before it answered');
    expect(await ended).toBe(0);
    expect(output.err).toBe('');
  }, 120_000);

  it('takes options, and ends at once when the broker it was given is away', async () => {
    const { port, server } = await takenPort();
    server.close();
    const args = ['--port', '0', '--bootstrap-servers', `127.0.0.1:${port}`];
    const { child, ended, output, ready } = command({ PORT: '1', BOOTSTRAP_SERVERS: 'nowhere' }, args);
    const url = await ready();
    expect(output.out).toContain(`127.0.0.1:${port} (from BOOTSTRAP_SERVERS)`);
    expect((await get<Status>(url, '/status')).broker.reachable).toBe(false);
    const view = await fetch(`${url}/orders/1`);
    expect([view.status, view.headers.get('retry-after')]).toEqual([503, '1']);
    const pending = ['1', '2', '3'].map((id) => post(url, 'sync', order(id)));
    await post(url, 'callback', order('4'));
    child.kill('SIGINT');
    const stopping = expect.stringMatching(/: the application is stopping/) as string;
    for (const one of pending) expect(await one).toMatchObject({ status: 503, body: { message: stopping } });
    expect(await ended).toBe(0);
  }, 120_000);

  it.each([
    [['--prot', '1'], {}, /^Unknown option '--prot'\. The demo takes --port, .*\n$/],
    [['3001'], {}, /^Unexpected argument '3001'.* The demo takes --port, .*\n$/],
    [[], { BOOTSTRAP_SERVERS: 'foo' }, /^BOOTSTRAP_SERVERS must be host:port, .* and is 'foo'\. .*\n$/],
  ])('says in one sentence what is wrong with %j %j', async (args, environment, message) => {
    const { ended, output } = command(environment, args);
    expect([await ended, output.out]).toEqual([1, '']);
    expect(output.err).toMatch(message);
  });

  it('says that it builds when that takes long', async () => {
    await cp('scripts', join(dataDir, 'scripts'), { recursive: true });
    await mkdir(join(dataDir, 'node_modules/typescript7/bin'), { recursive: true });
    // A build that takes until it is told to end.
    const end = JSON.stringify(join(dataDir, 'end'));
    const wait = `setInterval(() => require('node:fs').existsSync(${end}) && process.exit(7), 20)`;
    await writeFile(join(dataDir, 'node_modules/typescript7/bin/tsc'), wait);
    const child = spawn(process.execPath, [join(dataDir, 'scripts', 'start.mjs')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.push(child);
    const texts = Promise.all([text(child.stdout), text(child.stderr)]);
    const closed = once(child, 'close');
    await once(child.stderr, 'readable');
    await writeFile(join(dataDir, 'end'), '');
    expect(await closed).toEqual([7, null]);
    expect(await texts).toEqual(['', 'Building; this takes a while the first time…\n']);
  });

  it('says before `npm ci` that it is needed', async () => {
    await cp('scripts', join(dataDir, 'scripts'), { recursive: true });
    const { ended, output } = command({}, [], join(dataDir, 'scripts', 'start.mjs'));
    expect(await ended).toBe(1);
    expect(output.err).toMatch(/^The packages are not installed yet: run `npm ci` first.*\n$/);
  });

  it.each([
    ['PORT', '--port'],
    ['BROKER_PORT', '--broker-port'],
  ])(
    'says in one sentence that %s is taken, with exit code 1',
    async (name, option) => {
      const { port, server } = await takenPort();
      try {
        const { ended, output } = command({ [name]: String(port) });
        expect(await ended).toBe(1);
        expect(output.err).toMatch(new RegExp(`^Port ${port} is taken, .*${option} or ${name}.*\\n$`));
        expect(output.out).toBe('');
      } finally {
        server.close();
      }
    },
    120_000,
  );
});
