/**
 * What specs of the producer share: a producer in a fake world, and keeping the outcomes of records.
 */
import {
  Produce,
  type ProduceRequest,
  batchBaseSequence,
  batchProducerEpoch,
  batchProducerId,
} from '@kafka-template/protocol';
import type { KafkaError } from '../errors.js';
import { type Producer, createProducer } from '../producer/producer.js';
import type { ProducerOptions } from '../producer/producer-options.js';
import type { DeliveryCallback, RecordMetadata } from '../producer/producer-record.js';
import type { Fault } from './fake-kafka.js';
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

/** The record batch in a Produce request with one partition. */
export function batchOf(request: ProduceRequest): Buffer {
  const records = request.topicData[0]?.partitionData[0]?.records;
  if (records === null || records === undefined) throw new Error('a Produce request without records');
  return records;
}

/** Producer id, epoch and sequence of every Produce request so far, as `1000/0/0`. */
export function identities(world: World): string[] {
  return produceRequests(world).map((request) => {
    const batch = batchOf(request);
    return `${batchProducerId(batch)}/${batchProducerEpoch(batch)}/${batchBaseSequence(batch)}`;
  });
}

/** Gives the n-th Produce request (from 1) the n-th fault; later ones none. */
export function faultsInTurn(world: World, ...faults: (Fault | undefined)[]): void {
  let count = 0;
  world.kafka.fault = ({ api }) => (api === 'Produce' ? faults[count++] : undefined);
}

/** A refusal of orders-0 with this code; `more` are further fields of the partition's answer. */
export function answerWith(errorCode: number, more: object = {}): Fault {
  const partitionResponses = [{ index: 0, errorCode, baseOffset: -1, ...more }];
  return { kind: 'answer', body: { responses: [{ name: 'orders', partitionResponses }] } };
}

/** The numbers of a range as texts, both ends included. */
export function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}
