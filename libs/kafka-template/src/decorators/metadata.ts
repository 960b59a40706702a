/**
 * Keys and numbers under which the decorators of this folder leave their notes. Read by discovery/ only.
 *
 * Parameters are noted where Nest looks for them, so that its pipes, and decorators made with createParamDecorator, work on
 * listeners. Payloads carry Nest's number for a body: ValidationPipe leaves parameters of unknown kinds alone.
 */

/** On a method or a class: the notes of its @KafkaListener decorators, top to bottom. */
export const KAFKA_LISTENER_METADATA = 'kafka-template:listeners';

/** On a method of a class with @KafkaListener: for which records it is. */
export const KAFKA_HANDLER_METADATA = 'kafka-template:handler';

/** On a method or a class: where results go. */
export const SEND_TO_METADATA = 'kafka-template:send-to';

/** On a class, per method: Nest's own key for what the parameters are. */
export const ROUTE_ARGUMENTS_METADATA = '__routeArguments__';

/** What a parameter is. PAYLOAD and HEADER are Nest's numbers for body and query; the others are ours. */
export const ParameterKind = { PAYLOAD: 3, HEADER: 4, KEY: 101, RECORD: 102, ACK: 103, CONSUMER: 104 } as const;

/** One of the kinds of parameters. */
export type ParameterKind = (typeof ParameterKind)[keyof typeof ParameterKind];

/** What is noted about a parameter. */
export interface ParameterNote {
  readonly index: number;
  /** Name of a header, or of a property of the payload. */
  readonly data?: string;
  readonly pipes: readonly unknown[];
}

/** All notes of a method, by kind and index. */
export type ParameterNotes = Readonly<Record<string, ParameterNote>>;

/** The decorator that notes one parameter. */
export function noteParameter(kind: ParameterKind, data: string | undefined, pipes: readonly unknown[]) {
  return (target: object, method: string | symbol | undefined, index: number): void => {
    if (method === undefined) return;
    addNote(target.constructor, method, kind, { index, data, pipes });
  };
}

/** Adds a note to those of a method. */
export function addNote(type: object, method: string | symbol, kind: ParameterKind, note: ParameterNote): void {
  const notes = Reflect.getMetadata(ROUTE_ARGUMENTS_METADATA, type, method) as ParameterNotes | undefined;
  const all: ParameterNotes = { ...notes, [`${kind}:${note.index}`]: note };
  Reflect.defineMetadata(ROUTE_ARGUMENTS_METADATA, all, type, method);
}
