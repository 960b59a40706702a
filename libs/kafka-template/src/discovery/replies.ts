/**
 * Sends what a listener returns, for @SendTo: to whom, with which headers. Knows nothing of Nest.
 */
import type { SendToNote } from '../decorators/send-to.decorator.js';
import { recordName } from '../drivers/driver.js';
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import { TopicContract } from '../serde/topic-contract.js';

/** Headers of request and reply. Spring's and Nest's names. */
export const REPLY_HEADERS = {
  CORRELATION_ID: 'kafka_correlationId',
  REPLY_TOPIC: 'kafka_replyTopic',
  REPLY_PARTITION: 'kafka_replyPartition',
} as const;

/** A reply on its way to the template. */
export interface ReplyRecord {
  readonly topic: string | TopicContract;
  readonly partition?: number | null;
  readonly timestamp?: number | null;
  readonly key?: unknown;
  readonly value: unknown;
  readonly headers: readonly { readonly key: string; readonly value: Buffer | string | null }[];
}

/** What replies are sent with: a KafkaTemplate. */
export interface ReplySender {
  send(record: ReplyRecord): PromiseLike<unknown>;
}

type Request = ConsumerRecord | readonly ConsumerRecord[];

/**
 * Hands the reply, or replies, to the sender. Resolves when the broker has them; undefined when there is nothing to send.
 * Throws ILLEGAL_STATE when nobody says where to.
 */
export function sendReply(
  sender: ReplySender,
  note: SendToNote,
  request: Request,
  result: unknown,
): PromiseLike<unknown> | undefined {
  if (result === undefined || result === null) return undefined;
  if (note.splitIterables !== true || typeof result !== 'object' || !(Symbol.iterator in result)) {
    return sender.send(replyOf(note, request, result));
  }
  const replies = Array.from(result as Iterable<unknown>, (one) => replyOf(note, request, one));
  return replies.length === 0 ? undefined : Promise.all(replies.map((reply) => sender.send(reply)));
}

function replyOf(note: SendToNote, request: Request, result: unknown): ReplyRecord {
  const single = request instanceof ConsumerRecord ? request : undefined;
  const message = isMessage(result) ? result : { payload: result, headers: {} };
  const { kafka_messageKey: key = single?.key ?? null, ...own } = message.headers;
  const target = targetOf(note, request, result);
  const headers = new Map(Object.entries(own as Record<string, Buffer | string | null>));
  for (const name of [REPLY_HEADERS.CORRELATION_ID, ...(note.copyHeaders ?? [])]) {
    const value = single?.header(name);
    if (value !== undefined && !headers.has(name)) headers.set(name, value);
  }
  return {
    ...target,
    key,
    value: message.payload,
    headers: Array.from(headers, ([name, value]) => ({ key: name, value })),
  };
}

function targetOf({ target }: SendToNote, request: Request, result: unknown): Pick<ReplyRecord, 'topic' | 'partition'> {
  if (typeof target === 'function') return { topic: target(request, result) };
  if (target !== undefined) return { topic: target };
  const topic = request instanceof ConsumerRecord ? request.header(REPLY_HEADERS.REPLY_TOPIC)?.toString() : undefined;
  if (topic !== undefined && topic !== '') return { topic, partition: replyPartition(request as ConsumerRecord) };
  const name = request instanceof ConsumerRecord ? recordName(request) : 'a batch';
  throw new KafkaTemplateError(
    KafkaTemplateErrorCode.ILLEGAL_STATE,
    `The result for ${name} has nowhere to go: the request has no header ${REPLY_HEADERS.REPLY_TOPIC}, and @SendTo names no topic`,
  );
}

/** Four bytes, as Spring writes it, or text, as Nest does: no text of a partition begins with a zero byte. */
function replyPartition(request: ConsumerRecord): number | null {
  const bytes = request.header(REPLY_HEADERS.REPLY_PARTITION);
  if (bytes === undefined || bytes === null || bytes.length === 0) return null;
  if (bytes.length === 4 && bytes[0] === 0) return bytes.readInt32BE(0);
  const partition = Number.parseInt(bytes.toString(), 10);
  return Number.isNaN(partition) ? null : partition;
}

function isMessage(result: unknown): result is { payload: unknown; headers: Record<string, unknown> } {
  if (typeof result !== 'object' || result === null) return false;
  const { headers } = result as { headers?: unknown };
  return 'payload' in result && typeof headers === 'object' && headers !== null && !Array.isArray(headers);
}
