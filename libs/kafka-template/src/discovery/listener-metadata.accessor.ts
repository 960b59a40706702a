/**
 * The only reader of what the decorators have written.
 */
import 'reflect-metadata';
import type { KafkaHandlerOptions } from '../decorators/kafka-handler.decorator.js';
import type { ListenerNote } from '../decorators/kafka-listener.decorator.js';
import {
  KAFKA_HANDLER_METADATA,
  KAFKA_LISTENER_METADATA,
  ParameterKind,
  type ParameterNotes,
  ROUTE_ARGUMENTS_METADATA,
  SEND_TO_METADATA,
  addNote,
} from '../decorators/metadata.js';
import type { SendToNote } from '../decorators/send-to.decorator.js';
import { IDEMPOTENT_METADATA } from './listener.endpoint.js';
import { type ParameterPlan, planParameters } from './parameter-plan.js';

/** Types that say nothing about which record is meant. */
const PLAIN_TYPES: ReadonlySet<unknown> = new Set([
  Object,
  Array,
  String,
  Number,
  Boolean,
  Buffer,
  Uint8Array,
  Promise,
]);

/** Reads listener metadata of classes. */
export class ListenerMetadataAccessor {
  /** Notes of the @KafkaListener decorators of a method, top to bottom. */
  listenersOf(prototype: object, methodName: string): readonly ListenerNote[] {
    return this.#ofMethod<readonly ListenerNote[]>(KAFKA_LISTENER_METADATA, prototype, methodName) ?? [];
  }

  /** Notes of the @KafkaListener decorators of a class, top to bottom. */
  listenersOfClass(prototype: object): readonly ListenerNote[] {
    return (Reflect.getMetadata(KAFKA_LISTENER_METADATA, prototype.constructor) ?? []) as readonly ListenerNote[];
  }

  /** The note of the @KafkaHandler of a method. */
  handlerOf(prototype: object, methodName: string): KafkaHandlerOptions | undefined {
    return this.#ofMethod<KafkaHandlerOptions>(KAFKA_HANDLER_METADATA, prototype, methodName);
  }

  /** The note of the @SendTo of a method, or else of its class. */
  sendToOf(prototype: object, methodName: string): SendToNote | undefined {
    return (
      this.#ofMethod<SendToNote>(SEND_TO_METADATA, prototype, methodName) ??
      (Reflect.getMetadata(SEND_TO_METADATA, prototype.constructor) as SendToNote | undefined)
    );
  }

  /** Whether a method has @Idempotent. */
  isIdempotent(prototype: object, methodName: string): boolean {
    return this.#ofMethod<boolean>(IDEMPOTENT_METADATA, prototype, methodName) === true;
  }

  /** The declared type of the payload parameter, when it is a class of the application; for @KafkaHandler without options. */
  payloadClassOf(prototype: object, methodName: string, plan: ParameterPlan): string | undefined {
    const notes = (Reflect.getMetadata(ROUTE_ARGUMENTS_METADATA, prototype.constructor, methodName) ??
      {}) as ParameterNotes;
    const types = (Reflect.getMetadata('design:paramtypes', prototype, methodName) ?? []) as unknown[];
    const note = Object.entries(notes).find(([key]) => key.startsWith(`${ParameterKind.PAYLOAD}:`))?.[1];
    const index = note?.index ?? plan.implied.find(({ kind }) => kind === ParameterKind.PAYLOAD)?.index;
    const type = index === undefined ? undefined : types[index];
    return typeof type === 'function' && !PLAIN_TYPES.has(type) ? type.name : undefined;
  }

  /**
   * How the parameters of a method are filled. Parameters that are known by their type are noted as if decorated, for Nest
   * to see them; doing that twice changes nothing.
   */
  planOf(prototype: object, methodName: string): ParameterPlan {
    const type = prototype.constructor;
    const notes = (Reflect.getMetadata(ROUTE_ARGUMENTS_METADATA, type, methodName) ?? {}) as ParameterNotes;
    const types = (Reflect.getMetadata('design:paramtypes', prototype, methodName) ?? []) as unknown[];
    const method = (prototype as Record<string, { readonly length: number }>)[methodName];
    const plan = planParameters(notes, types, method?.length ?? 0);
    for (const { index, kind } of plan.implied) addNote(type, methodName, kind, { index, pipes: [] });
    return plan;
  }

  #ofMethod<T>(key: string, prototype: object, methodName: string): T | undefined {
    const method = (prototype as Record<string, unknown>)[methodName];
    return typeof method === 'function' ? (Reflect.getMetadata(key, method) as T | undefined) : undefined;
  }
}
