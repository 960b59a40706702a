/**
 * What specs of the producer share: a producer in a fake world, and keeping the outcomes of records.
 */
import { Produce, type ProduceRequest } from '@kafka-template/protocol';
import type { KafkaError } from '../errors.js';
import { type Producer, createProducer } from '../producer/producer.js';
import type { ProducerOptions } from '../producer/producer-options.js';
import type { DeliveryCallback, RecordMetadata } from '../producer/producer-record.js';
import type { World } from './world.js';

/** A producer in the world. */
export function createTestProducer(world: World, options: Partial<ProducerOptions> = {}): Producer {
  return createProducer({ ...world.options, ...options }, world.io);
}

/** Outcomes in the order in which they came. */
export interface Outcome {
  readonly callback: DeliveryCallback;
  readonly all: (KafkaError | RecordMetadata)[];
  readonly errors: KafkaError[];
  readonly metadata: RecordMetadata[];
}

/** Collects what a callback is told. */
export function collector(): Outcome {
  const all: (KafkaError | RecordMetadata)[] = [];
  const errors: KafkaError[] = [];
  const metadata: RecordMetadata[] = [];
  const callback: DeliveryCallback = (error, told) => {
    if (error !== null) errors.push(error);
    if (told !== null) metadata.push(told);
    all.push((error ?? told) as KafkaError | RecordMetadata);
  };
  return { callback, all, errors, metadata };
}

/** The outcome of a promise, for looking at it after time has passed. */
export function watch<T>(promise: Promise<T>): { value?: T; error?: KafkaError; isDone: boolean } {
  const outcome: { value?: T; error?: KafkaError; isDone: boolean } = { isDone: false };
  promise.then(
    (value) => Object.assign(outcome, { value, isDone: true }),
    (error: KafkaError) => Object.assign(outcome, { error, isDone: true }),
  );
  return outcome;
}

/** The Produce requests the brokers saw. */
export function produceRequests(world: World): ProduceRequest[] {
  return world.kafka.seen(Produce).map(({ body }) => body as ProduceRequest);
}
