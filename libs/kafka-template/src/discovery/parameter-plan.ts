/**
 * What each parameter of a listener method is to receive, from its decorators and its types.
 *
 * Types stand in for decorators: ConsumerRecord, Acknowledgment and Consumer are recognised, and one parameter that is left over is
 * the payload. Types also say how bytes are read: string, Buffer, or JSON for anything else that is known.
 */
import { Acknowledgment } from '../commit/acknowledgment.js';
import { ParameterKind, type ParameterNotes } from '../decorators/metadata.js';
import { Consumer } from '../listener/consumer.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import type { DecodeTarget } from '../serde/serde.js';

/** A parameter that got its meaning from its type or from being the only one left. */
export interface ImpliedParameter {
  readonly index: number;
  readonly kind: ParameterKind;
}

/** How the parameters of a method are filled. */
export interface ParameterPlan {
  /** Parameters to note for Nest in addition to the decorated ones. */
  readonly implied: readonly ImpliedParameter[];
  /** How the value is to be read; undefined when no parameter wants it. */
  readonly payload: DecodeTarget | undefined;
  readonly key: DecodeTarget;
  readonly wantsAcknowledgment: boolean;
  /** Headers whose parameter is a Buffer. */
  readonly binaryHeaders: ReadonlySet<string>;
  /** Sentences about parameters that cannot be understood. */
  readonly problems: readonly string[];
}

/** The plan for a method with these decorated parameters, these types and this many parameters. */
export function planParameters(notes: ParameterNotes, types: readonly unknown[], count: number): ParameterPlan {
  const decorated = Object.entries(notes).map(([key, note]) => ({ ...note, kind: Number(key.split(':')[0]) }));
  const taken = new Set(decorated.map((note) => note.index));
  const implied: ImpliedParameter[] = [];
  const left: number[] = [];
  for (let index = 0; index < Math.max(count, types.length); index++) {
    if (taken.has(index)) continue;
    const kind = kindOfType(types[index]);
    if (kind === undefined) left.push(index);
    else implied.push({ index, kind });
  }
  const problems: string[] = [];
  const hasPayload = decorated.some((note) => note.kind === ParameterKind.PAYLOAD);
  if (left.length === 1 && !hasPayload) implied.push({ index: left[0] as number, kind: ParameterKind.PAYLOAD });
  else for (const index of left) problems.push(unknownParameter(index));
  const all = [...decorated, ...implied];
  const indexesOf = (kind: ParameterKind) => all.filter((entry) => entry.kind === kind).map((entry) => entry.index);
  const payloads = indexesOf(ParameterKind.PAYLOAD);
  const binary = decorated.filter((note) => note.kind === ParameterKind.HEADER && isBytes(types[note.index]));
  return {
    implied,
    payload: payloads.length === 0 ? undefined : commonTarget(payloads.map((index) => targetOf(notes, types, index))),
    key: commonTarget(indexesOf(ParameterKind.KEY).map((index) => targetOfType(types[index]))),
    wantsAcknowledgment: indexesOf(ParameterKind.ACK).length > 0,
    binaryHeaders: new Set(binary.flatMap((note) => (note.data === undefined ? [] : [note.data]))),
    problems,
  };
}

function unknownParameter(index: number): string {
  return (
    `parameter ${index + 1} has no meaning: put @Payload, @KafkaKey, @KafkaHeader or another decorator before it, ` +
    'or give it the type ConsumerRecord, Acknowledgment or Consumer (imported as a class, not with `import type`)'
  );
}

function kindOfType(type: unknown): ParameterKind | undefined {
  if (type === ConsumerRecord) return ParameterKind.RECORD;
  if (type === Acknowledgment) return ParameterKind.ACK;
  if (type === Consumer) return ParameterKind.CONSUMER;
  return undefined;
}

/** A property of the payload can only be taken from JSON, whatever the type of the parameter. */
function targetOf(notes: ParameterNotes, types: readonly unknown[], index: number): DecodeTarget {
  const note = notes[`${ParameterKind.PAYLOAD}:${index}`];
  return note?.data === undefined ? targetOfType(types[index]) : 'json';
}

/**
 * What a declared type asks for. `Object` is what TypeScript writes for interfaces, unions and unknown; `Array` may be that of
 * a batch, and says nothing about its elements.
 */
export function targetOfType(type: unknown): DecodeTarget {
  if (type === String) return 'text';
  if (isBytes(type)) return 'bytes';
  return type === undefined || type === Object || type === Array ? 'auto' : 'json';
}

function isBytes(type: unknown): boolean {
  return type === Buffer || type === Uint8Array;
}

function commonTarget(targets: readonly DecodeTarget[]): DecodeTarget {
  const [first = 'auto'] = targets;
  return targets.every((target) => target === first) ? first : 'auto';
}
