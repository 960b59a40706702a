/**
 * What many groups, and large ones, cost our broker: a restart with 10,000 groups that have offsets, and the rebalance of 50
 * members. There is no peer: the figures are held against the limits in libs/broker/README.md.
 *
 * `restart` is the time from the start of the process until it has answered, in one request, what all groups have committed;
 * its memory is the peak of the process up to then, and `without groups` is the same on an empty directory. `rebalance` is
 * the time from the subscription of the last member until all members, our consumers in one process, have their partitions
 * of the new generation; heartbeats, by which members learn of it, come every 100 ms.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdmin, createConsumer } from '@kafka-template/client';
import {
  decodeResponse,
  encodeRequest,
  FindCoordinator,
  FrameSplitter,
  OffsetCommit,
  OffsetFetch,
  responseCorrelationId,
} from '@kafka-template/protocol';
import { startBroker } from './support/broker.mjs';
import { figuresOf } from './support/measure.mjs';
import { peakMbOf } from './support/process-stats.mjs';

const GROUPS = 10_000;
const PARTITIONS = 5;
const TOPIC = 'work';
const MEMBERS = 50;
const HEARTBEAT_MS = 100;
const IN_FLIGHT_MAX = 200;
const FRAME_BYTES_MAX = 100 * 1024 * 1024;
const LOADING = new Set([14, 15, 16]);
const DEADLINE_MS = 60_000;

/** One connection: `call` sends at once, answers come in their order. */
function open(bootstrapServers) {
  const [host, port] = bootstrapServers.split(':');
  const socket = connect(Number(port), host);
  const waiting = new Map();
  const splitter = new FrameSplitter(FRAME_BYTES_MAX);
  let correlationId = 0;
  socket.on('data', (chunk) =>
    splitter.push(chunk, (frame) => {
      const { api, version, resolve } = waiting.get(responseCorrelationId(frame));
      waiting.delete(responseCorrelationId(frame));
      resolve(decodeResponse(api, version, Buffer.from(frame)));
    }),
  );
  return {
    call(api, version, body) {
      const id = ++correlationId;
      for (const part of encodeRequest(api, version, id, 'bench', body)) socket.write(part);
      return new Promise((resolve) => waiting.set(id, { api, version, resolve }));
    },
    close: () => socket.destroy(),
  };
}

const groupId = (index) => `group-${String(index).padStart(5, '0')}`;
const partitionsOf = (index) =>
  Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
    partitionIndex,
    committedOffset: index * PARTITIONS + partitionIndex,
    committedLeaderEpoch: -1,
    committedMetadata: '',
  }));

async function createTopic(bootstrapServers, numPartitions) {
  const admin = createAdmin({ bootstrapServers });
  await admin.createTopics([{ name: TOPIC, numPartitions, replicationFactor: 1 }]);
  await admin.close();
}

/** Commits offsets of all groups. */
async function fill({ bootstrapServers }) {
  await createTopic(bootstrapServers, PARTITIONS);
  const client = open(bootstrapServers);
  await client.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: [groupId(0)] });
  await untilRight(async () => {
    for (let from = 0; from < GROUPS; from += IN_FLIGHT_MAX) {
      const sent = Array.from({ length: IN_FLIGHT_MAX }, (_, at) =>
        client.call(OffsetCommit, 8, {
          groupId: groupId(from + at),
          generationIdOrMemberEpoch: -1,
          memberId: '',
          topics: [{ name: TOPIC, partitions: partitionsOf(from + at) }],
        }),
      );
      for (const { topics } of await Promise.all(sent)) {
        if (topics.some(({ partitions }) => partitions.some(({ errorCode }) => errorCode !== 0))) return false;
      }
    }
    return true;
  });
  client.close();
}

/** True when the broker tells the right offsets of all groups; false while it is still loading some. */
async function isRight(client) {
  const groups = Array.from({ length: GROUPS }, (_, index) => ({ groupId: groupId(index), topics: null }));
  const { groups: answered } = await client.call(OffsetFetch, 8, { groups, requireStable: false });
  return answered.every(({ errorCode, topics }, index) => {
    if (LOADING.has(errorCode)) return false;
    const found = topics[0]?.partitions.map(({ committedOffset }) => committedOffset).sort((a, b) => a - b);
    const wanted = partitionsOf(index).map(({ committedOffset }) => committedOffset);
    if (errorCode !== 0 || String(found) !== String(wanted)) throw new Error(`${groupId(index)} has offsets ${found}`);
    return true;
  });
}

async function untilRight(condition) {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await condition())) if (Date.now() > deadline) throw new Error('the groups are still being loaded');
}

async function restart(dataDir, groups) {
  const began = performance.now();
  const running = await startBroker({ dataDir });
  const client = open(running.bootstrapServers);
  if (groups > 0) await untilRight(() => isRight(client));
  else await client.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: [groupId(0)] });
  const result = { startMs: performance.now() - began, rssMb: peakMbOf(running.pid) };
  client.close();
  await running.stop();
  return result;
}

/** Members that poll all the time. */
class Crowd {
  consumers = [];
  stopped = false;
  loops = [];

  constructor(bootstrapServers, groupId) {
    this.options = { bootstrapServers, groupId, heartbeatIntervalMs: HEARTBEAT_MS, autoOffsetReset: 'earliest' };
  }

  enter() {
    const consumer = createConsumer(this.options);
    consumer.subscribe(TOPIC);
    this.consumers.push(consumer);
    this.loops.push(
      (async () => {
        while (!this.stopped) await consumer.poll(HEARTBEAT_MS);
      })(),
    );
  }

  /** Until all partitions are given out, to everybody at least one, all in one generation. */
  async untilShared() {
    const deadline = Date.now() + DEADLINE_MS;
    const generations = () => new Set(this.consumers.map((each) => each.groupMetadata().generationId));
    const owned = () => this.consumers.map((each) => each.assignment().length);
    const shared = () =>
      generations().size === 1 && owned().every(Boolean) && owned().reduce((sum, each) => sum + each) === MEMBERS;
    while (!shared()) {
      if (Date.now() > deadline) throw new Error('the group does not become stable');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async end() {
    this.stopped = true;
    await Promise.all(this.loops);
    await Promise.all(this.consumers.map((each) => each.close()));
  }
}

async function rebalance(run) {
  const running = await startBroker();
  try {
    await createTopic(running.bootstrapServers, MEMBERS);
    const crowd = new Crowd(running.bootstrapServers, `crowd-${run}`);
    for (let member = 1; member < MEMBERS; member += 1) crowd.enter();
    await crowd.untilShared();
    const began = performance.now();
    crowd.enter();
    await crowd.untilShared();
    const averageMs = performance.now() - began;
    await crowd.end();
    return { averageMs };
  } finally {
    await running.stop();
  }
}

/** See the file comment. */
export default async function groups({ runs }) {
  const dataDir = mkdtempSync(join(tmpdir(), 'bench-groups-'));
  const empty = mkdtempSync(join(tmpdir(), 'bench-no-groups-'));
  const repeated = async (workload, once) => {
    const results = [];
    for (let run = 0; run < runs; run++) {
      process.stderr.write(`${workload}, run ${run + 1} of ${runs}\n`);
      results.push(await once(run));
    }
    return figuresOf('ours', workload, results);
  };
  try {
    const running = await startBroker({ dataDir });
    await fill(running);
    await running.stop();
    return [
      ...(await repeated(`restart with ${GROUPS} groups of ${PARTITIONS} offsets`, () => restart(dataDir, GROUPS))),
      ...(await repeated('restart without groups', () => restart(empty, 0))),
      ...(await repeated(`rebalance of ${MEMBERS} members`, rebalance)),
    ];
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
    rmSync(empty, { recursive: true, force: true });
  }
}
