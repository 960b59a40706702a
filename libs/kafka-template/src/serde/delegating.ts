/**
 * Serdes that choose another one: by the topic of the record, or by one of its headers. Spring's Delegating* serializers.
 *
 * Both directions. What nobody is responsible for is an error that names the choices, unless there is one `otherwise`.
 */
import type { DriverRecord, RecordHeader } from '../drivers/driver.js';
import { SerializationError } from '../errors.js';
import { type DecodeTarget, type Serde, type SerdeName, serdeOf } from './serde.js';

/** Topics of a serde: a name, or a pattern of names. */
export type TopicChoice = readonly [topic: string | RegExp, serde: SerdeName | Serde];

/** How many topics are remembered with their serde; more are looked up anew. */
const REMEMBERED_TOPICS_MAX = 1000;

/** By topic: the first entry that fits. */
export class TopicSerde implements Serde {
  readonly #choices: readonly { readonly topic: string | RegExp; readonly serde: Serde }[];
  readonly #otherwise: Serde | undefined;
  readonly #known = new Map<string, Serde>();

  /** With entries in the order in which they are asked. `otherwise` is for all other topics; without it they are refused. */
  constructor(choices: readonly TopicChoice[], otherwise?: SerdeName | Serde) {
    this.#choices = choices.map(([topic, serde]) => ({ topic: withoutMemory(topic), serde: serdeOf(serde, 'value') }));
    this.#otherwise = otherwise === undefined ? undefined : serdeOf(otherwise, 'value');
  }

  serialize(data: unknown, topic: string, headers?: readonly RecordHeader[]): Buffer | string | null {
    return this.#of(topic).serialize(data, topic, headers);
  }

  deserialize(bytes: Buffer, target: DecodeTarget, topic: string, record?: Pick<DriverRecord, 'headers'>): unknown {
    return this.#of(topic).deserialize(bytes, target, topic, record);
  }

  #of(topic: string): Serde {
    const known = this.#known.get(topic);
    if (known !== undefined) return known;
    const found = this.#choices.find((choice) => isFor(choice.topic, topic))?.serde ?? this.#otherwise;
    if (found === undefined) {
      const names = this.#choices.map((choice) => String(choice.topic)).join(', ');
      throw new SerializationError(`no serializer is for topic ${topic}: there are some for ${names || 'none'}`);
    }
    if (this.#known.size < REMEMBERED_TOPICS_MAX) this.#known.set(topic, found);
    return found;
  }
}

/** The header that says how a value is written, unless another one is chosen. Spring's selector. */
export const SERDE_HEADER = 'spring.kafka.serialization.selector';

/** Options of {@link HeaderSerde}. */
export interface HeaderSerdeOptions {
  /** Name of the header. Default {@link SERDE_HEADER}. */
  readonly header?: string;
  /** For records without that header. Without it they are refused. */
  readonly otherwise?: SerdeName | Serde;
}

/** By a header of the record, which whoever sends has to set. */
export class HeaderSerde implements Serde {
  readonly #serdes: ReadonlyMap<string, Serde>;
  readonly #header: string;
  readonly #otherwise: Serde | undefined;

  /** With a serde for each text of the header. */
  constructor(serdes: Readonly<Record<string, SerdeName | Serde>>, options: HeaderSerdeOptions = {}) {
    this.#serdes = new Map(Object.entries(serdes).map(([text, serde]) => [text, serdeOf(serde, 'value')]));
    this.#header = options.header ?? SERDE_HEADER;
    this.#otherwise = options.otherwise === undefined ? undefined : serdeOf(options.otherwise, 'value');
  }

  serialize(data: unknown, topic: string, headers?: readonly RecordHeader[]): Buffer | string | null {
    return this.#of(headers).serialize(data, topic, headers);
  }

  deserialize(bytes: Buffer, target: DecodeTarget, topic: string, record?: Pick<DriverRecord, 'headers'>): unknown {
    return this.#of(record?.headers).deserialize(bytes, target, topic, record);
  }

  #of(headers: readonly RecordHeader[] | undefined): Serde {
    const text = headers?.findLast(({ key }) => key === this.#header)?.value?.toString();
    const found = text === undefined ? this.#otherwise : this.#serdes.get(text);
    if (found !== undefined) return found;
    const said =
      text === undefined ? `the record has no header ${this.#header}` : `header ${this.#header} is '${text}'`;
    throw new SerializationError(`${said}, and there are serializers for ${[...this.#serdes.keys()].join(', ')}`);
  }
}

function isFor(choice: string | RegExp, topic: string): boolean {
  return typeof choice === 'string' ? choice === topic : choice.test(topic);
}

/** A pattern without the flags that make `test` remember where it was. */
function withoutMemory(topic: string | RegExp): string | RegExp {
  return typeof topic === 'string' ? topic : new RegExp(topic.source, topic.flags.replace(/[gy]/g, ''));
}
