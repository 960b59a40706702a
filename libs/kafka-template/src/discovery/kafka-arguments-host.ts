/**
 * What guards, interceptors, pipes and filters see of a call of a listener: context type `rpc`, the data and the record.
 *
 * `switchToRpc().getData()` is the payload (the record, for a method that has no payload parameter) and
 * `switchToRpc().getContext()` the record; both are arrays for batch listeners.
 */
import type { ArgumentsHost, ContextType } from '@nestjs/common';
import type { Acknowledgment } from '../commit/acknowledgment.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import type { Consumer } from '../listener/consumer.js';

/** The arguments of a call, before Nest sorts them into parameters. */
export type ListenerArguments = readonly [
  payload: unknown,
  record: ConsumerRecord | readonly ConsumerRecord[],
  acknowledgment: Acknowledgment | undefined,
  consumer: Consumer,
];

/** Nest's type of context under which listeners run. */
export const KAFKA_CONTEXT_TYPE = 'rpc';

/** Whether a guard, interceptor or filter is being asked about a @KafkaListener. */
export function isKafkaContext(host: ArgumentsHost): boolean {
  if (host.getType() !== KAFKA_CONTEXT_TYPE) return false;
  const record: unknown = host.getArgByIndex(1);
  return record instanceof ConsumerRecord || (Array.isArray(record) && record[0] instanceof ConsumerRecord);
}

/** The host that exception filters get. */
export class KafkaArgumentsHost implements ArgumentsHost {
  readonly #parameters: ListenerArguments;

  constructor(parameters: ListenerArguments) {
    this.#parameters = parameters;
  }

  getArgs<T extends unknown[] = unknown[]>(): T {
    return [...this.#parameters] as unknown as T;
  }

  getArgByIndex<T = unknown>(index: number): T {
    return this.#parameters[index] as T;
  }

  getType<T extends string = ContextType>(): T {
    return KAFKA_CONTEXT_TYPE as T;
  }

  switchToRpc() {
    return {
      getData: <T = unknown>() => this.#parameters[0] as T,
      getContext: <T = unknown>() => this.#parameters[1] as T,
    };
  }

  switchToHttp() {
    return {
      getRequest: <T = unknown>() => this.#parameters[0] as T,
      getResponse: <T = unknown>() => this.#parameters[1] as T,
      getNext: <T = unknown>() => this.#parameters[2] as T,
    };
  }

  switchToWs() {
    return {
      getClient: <T = unknown>() => this.#parameters[0] as T,
      getData: <T = unknown>() => this.#parameters[1] as T,
      getPattern: () => '',
    };
  }
}
