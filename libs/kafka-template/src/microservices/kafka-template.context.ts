/**
 * What `@Ctx()` gives to a pattern handler: the methods of Nest's KafkaContext, and the record of this library.
 */
import { BaseRpcContext } from '@nestjs/microservices';
import type { Acknowledgment } from '../commit/acknowledgment.js';
import type { Consumer } from '../listener/consumer.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import { type IncomingMessage, incomingMessage } from './wire-format.js';

type Parts = [record: ConsumerRecord, acknowledgment: Acknowledgment | undefined, consumer: Consumer];

/** Context of one record. */
export class KafkaTemplateContext extends BaseRpcContext<Parts> {
  /** The record: bytes, headers, timestamp. */
  getRecord(): ConsumerRecord {
    return this.args[0];
  }

  /** In the ack modes MANUAL and MANUAL_IMMEDIATE. */
  getAcknowledgment(): Acknowledgment | undefined {
    return this.args[1];
  }

  /** Positions, seek, own commits. Not the kafkajs consumer that Nest's context has. */
  getConsumer(): Consumer {
    return this.args[2];
  }

  /** The record in the form of Nest's KafkaContext: headers by name, key, value and headers as text or JSON. */
  getMessage(): IncomingMessage {
    return incomingMessage(this.args[0]);
  }

  /** Name of the topic. */
  getTopic(): string {
    return this.args[0].topic;
  }

  /** Number of the partition. */
  getPartition(): number {
    return this.args[0].partition;
  }

  /** Does nothing: heartbeats are sent by the client, however long a handler takes. */
  getHeartbeat(): () => Promise<void> {
    return () => Promise.resolve();
  }
}
