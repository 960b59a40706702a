/**
 * The only reader of what the decorators have written.
 */
import 'reflect-metadata';
import {
  KAFKA_LISTENER_METADATA,
  type ParameterNotes,
  ROUTE_ARGUMENTS_METADATA,
  addNote,
} from '../decorators/metadata.js';
import type { KafkaListenerOptions } from '../listener/listener-options.js';
import { type ParameterPlan, planParameters } from './parameter-plan.js';

/** Reads listener metadata of classes. */
export class ListenerMetadataAccessor {
  /** Options of the @KafkaListener decorators of a method, top to bottom. */
  listenersOf(prototype: object, methodName: string): readonly KafkaListenerOptions[] {
    const method = (prototype as Record<string, unknown>)[methodName];
    if (typeof method !== 'function') return [];
    return (Reflect.getMetadata(KAFKA_LISTENER_METADATA, method) ?? []) as KafkaListenerOptions[];
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
}
