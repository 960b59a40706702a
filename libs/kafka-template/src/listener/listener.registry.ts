/**
 * All listener containers of an application, by id: look at them, start, stop, pause and resume them.
 *
 * Spring's KafkaListenerEndpointRegistry. Injectable. Containers can be added while the application runs; ids are unique.
 */
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import type { ContainerEventListener } from '../events/container-event.js';
import type { DriverAdmin } from '../drivers/driver.js';
import { ConcurrentContainer } from './concurrent-container.js';
import type { ContainerSettings } from './container-settings.js';
import type { ContainerEnvironment } from './listener-container.js';
import { requireTopics, warnOfMissingTopics } from './missing-topics.js';

/** What the registry needs from outside. */
export interface RegistryEnvironment extends ContainerEnvironment {
  readonly admin: DriverAdmin;
}

/** The listener containers of an application. */
export class KafkaListenerEndpointRegistry {
  readonly #environment: RegistryEnvironment;
  readonly #containers = new Map<string, ConcurrentContainer>();

  constructor(environment: RegistryEnvironment) {
    this.#environment = environment;
  }

  /** Ids of all containers, in the order they were added. */
  get ids(): readonly string[] {
    return [...this.#containers.keys()];
  }

  /** All containers. */
  get all(): readonly ConcurrentContainer[] {
    return [...this.#containers.values()];
  }

  /** The container of that id. Throws ILLEGAL_STATE, naming the ids there are, when there is none. */
  get(id: string): ConcurrentContainer {
    const container = this.#containers.get(id);
    if (container !== undefined) return container;
    throw new KafkaTemplateError(
      KafkaTemplateErrorCode.ILLEGAL_STATE,
      `There is no listener with id '${id}'. The ids are: ${this.ids.join(', ') || 'none'}`,
    );
  }

  /** Adds a container; it is not started. Throws ILLEGAL_STATE when the id is taken. */
  register(settings: ContainerSettings): ConcurrentContainer {
    if (this.#containers.has(settings.id)) {
      throw new KafkaTemplateError(
        KafkaTemplateErrorCode.ILLEGAL_STATE,
        `Two listeners have the id '${settings.id}': give one of them another id in @KafkaListener`,
      );
    }
    const container = new ConcurrentContainer(settings, this.#environment);
    this.#containers.set(settings.id, container);
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

  /** Stops a container, or all, and waits until they have finished and committed. */
  async stop(id?: string): Promise<void> {
    const chosen = id === undefined ? this.all : [this.get(id)];
    await Promise.all(chosen.map((container) => container.stop()));
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
    const { admin, clock, log, topicsReady } = this.#environment;
    const { settings } = container;
    if (settings.missingTopicsFatal) await requireTopics(settings, admin, { clock, topicsReady });
    else {
      void topicsReady.then(() => warnOfMissingTopics(settings, admin, log));
    }
    container.start();
  }
}
