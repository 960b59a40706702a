/**
 * A transport of @nestjs/microservices on the containers of this library: in place of `Transport.KAFKA`.
 *
 * `@EventPattern` and `@MessagePattern` keep working, with what containers add: offsets committed after the handler (and its
 * replies) are done, every ack mode, error handlers, back-off and dead letters, no partition blocked for ever, stopped and
 * drained before anything of the application is destroyed. Leaves out ClientKafka: it speaks to this as to a ServerKafka.
 */
import { ModulesContainer } from '@nestjs/core';
import { KafkaRetriableException, type MessageHandler, Server, Transport } from '@nestjs/microservices';
import { type Observable, from, isObservable, lastValueFrom, mergeMap, of } from 'rxjs';
import type { Acknowledgment } from '../commit/acknowledgment.js';
import { containerSettings, endpointSettings } from '../discovery/endpoint-settings.js';
import type { ListenerEndpoint } from '../discovery/listener.endpoint.js';
import { DefaultErrorHandler } from '../error-handling/default-error-handler.js';
import { asError } from '../errors.js';
import type { Consumer } from '../listener/consumer.js';
import type { KafkaListenerOptions, ListenerOptions } from '../listener/listener-options.js';
import { KafkaListenerEndpointRegistry } from '../listener/listener.registry.js';
import { clusterNamed } from '../module/cluster-names.js';
import type { KafkaCluster } from '../module/kafka-cluster.js';
import { listenerDefaults } from '../module/listener-defaults.js';
import { nestLog } from '../module/nest-log.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import { KafkaTemplateContext } from './kafka-template.context.js';
import { handlerErrorOf } from './pattern-handler.error.js';
import { respond } from './responder.js';
import { payloadOf, replyRecord, replyTargetOf } from './wire-format.js';

const log = nestLog('KafkaTemplateStrategy');

/** Where the providers of KafkaModule are found: an application, or a ModuleRef. */
export interface ProviderSource {
  /** The provider of a token, wherever it is. */
  get<T>(token: unknown, options?: { strict: boolean }): T;
}

/** Options of {@link KafkaTemplateStrategy}: those of a listener, for all pattern handlers together. */
export interface KafkaTemplateStrategyOptions extends Omit<ListenerOptions, 'batch'> {
  /** Name of the container in the registry. Default `microservice`; those for patterns are `microservice.1` and so on. */
  id?: string;
  /** Name of the cluster to read from and to reply to: the `name` of a KafkaModule.forRoot. Default: the one without a name. */
  cluster?: string;
  /** The group. Default: `consumer.groupId` of KafkaModule. */
  groupId?: string;
  /** Kafka's consumer options that differ from the module's. */
  properties?: KafkaListenerOptions['properties'];
  /** Which handlers: those decorated without a transport, or with this one. Default `Transport.KAFKA`. */
  transportId?: Transport | symbol;
}

/** For `app.connectMicroservice({ strategy: new KafkaTemplateStrategy(app) })`. KafkaModule has to be imported. */
export class KafkaTemplateStrategy extends Server {
  /** The container hears of failures, and logs them. */
  override readonly propagatesEventHandlerErrors = true;
  readonly #source: ProviderSource;
  readonly #options: KafkaTemplateStrategyOptions;
  readonly #patterns: { readonly pattern: RegExp; readonly handler: MessageHandler }[] = [];
  #ids: string[] = [];

  constructor(source: ProviderSource, options: KafkaTemplateStrategyOptions = {}) {
    super();
    this.#source = source;
    this.#options = options;
    this.transportId = options.transportId ?? Transport.KAFKA;
  }

  /** As Nest calls it; a regular expression is a pattern of topics. */
  override addHandler(
    pattern: unknown,
    callback: MessageHandler,
    isEventHandler = false,
    extras: Record<string, unknown> = {},
  ): void {
    if (!(pattern instanceof RegExp)) {
      super.addHandler(pattern, callback, isEventHandler, extras);
      return;
    }
    callback.isEventHandler = isEventHandler;
    callback.extras = extras;
    // Without the flags that make it remember where it was.
    this.#patterns.push({ pattern: new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')), handler: callback });
  }

  /** Registers and starts the containers; topics that are created at start are waited for by them, not by this. */
  async listen(callback: (error?: unknown) => unknown): Promise<void> {
    try {
      const registry = this.#provider(KafkaListenerEndpointRegistry);
      this.#register(registry);
      await Promise.all(this.#ids.map((id) => registry.start(id)));
      this._status$.next('connected');
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** Stops the containers, if the application has not done so already. */
  async close(): Promise<void> {
    const registry = this.#provider(KafkaListenerEndpointRegistry);
    await Promise.all(this.#ids.splice(0).map((id) => registry.unregister(id)));
    this._status$.next('disconnected');
  }

  /** Not supported, as in Nest's Kafka server: listen to `KafkaListenerEndpointRegistry.onEvent`. */
  on(): never {
    throw new Error('KafkaTemplateStrategy has no events of its own: use KafkaListenerEndpointRegistry.onEvent');
  }

  /** The registry of containers. */
  unwrap<T = KafkaListenerEndpointRegistry>(): T {
    return this.#provider(KafkaListenerEndpointRegistry) as T;
  }

  #register(registry: KafkaListenerEndpointRegistry): void {
    const { id = 'microservice', cluster: _cluster, transportId: _transportId, ...options } = this.#options;
    const cluster = this.#cluster();
    const topics = [...this.messageHandlers.keys()];
    const sources: KafkaListenerOptions[] = topics.length > 0 ? [{ topics }] : [];
    for (const { pattern } of this.#patterns) sources.push({ topicPattern: pattern });
    const defaults = listenerDefaults(cluster.options, cluster.template, log);
    sources.forEach((source, index) => {
      const name = index === 0 ? id : `${id}.${index}`;
      const endpoint = {
        name,
        index: 0,
        options: { ...options, ...source, id: name, idIsGroup: false, batch: false },
        plan: { problems: [], wantsAcknowledgment: false },
      };
      // A pattern handler has no wrapper to resolve: Nest hands over a function.
      const settings = endpointSettings(endpoint as unknown as ListenerEndpoint, defaults);
      if (settings.errorHandler instanceof DefaultErrorHandler) settings.errorHandler.useLog(log);
      registry.register(
        containerSettings(settings, {
          batch: false,
          onRecord: (record, acknowledgment, consumer) => this.#handle(record, acknowledgment, consumer),
        }),
        cluster.forRegistry,
      );
      this.#ids.push(name);
      log.info(`Mapped {${topics.join(', ')}${source.topicPattern === undefined ? '' : String(source.topicPattern)}}`);
    });
  }

  /** One record. Rejects with what is for the container's error handler. */
  async #handle(record: ConsumerRecord, acknowledgment: Acknowledgment | undefined, consumer: Consumer): Promise<void> {
    const context = new KafkaTemplateContext([record, acknowledgment, consumer]);
    await new Promise<void>((resolve, reject) => {
      this.onProcessingStartHook(this.transportId ?? Transport.KAFKA, context, async () => {
        try {
          await this.#dispatch(record, context);
          resolve();
        } catch (error) {
          reject(asError(error));
        } finally {
          this.onProcessingEndHook?.(this.transportId ?? Transport.KAFKA, context);
        }
      });
    });
  }

  async #dispatch(record: ConsumerRecord, context: KafkaTemplateContext): Promise<void> {
    const { topic } = record;
    const handler = this.#handlerOf(topic);
    const data = payloadOf(record);
    const target = handler.isEventHandler === true ? undefined : replyTargetOf(record);
    try {
      if (target === undefined) {
        const returned: unknown = await handler(data, context);
        if (isObservable(returned)) await lastValueFrom(returned, { defaultValue: undefined });
        return;
      }
      const { template } = this.#cluster();
      await respond(
        streamOf(() => handler(data, context)),
        {
          send: (reply) => template.sendRaw(replyRecord(target, reply)),
          isRetriable: (error) => error instanceof KafkaRetriableException,
        },
      );
    } catch (error) {
      throw handlerErrorOf(topic, error);
    }
  }

  /** The handler of the topic by its name, else the first whose pattern it matches. */
  #handlerOf(topic: string): MessageHandler {
    const handler =
      this.messageHandlers.get(topic) ?? this.#patterns.find(({ pattern }) => pattern.test(topic))?.handler;
    if (handler === undefined) throw new Error(`There is no handler for topic ${topic}`);
    return handler;
  }

  /** The cluster of the options. Throws KafkaOptionsError when there is none of that name. */
  #cluster(): KafkaCluster {
    return clusterNamed(this.#provider(ModulesContainer), this.#options.cluster, 'KafkaTemplateStrategy');
  }

  #provider<T>(token: (abstract new (...parameters: never[]) => T) | string): T {
    return this.#source.get<T>(token, { strict: false });
  }
}

function streamOf(call: () => unknown): Observable<unknown> {
  return from(Promise.resolve().then(call)).pipe(mergeMap((value) => (isObservable(value) ? value : of(value))));
}
