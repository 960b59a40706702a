/**
 * @Idempotent: a @KafkaListener method is called once for each record, also when the record is delivered again.
 *
 * The key is remembered when the method has succeeded, before the offset is committed: what comes again after a crash between
 * the two is skipped, acknowledged where the ack mode is manual. A crash inside the method, or before its key is stored, calls it
 * again: that it is not half done is a matter for its own transaction. Record listeners only: a batch is refused at start.
 */
import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type InjectionToken,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { type Observable, lastValueFrom, of } from 'rxjs';
import type { Acknowledgment } from '../commit/acknowledgment.js';
import { isKafkaContext } from '../discovery/kafka-arguments-host.js';
import { IDEMPOTENT_METADATA } from '../discovery/listener.endpoint.js';
import { recordName } from '../drivers/driver.js';
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import type { IdempotencyStore } from './idempotency-store.js';
import { InMemoryIdempotencyStore } from './in-memory.store.js';

/** Options of {@link Idempotent}. */
export interface IdempotentOptions {
  /** Where keys are remembered: a store, or the token of a provider. Default: in memory, for the life of the process. */
  readonly store?: IdempotencyStore | InjectionToken<IdempotencyStore>;
  /**
   * What makes two records the same: a header by name, or a function. Default, and where there is no such header or the
   * function returns undefined: topic, partition and offset, which say the same only of a record that is delivered again.
   */
  readonly key?: string | ((record: ConsumerRecord) => string | undefined);
  /** Listeners with the same scope share their keys. Default: class and method. */
  readonly scope?: string;
}

/** Calls the method once for each record. */
export function Idempotent(options: IdempotentOptions = {}): MethodDecorator {
  class Interceptor extends IdempotentInterceptor {
    constructor(moduleRef: ModuleRef) {
      super(moduleRef, options);
    }
  }
  Inject(ModuleRef)(Interceptor, undefined, 0);
  Injectable()(Interceptor);
  return (target, key, descriptor) => {
    Reflect.defineMetadata(IDEMPOTENT_METADATA, true, descriptor.value as object);
    UseInterceptors(Interceptor)(target, key, descriptor);
  };
}

/** What @Idempotent puts around a method. */
class IdempotentInterceptor implements NestInterceptor {
  readonly #moduleRef: ModuleRef;
  readonly #options: IdempotentOptions;
  #store: IdempotencyStore | undefined;
  /** Calls that have not ended, by key: the same record at the same time waits. At most one per call of the listener. */
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(moduleRef: ModuleRef, options: IdempotentOptions) {
    this.#moduleRef = moduleRef;
    this.#options = options;
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (!isKafkaContext(context)) return next.handle();
    const name = `${context.getClass().name}.${context.getHandler().name}`;
    const record = context.getArgByIndex<ConsumerRecord | readonly ConsumerRecord[]>(1);
    if (!isRecord(record)) {
      throw new KafkaTemplateError(
        KafkaTemplateErrorCode.ILLEGAL_STATE,
        `@Idempotent on ${name}: a batch listener is called once for many records; use a record listener`,
      );
    }
    const key = `${this.#options.scope ?? name}:${keyOf(record, this.#options.key)}`;
    for (let other = this.#running.get(key); other !== undefined; other = this.#running.get(key)) {
      await other.catch(() => undefined);
    }
    const call = this.#once(key, next);
    this.#running.set(key, call);
    try {
      const outcome = await call;
      if (outcome === undefined) void context.getArgByIndex<Acknowledgment | undefined>(2)?.acknowledge();
      return of(outcome?.result);
    } finally {
      this.#running.delete(key);
    }
  }

  /** Undefined when it has been done before. */
  async #once(key: string, next: CallHandler): Promise<{ readonly result: unknown } | undefined> {
    const store = (this.#store ??= this.#findStore());
    if (await store.has(key)) return undefined;
    const result: unknown = await lastValueFrom(next.handle() as Observable<unknown>, { defaultValue: undefined });
    await store.add(key);
    return { result };
  }

  #findStore(): IdempotencyStore {
    const { store } = this.#options;
    if (store === undefined) return new InMemoryIdempotencyStore();
    return isStore(store) ? store : this.#moduleRef.get<IdempotencyStore>(store, { strict: false });
  }
}

function keyOf(record: ConsumerRecord, key: IdempotentOptions['key']): string {
  const chosen =
    typeof key === 'string' ? record.headers.find((header) => header.key === key)?.value?.toString() : key?.(record);
  return chosen ?? recordName(record);
}

function isStore(store: IdempotencyStore | InjectionToken<IdempotencyStore>): store is IdempotencyStore {
  return typeof store === 'object' && 'has' in store && 'add' in store;
}

function isRecord(record: ConsumerRecord | readonly ConsumerRecord[]): record is ConsumerRecord {
  return !Array.isArray(record);
}
