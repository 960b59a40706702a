/**
 * The demo application: in this process for what it does, as the command `npm start` for how it starts and ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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
    expect(await post(url, 'sync', { ...order('1'), quantity: 0 })).toMatchObject({ status: 400 });
    expect(await post(url, 'sync', { ...order('1'), coupon: 'x' })).toMatchObject({ status: 400 });
    expect(await post(url, 'sometimes', order('1'))).toMatchObject({
      status: 400,
      body: { message: 'mode must be one of forget, sync, callback' },
    });
    expect((await fetch(`${url}/orders/1`)).status).toBe(404);
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
  function command(environment: Record<string, string>) {
    const child = spawn(process.execPath, [resolve('scripts/start.mjs')], {
      env: { ...process.env, BOOTSTRAP_SERVERS: '', PORT: '0', BROKER_PORT: '0', DATA_DIR: dataDir, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.push(child);
    const output = { out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output.err += chunk.toString()));
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

  it.each(['PORT', 'BROKER_PORT'])(
    'says in one sentence that %s is taken, with exit code 1',
    async (name) => {
      const { port, server } = await takenPort();
      try {
        const { ended, output } = command({ [name]: String(port) });
        expect(await ended).toBe(1);
        expect(output.err).toMatch(new RegExp(`^Port ${port} is taken, .*${name}.*\\n$`));
        expect(output.out).toBe('');
      } finally {
        server.close();
      }
    },
    120_000,
  );
});
