/**
 * A decorated method that was found: where it is, what it wants, what its decorator says. Data.
 */
import type { DiscoveryService } from '@nestjs/core';
import type { KafkaListenerOptions } from '../listener/listener-options.js';
import type { ParameterPlan } from './parameter-plan.js';

/** Nest's record of a provider or controller. */
export type ProviderWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** One @KafkaListener on one method. */
export interface ListenerEndpoint {
  readonly wrapper: ProviderWrapper;
  readonly methodName: string;
  /** `OrderListener#onOrder`. */
  readonly name: string;
  /** Which of several @KafkaListener of the same method, from 0. */
  readonly index: number;
  readonly options: KafkaListenerOptions;
  readonly plan: ParameterPlan;
}
