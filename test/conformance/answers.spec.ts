/**
 * Raw requests, valid and not, and what Apache Kafka 4.3.1 answered to them: our broker must answer the same.
 *
 * The recordings are in answers/, one step a line, and are played in their order on one broker with fresh data. Steps of
 * APIs and versions the broker does not advertise are left out, steps without an answer only set the scene; where we differ
 * on purpose, `DIFFERENT` says why in a few words and FINDINGS.md in more.
 */
import { readFileSync } from 'node:fs';
import { createBroker, type Broker } from '@kafka-template/broker';
import {
  APIS,
  ApiVersions,
  CreateTopics,
  decodeResponse,
  encodeRequest,
  type Api,
  type RequestInput,
} from '@kafka-template/protocol';
import { differences } from './support/answer-difference.js';
import { readAnswerSteps, requestAt, substitute, type AnswerStep, type Pattern } from './support/answer-steps.js';
import { RawConnection } from './support/raw-connection.js';

const CLIENT_ID = 'exam';
const WAIT_MS = 20_000;

/** Steps that mean something only where this API is served as well. */
const DEPENDS_ON: readonly (readonly [steps: RegExp, api: string])[] = [[/^c[gs]/, 'ConsumerGroupHeartbeat']];

/** Where our answer is another one, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'produce.nullrecords': 'Kafka never answers null records; we refuse them like empty ones',
  'produce.badcodec': 'Kafka fails inside (UNKNOWN_SERVER_ERROR); we say that the batch is corrupt',
  'produce.lyingcodec': 'we do not decompress what we only pass on; a consumer finds out',
  'dc.brokerdefault':
    'Kafka without ZooKeeper stores min.insync.replicas as a default of the cluster; we store nothing unasked',
  'dg.empty': 'the recording deleted the group "" in a step that was left out of it',
  'list.empty': 'the recording has groups of steps that were left out of it',
  'list.lo': 'the recording has groups of steps that were left out of it',
  ...Object.fromEntries(
    ['tx.fetch.after', 'tx2.fetch', 'tx4.fetch', 'tx5.fetch'].map((id) => [
      id,
      'Kafka ends a fetch with the segment, and the marker, years after the records, began another; we read on',
    ]),
  ),
  'bad.array.neg': 'Kafka takes any negative length for null; for us it is a malformed frame',
};

const steps = readAnswerSteps();
const bindings = new Map<string, Pattern>();
const connections = new Map<string, RawConnection>();
const pending = new Map<string, { api: Api; version: number; connection: RawConnection; step: AnswerStep }>();
let broker: Broker;
let served = new Map<number, readonly [number, number]>();
let correlationId = 1;

beforeAll(async () => {
  broker = await createBroker({
    config: {
      'auto.create.topics.enable': true,
      'num.partitions': 1,
      'group.consumer.min.heartbeat.interval.ms': 500,
      'group.consumer.heartbeat.interval.ms': 500,
    },
  });
  const { apiKeys } = await call(ApiVersions, 4, { clientSoftwareName: 'exam', clientSoftwareVersion: '1' });
  served = new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]));
});

afterAll(async () => {
  for (const connection of connections.values()) connection.close();
  await broker.close();
});

async function connectionOf(name = ''): Promise<RawConnection> {
  const known = connections.get(name);
  if (known !== undefined && !known.closed) return known;
  const opened = await RawConnection.open(broker.host, broker.port);
  connections.set(name, opened);
  return opened;
}

async function call<A extends Api>(api: A, version: number, request: RequestInput<A>) {
  const connection = await connectionOf('set-up');
  connection.send(...encodeRequest(api, version, correlationId++, CLIENT_ID, request));
  const answer = await connection.next();
  if (!('frame' in answer)) throw new Error(`${api.name} v${version} was not answered: ${answer.end}`);
  return decodeResponse(api, version, answer.frame);
}

async function createTopics(topics: NonNullable<AnswerStep['topics']>): Promise<void> {
  const rows = Object.entries(topics).map(([pattern, wanted]) => ({
    name: String(substitute(pattern, bindings) as string),
    numPartitions: typeof wanted === 'number' ? wanted : 1,
    replicationFactor: 1,
    assignments: [],
    configs: typeof wanted === 'number' ? [] : Object.entries(wanted.configs).map(([name, value]) => ({ name, value })),
  }));
  const created = await call(CreateTopics, 7, { topics: rows, timeoutMs: WAIT_MS, validateOnly: false });
  for (const { name, topicId, errorCode, errorMessage } of created.topics) {
    if (errorCode !== 0) throw new Error(`Topic ${name} could not be created: ${errorMessage}`);
    bindings.set(`id:${name}`, topicId);
  }
}

/** The whole frame, damaged as the step says. */
function frameOf(step: AnswerStep, api: Api, version: number): Buffer {
  const request = requestAt(api.request, version, step.request ?? null, bindings) as RequestInput<Api>;
  const clientId = step.clientId === undefined ? CLIENT_ID : step.clientId;
  const whole = Buffer.concat(encodeRequest(api, version, correlationId++, clientId, request));
  let body = whole.subarray(4);
  const { cut = 0, append = '', set = [] } = step.mangle ?? {};
  body = Buffer.concat([body.subarray(0, body.length - cut), Buffer.from(append, 'hex')]);
  for (const [at, hex] of set) body.write(hex, at < 0 ? body.length + at : at, 'hex');
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

async function exchange(step: AnswerStep, api: Api, version: number): Promise<unknown> {
  const connection = await connectionOf(step.mangle ? 'mangled' : step.connection);
  connection.send(frameOf(step, api, version));
  if (step.later === true) {
    pending.set(step.id, { api, version, connection, step });
    return { sent: true };
  }
  if (step.noReply === true) return { reply: await silence(connection) };
  return answerTo(step, api, version, connection);
}

/** A request with acks=0: either the connection ends, or the next request on it is answered next. */
async function silence(connection: RawConnection): Promise<'none' | 'closed'> {
  connection.send(...encodeRequest(ApiVersions, 0, 77, CLIENT_ID, {}));
  const answer = await connection.next();
  return 'frame' in answer && answer.frame.readInt32BE(0) === 77 ? 'none' : 'closed';
}

async function answerTo(step: AnswerStep, api: Api, version: number, connection: RawConnection): Promise<unknown> {
  const answer = await connection.next(step.waitMs ?? WAIT_MS);
  if (!('frame' in answer)) return answer.end === 'closed' ? { closed: true, aliveAfter: true } : { timeout: true };
  if (step.mangle !== undefined) return { answer: 'bytes', aliveAfter: true };
  const body = decodeResponse(api, version, answer.frame) as unknown;
  for (const [name, path] of Object.entries(step.save ?? {})) bindings.set(name, at(body, path) as Pattern);
  return step.keep === undefined ? body : { part: at(body, step.keep) };
}

function at(value: unknown, path: string): unknown {
  return path
    .split('/')
    .slice(1)
    .reduce<unknown>((inner, name) => (inner as Record<string, unknown> | null)?.[name], value);
}

async function play(step: AnswerStep, version: number): Promise<unknown> {
  if (step.raw !== undefined) {
    const connection = await connectionOf('mangled');
    connection.send(Buffer.from(step.raw, 'hex'));
    return 'frame' in (await connection.next()) ? { answer: 'bytes' } : { closed: true, aliveAfter: true };
  }
  if (step.awaits !== undefined) {
    const waiting = pending.get(step.awaits)!;
    return answerTo(waiting.step, waiting.api, waiting.version, waiting.connection);
  }
  const api = apiOf(step)!;
  bindings.set('v', version);
  if (step.topics !== undefined) await createTopics(step.topics);
  return exchange(step, api, version);
}

async function differencesOf(step: AnswerStep, version: number): Promise<string[]> {
  const recorded = step.answers?.find(({ versions }) => versions === undefined || versions.includes(version));
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const actual = await play(step, version);
    const found = recorded === undefined ? [] : differences(recorded.body, actual);
    if (found.length === 0 || step.eventually !== true || Date.now() > deadline) {
      return found.map((difference) => `v${version}${difference}`);
    }
  }
}

function apiOf(step: AnswerStep): Api | undefined {
  return APIS.find(({ name }) => name === step.api);
}

function keyOf(api: string): number {
  return APIS.find(({ name }) => name === api)?.key ?? -1;
}

function servedVersions(step: AnswerStep): readonly number[] {
  if (step.api === undefined) return [0];
  const needed = DEPENDS_ON.find(([steps]) => steps.test(step.id))?.[1];
  if (needed !== undefined && !served.has(keyOf(needed))) return [];
  const range = served.get(keyOf(step.api));
  return range === undefined ? [] : step.versions!.filter((version) => version >= range[0] && version <= range[1]);
}

const FINDINGS = readFileSync(new URL('FINDINGS.md', import.meta.url), 'utf8');

describe('answers: what Kafka answers to raw requests', () => {
  it('differs from our answers where FINDINGS.md says so, and nowhere else', () => {
    const listed = FINDINGS.split('\n').flatMap((line) => /^\| (`[^|]+`) \|/.exec(line)?.[1]?.match(/[\w.]+/g) ?? []);
    expect(listed.filter((id) => steps.some((step) => step.id === id)).sort()).toEqual(Object.keys(DIFFERENT).sort());
  });

  for (const step of steps) {
    it(step.id, async () => {
      if (step.api === undefined && step.topics !== undefined) await createTopics(step.topics);
      else {
        const found: string[] = [];
        for (const version of servedVersions(step)) found.push(...(await differencesOf(step, version)));
        if (DIFFERENT[step.id] === undefined) expect(found).toEqual([]);
        else expect(found).not.toEqual([]);
      }
    });
  }
});
