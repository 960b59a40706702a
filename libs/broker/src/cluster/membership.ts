/**
 * This broker's place in the coordination store: its session, its registration, and whether it is the controller.
 *
 * Guarantees: one live broker per id; at most one controller per controller epoch, and every write of a controller checks
 * that its epoch is still the last, so that one that was paused or cut off cannot write any more.
 * Leaves out what a controller does: see controller.ts. Source: Kafka 3.9 `KafkaZkClient`.
 */
import { BrokerError } from '../errors.js';
import { OPERATIONS_PER_WRITE_MAX } from '../limits.js';
import type { Clock } from '../io/clock.js';
import { randomUuid, type Random } from '../io/random.js';
import type { BrokerInfo } from './image.js';
import { isStoreError, type CoordinationSession, type CoordinationStore, type StoreOperation } from './store.js';
import {
  brokerPath,
  CLUSTER_ID,
  CONTROLLER,
  CONTROLLER_EPOCH,
  decodeBroker,
  decodeClusterId,
  decodeControllerEpoch,
  encodeBroker,
  encodeClusterId,
  encodeController,
  PERSISTENT_PATHS,
} from './znodes.js';

/** What joining needs. */
export interface MembershipOptions {
  readonly store: CoordinationStore;
  /** As told to clients. */
  readonly broker: Omit<BrokerInfo, 'epoch'>;
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** See the file comment. */
export class Membership {
  /** Epoch of this controller, or null while another broker is. */
  controllerEpoch: number | null = null;
  private epochVersion = -1;

  private constructor(
    readonly session: CoordinationSession,
    readonly clusterId: string,
    readonly brokerEpoch: number,
    private readonly options: MembershipOptions,
  ) {}

  /** Opens a session, makes sure of the tree, registers the broker. Rejects with a `BrokerError` when its id is taken. */
  static async join(options: MembershipOptions): Promise<Membership> {
    const session = await options.store.openSession({ timeoutMs: options.sessionTimeoutMs });
    try {
      await ensurePaths(session);
      const clusterId = await ensureClusterId(session, options.random);
      const brokerEpoch = await register(session, options);
      return new Membership(session, clusterId, brokerEpoch, options);
    } catch (error) {
      await session.close().catch(() => undefined);
      throw error;
    }
  }

  /** Tries to become the controller. True when this broker is it now. */
  async elect(): Promise<boolean> {
    const { data, stat } = await this.session.get(CONTROLLER_EPOCH);
    const epoch = decodeControllerEpoch(data) + 1;
    const { broker, clock } = this.options;
    try {
      const [, set] = await this.session.multi([
        { type: 'create', path: CONTROLLER, data: encodeController(broker.id, clock.now()), mode: 'ephemeral' },
        { type: 'set', path: CONTROLLER_EPOCH, data: Buffer.from(String(epoch)), version: stat.version },
      ]);
      this.epochVersion = set?.stat?.version ?? stat.version + 1;
    } catch (error) {
      if (!isStoreError(error, 'NODE_EXISTS', 'BAD_VERSION', 'CONNECTION_LOST')) throw error;
      // The multi may have been ours with its answer lost: then the node belongs to our session.
      const owner = await this.session.exists(CONTROLLER);
      if (owner?.ephemeralOwner !== this.session.id) return false;
      this.epochVersion = stat.version + 1;
    }
    this.controllerEpoch = epoch;
    return true;
  }

  /** Stops being the controller, as far as this broker is concerned. */
  resign(): void {
    this.controllerEpoch = null;
  }

  /** Writes as the controller; BAD_VERSION on the first step means that another broker is it by now. */
  async write(operations: readonly StoreOperation[]): Promise<void> {
    const fence: StoreOperation = { type: 'check', path: CONTROLLER_EPOCH, version: this.epochVersion };
    for (let first = 0; first < operations.length; first += OPERATIONS_PER_WRITE_MAX) {
      await this.session.multi([fence, ...operations.slice(first, first + OPERATIONS_PER_WRITE_MAX)]);
    }
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

async function ensurePaths(session: CoordinationSession): Promise<void> {
  const wanted: [path: string, content: string][] = PERSISTENT_PATHS.map((path) => [path, '']);
  wanted.push([CONTROLLER_EPOCH, '0']);
  // All calls at once: a session does its operations in the order of the calls, so parents come first.
  const known = await Promise.all(wanted.map(([path]) => session.exists(path)));
  const missing = wanted.filter((_, index) => known[index] === null);
  await Promise.all(
    missing.map(([path, content]) =>
      session.create(path, Buffer.from(content), 'persistent').catch((error: unknown) => {
        if (!isStoreError(error, 'NODE_EXISTS')) throw error;
      }),
    ),
  );
}

async function ensureClusterId(session: CoordinationSession, random: Random): Promise<string> {
  if ((await session.exists(CLUSTER_ID)) === null) {
    const data = encodeClusterId(randomUuid(random));
    await session.create(CLUSTER_ID, data, 'persistent').catch((error: unknown) => {
      // Another broker that starts at the same time was faster: its id counts.
      if (!isStoreError(error, 'NODE_EXISTS')) throw error;
    });
  }
  return decodeClusterId((await session.get(CLUSTER_ID)).data);
}

async function register(session: CoordinationSession, options: MembershipOptions): Promise<number> {
  const { broker, clock } = options;
  const path = brokerPath(broker.id);
  const deadlineMs = clock.monotonic() + options.sessionTimeoutMs;
  for (;;) {
    try {
      const { stat } = await session.create(path, encodeBroker(broker, clock.now()), 'ephemeral');
      return stat?.czxid ?? 0;
    } catch (error) {
      if (!isStoreError(error, 'NODE_EXISTS')) throw error;
    }
    // It may be our own registration from before a crash: that one goes when its session has timed out.
    if (await goneBefore(session, path, deadlineMs, clock)) continue;
    const { data } = await session.get(path);
    const other = decodeBroker(broker.id, data, 0);
    const message = `Broker id ${broker.id} is in use by ${other.host}:${other.port}. Give each broker its own broker.id.`;
    throw new BrokerError('CONFIG', message);
  }
}

function goneBefore(session: CoordinationSession, path: string, deadlineMs: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(Math.max(0, deadlineMs - clock.monotonic()), () => resolve(false));
    const gone = (): void => {
      clock.clearTimer(timer);
      resolve(true);
    };
    session.exists(path, gone).then((stat) => {
      if (stat === null) gone();
    }, reject);
  });
}
