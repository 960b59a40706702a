/**
 * Notices when nothing comes any more, for the whole container and for single partitions.
 *
 * Asked by the loop before and after each poll, so that events come from the loop and a seek made on one is done before the
 * next record. One entry per assigned partition.
 */
import { type DriverRecords, type TopicPartition, partitionName } from '../drivers/driver.js';
import { callGuarded } from '../io/call-guarded.js';
import type { ContainerRuntime } from './container-runtime.js';

interface Watch {
  since: number;
  lastEventAt: number;
  hasData: boolean;
  isIdle: boolean;
}

/** Idle events of one container. */
export class IdleMonitor {
  readonly #runtime: ContainerRuntime;
  readonly #container: Watch;
  readonly #partitions = new Map<string, Watch>();

  constructor(runtime: ContainerRuntime) {
    this.#runtime = runtime;
    this.#container = watchFrom(runtime.parts.clock.now());
  }

  /** No later than this the loop has to look again, in milliseconds from now. */
  nextLookMs(now: number): number {
    const { idleEventIntervalMs, idlePartitionEventIntervalMs } = this.#runtime.parts.settings;
    let next = Number.POSITIVE_INFINITY;
    if (idleEventIntervalMs !== undefined) next = this.#dueIn(this.#container, idleEventIntervalMs, now);
    if (idlePartitionEventIntervalMs === undefined) return next;
    for (const watch of this.#partitions.values()) {
      next = Math.min(next, this.#dueIn(watch, idlePartitionEventIntervalMs, now));
    }
    return next;
  }

  /** The loop has polled, and what came has been handled. */
  polled(polled: DriverRecords, now: number): void {
    const { idleEventIntervalMs, idlePartitionEventIntervalMs } = this.#runtime.parts.settings;
    if (idleEventIntervalMs !== undefined) this.#lookAtContainer(polled.count > 0, idleEventIntervalMs, now);
    if (idlePartitionEventIntervalMs !== undefined) this.#lookAtPartitions(polled, idlePartitionEventIntervalMs, now);
  }

  #lookAtContainer(hasCome: boolean, intervalMs: number, now: number): void {
    const { assignment, publish, settings, log, containerId } = this.#runtime.parts;
    const watch = this.#container;
    const idleMs = now - watch.since;
    const partitions = assignment.list();
    if (hasCome) {
      if (watch.isIdle) publish({ type: 'no-longer-idle', idleMs, partitions });
      renew(watch, now);
    } else if (this.#dueIn(watch, intervalMs, now) <= 0) {
      watch.isIdle = true;
      watch.lastEventAt = now;
      publish({ type: 'idle', idleMs, partitions });
      callGuarded(
        () => settings.seekAware?.onIdleContainer?.(partitions, this.#runtime.seeks),
        (error) => log.error(`${containerId}: onIdleContainer failed`, error),
      );
    }
  }

  #lookAtPartitions(polled: DriverRecords, intervalMs: number, now: number): void {
    const { assignment, publish } = this.#runtime.parts;
    const owned = assignment.list();
    const names = new Set(owned.map(partitionName));
    for (const name of this.#partitions.keys()) if (!names.has(name)) this.#partitions.delete(name);
    for (const partition of owned) {
      const watch = this.#watchOf(partition, now);
      const idleMs = now - watch.since;
      if (polled.records(partition).length > 0) {
        if (watch.isIdle) publish({ type: 'partition-no-longer-idle', idleMs, partition });
        renew(watch, now);
      } else if (this.#dueIn(watch, intervalMs, now) <= 0) {
        watch.isIdle = true;
        watch.lastEventAt = now;
        publish({ type: 'partition-idle', idleMs, partition });
      }
    }
  }

  #watchOf(partition: TopicPartition, now: number): Watch {
    const name = partitionName(partition);
    let watch = this.#partitions.get(name);
    if (watch === undefined) this.#partitions.set(name, (watch = watchFrom(now)));
    return watch;
  }

  #dueIn(watch: Watch, intervalMs: number, now: number): number {
    const factor = watch.hasData ? 1 : this.#runtime.parts.settings.idleBeforeDataMultiplier;
    return Math.max(watch.since, watch.lastEventAt) + intervalMs * factor - now;
  }
}

function watchFrom(now: number): Watch {
  return { since: now, lastEventAt: Number.NEGATIVE_INFINITY, hasData: false, isIdle: false };
}

function renew(watch: Watch, now: number): void {
  watch.since = now;
  watch.lastEventAt = Number.NEGATIVE_INFINITY;
  watch.hasData = true;
  watch.isIdle = false;
}
