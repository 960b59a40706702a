/**
 * All listener containers of an application, by id: look at them, start, stop, pause and resume them.
 *
 * Spring's KafkaListenerEndpointRegistry. Injectable. Containers can be added while the application runs; ids are unique.
 */
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import type { ContainerEventListener } from '../events/container-event.js';
import type { Unfinished } from '../commit/ack-window.js';
import type { DriverAdmin, TopicPartition } from '../drivers/driver.js';
import { ConcurrentContainer } from './concurrent-container.js';
import type { ContainerSettings } from './container-settings.js';
import type { ContainerEnvironment } from './listener-container.js';
import { requireTopics, warnOfMissingTopics } from './missing-topics.js';

/** What belongs to one cluster. */
export interface RegistryCluster extends Pick<ContainerEnvironment, 'driver' | 'topicsReady'> {
  /** Looks whether topics exist. */
  readonly admin: DriverAdmin;
}

/** What the registry needs from outside. */
export interface RegistryEnvironment extends Omit<ContainerEnvironment, 'driver' | 'topicsReady'> {
  /** Of containers that are registered without one; undefined when every cluster of the application has a name. */
  readonly cluster: RegistryCluster | undefined;
}

interface Entry {
  readonly container: ConcurrentContainer;
  readonly cluster: RegistryCluster;
}

/** The listener containers of an application. */
export class KafkaListenerEndpointRegistry {
  readonly #environment: RegistryEnvironment;
  readonly #containers = new Map<string, Entry>();

  constructor(environment: RegistryEnvironment) {
    this.#environment = environment;
  }

  /** Ids of all containers, in the order they were added. */
  get ids(): readonly string[] {
    return [...this.#containers.keys()];
  }

  /** All containers. */
  get all(): readonly ConcurrentContainer[] {
    return Array.from(this.#containers.values(), ({ container }) => container);
  }

  /** The container of that id. Throws ILLEGAL_STATE, naming the ids there are, when there is none. */
  get(id: string): ConcurrentContainer {
    const entry = this.#containers.get(id);
    if (entry !== undefined) return entry.container;
    throw new KafkaTemplateError(
      KafkaTemplateErrorCode.ILLEGAL_STATE,
      `There is no listener with id '${id}'. The ids are: ${this.ids.join(', ') || 'none'}`,
    );
  }

  /** Adds a container, of the default cluster unless told otherwise; it is not started. Throws ILLEGAL_STATE when the id is taken. */
  register(
    settings: ContainerSettings,
    cluster: RegistryCluster | undefined = this.#environment.cluster,
  ): ConcurrentContainer {
    if (this.#containers.has(settings.id)) {
      throw new KafkaTemplateError(
        KafkaTemplateErrorCode.ILLEGAL_STATE,
        `Two listeners have the id '${settings.id}': give one of them another id in @KafkaListener`,
      );
    }
    if (cluster === undefined) {
      throw new KafkaTemplateError(
        KafkaTemplateErrorCode.ILLEGAL_STATE,
        `The listener '${settings.id}' names no cluster, and every KafkaModule.forRoot of the application has a name`,
      );
    }
    const { driver, topicsReady } = cluster;
    const container = new ConcurrentContainer(settings, { ...this.#environment, driver, topicsReady });
    this.#containers.set(settings.id, { container, cluster });
    return container;
  }

  /** Stops a container and takes it out. */
  async unregister(id: string): Promise<void> {
    await this.get(id).dispose();
    this.#containers.delete(id);
  }

  /** Starts a container, or all that have `autoStartup`; one that is still stopping, as soon as it has. Rejects with MISSING_TOPICS where that is fatal. */
  async start(id?: string): Promise<void> {
    const chosen = id === undefined ? this.all.filter(({ settings }) => settings.autoStartup) : [this.get(id)];
    await Promise.all(chosen.map((container) => this.#start(container)));
  }

  /**
   * Stops a container, or all, and waits until they have finished and committed. Tells which records were delivered and
   * not finished, as far as they are known one by one (`asyncAcks`, `keyConcurrency`).
   */
  async stop(id?: string): Promise<readonly Unfinished[]> {
    const chosen = id === undefined ? this.all : [this.get(id)];
    return (await Promise.all(chosen.map((container) => container.stop()))).flat();
  }

  /** Moves the position of a partition of a container. Throws ILLEGAL_STATE when it does not have the partition. */
  seek(id: string, partition: TopicPartition, offset: number): void {
    this.get(id).seek(partition, offset);
  }

  /** Pauses a container, or all. */
  pause(id?: string): void {
    for (const container of id === undefined ? this.all : [this.get(id)]) container.pause();
  }

  /** Resumes a container, or all. */
  resume(id?: string): void {
    for (const container of id === undefined ? this.all : [this.get(id)]) container.resume();
  }

  /** Calls `listener` for every event of every container. Returns the way to end it. */
  onEvent(listener: ContainerEventListener): () => void {
    return this.#environment.events.subscribe(listener);
  }

  async #start(container: ConcurrentContainer): Promise<void> {
    const { clock, log } = this.#environment;
    const { settings } = container;
    const entry = this.#containers.get(settings.id);
    if (entry === undefined) return;
    const { admin, topicsReady } = entry.cluster;
    if (settings.missingTopicsFatal) await requireTopics(settings, admin, { clock, topicsReady });
    else {
      void topicsReady.then(() => warnOfMissingTopics(settings, admin, log));
    }
    container.start();
  }
}
