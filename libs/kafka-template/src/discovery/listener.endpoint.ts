/**
 * A decorated method or class that was found: where it is, what it wants, what its decorator says. Data.
 */
import type { DiscoveryService } from '@nestjs/core';
import type { KafkaHandlerOptions } from '../decorators/kafka-handler.decorator.js';
import type { SendToNote } from '../decorators/send-to.decorator.js';
import type { KafkaListenerOptions } from '../listener/listener-options.js';
import type { ParameterPlan } from './parameter-plan.js';

/** On a method: it has @Idempotent. */
export const IDEMPOTENT_METADATA = 'kafka-template:idempotent';

/** Nest's record of a provider or controller. */
export type ProviderWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** A method that is called with records. */
export interface HandlerMethod {
  readonly methodName: string;
  /** `OrderListener#onOrder`. */
  readonly name: string;
  readonly plan: ParameterPlan;
  /** Where its result goes; undefined: nowhere. */
  readonly sendTo: SendToNote | undefined;
  /** Whether it has @Idempotent. */
  readonly isIdempotent: boolean;
  /** For which records it is; undefined: for all. */
  readonly condition: KafkaHandlerOptions | undefined;
}

/** One @KafkaListener on one method, or on one class of @KafkaHandler methods. */
export interface ListenerEndpoint {
  readonly wrapper: ProviderWrapper;
  /** `OrderListener#onOrder`, or `OrderListener` for a class. */
  readonly name: string;
  /** Which of several @KafkaListener of the same method or class, from 0. */
  readonly index: number;
  readonly options: KafkaListenerOptions;
  /** What all its methods together want. */
  readonly plan: Pick<ParameterPlan, 'problems' | 'wantsAcknowledgment'>;
  /** The method; several for a class. */
  readonly methods: readonly HandlerMethod[];
}
