/**
 * Calls a listener method without Nest's pipeline, where that would run nothing: no guard, pipe or interceptor anywhere.
 *
 * The pipeline costs a dozen promises for each record. Errs on the side of the pipeline: whatever is noted on class, method or
 * parameter, or set for the whole application, rules the direct way out. Filters do not: the adapter asks them itself.
 */
import type { ApplicationConfig } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Acknowledgment } from '../commit/acknowledgment.js';
import { ParameterKind, type ParameterNote, ROUTE_ARGUMENTS_METADATA } from '../decorators/metadata.js';
import type { Consumer } from '../listener/consumer.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import { type ParameterSource, parameterValue } from './parameter-values.js';

/** Calls the method; returns or throws what it does. */
export type DirectCall = (
  payload: unknown,
  record: ConsumerRecord | readonly ConsumerRecord[],
  acknowledgment: Acknowledgment | undefined,
  consumer: Consumer,
) => unknown;

type Method = (...parameters: unknown[]) => unknown;

/** What the way of calling a method depends on. */
export interface DirectTarget {
  readonly instance: object;
  readonly method: Method;
  readonly methodName: string;
  readonly source: ParameterSource;
  readonly config: ApplicationConfig;
}

/** Nest's keys of what @UseGuards, @UsePipes and @UseInterceptors note. The same in Nest 11 and 12. */
const ENHANCER_METADATA = ['__guards__', '__pipes__', '__interceptors__'] as const;

/** Keys of parameters of known kinds; those of decorators made with createParamDecorator look different. */
const PLAIN_PARAMETER = /^\d+:\d+$/;

/** The direct call of a method; undefined when Nest has something to do around it. */
export function directCall(target: DirectTarget): DirectCall | undefined {
  const { instance, method, methodName, source, config } = target;
  if (hasGlobalEnhancers(config) || hasEnhancers(instance.constructor) || hasEnhancers(method)) return undefined;
  const notes = (Reflect.getMetadata(ROUTE_ARGUMENTS_METADATA, instance.constructor, methodName) ?? {}) as Readonly<
    Record<string, ParameterNote & { readonly schema?: unknown }>
  >;
  const values: (DirectCall | undefined)[] = [];
  for (const [key, { index, data, pipes, schema }] of Object.entries(notes)) {
    if (!PLAIN_PARAMETER.test(key) || pipes.length > 0 || schema !== undefined) return undefined;
    values[index] = valueOf(source, Number(key.split(':')[0]), data);
  }
  return bind(instance, method, Array.from(values));
}

function hasGlobalEnhancers(config: ApplicationConfig): boolean {
  return [
    config.getGlobalGuards(),
    config.getGlobalPipes(),
    config.getGlobalInterceptors(),
    config.getGlobalRequestGuards(),
    config.getGlobalRequestPipes(),
    config.getGlobalRequestInterceptors(),
  ].some((enhancers) => enhancers.length > 0);
}

function hasEnhancers(noted: object): boolean {
  return ENHANCER_METADATA.some((key) => {
    const enhancers: unknown = Reflect.getMetadata(key, noted);
    return Array.isArray(enhancers) ? enhancers.length > 0 : enhancers !== undefined;
  });
}

/** The usual kinds without the list of arguments that Nest has. */
function valueOf(source: ParameterSource, kind: number, data: string | undefined): DirectCall {
  if (kind === ParameterKind.PAYLOAD && data === undefined) return (payload) => payload;
  if (kind === ParameterKind.RECORD) return (_payload, record) => record;
  if (kind === ParameterKind.ACK) return (_payload, _record, acknowledgment) => acknowledgment;
  return (...parameters) => parameterValue(source, kind, data, parameters);
}

function nothing(): undefined {
  return undefined;
}

/** Calls with one and two parameters, the usual ones, need no list of them. */
function bind(instance: object, method: Method, values: readonly (DirectCall | undefined)[]): DirectCall {
  const [first = nothing, second = nothing] = values;
  switch (values.length) {
    case 0:
      return (...parameters) => ended(method.apply(instance, parameters));
    case 1:
      return (payload, record, ack, consumer) => ended(method.call(instance, first(payload, record, ack, consumer)));
    case 2:
      return (payload, record, ack, consumer) =>
        ended(method.call(instance, first(payload, record, ack, consumer), second(payload, record, ack, consumer)));
    default:
      return (...parameters) => {
        const all = values.map((value) => value?.(...parameters));
        return ended(method.apply(instance, all));
      };
  }
}

/** As Nest does it: an observable stands for its last value. */
function ended(returned: unknown): unknown {
  return isObservable(returned) ? lastValueFrom(returned, { defaultValue: undefined }) : returned;
}
