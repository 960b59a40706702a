/**
 * Our declarations say what Kafka's own message definitions say, field by field and version by version.
 *
 * Guarantees that names, order, types, versions, nullability, tags, defaults and what may be dropped are equal, and that
 * every message of Kafka's jars is either declared or listed here with the reason why not.
 */
import { APIS, type Message } from '@kafka-template/protocol';
import {
  type FieldData,
  type Fields,
  type TypeData,
  existsAt,
  nullableAt,
  taggedAt,
} from '../../../libs/protocol/src/schema.js';
import { defaultOf } from '../../../libs/protocol/src/wire-types.js';
import { MESSAGES, RECORDS, versionsOf } from '../../conformance/support/messages.js';
import { KAFKA_VERSION, askKafka } from './kafka-codec.js';

interface Definition {
  readonly apiKey?: number;
  readonly type: string;
  readonly name: string;
  readonly validVersions: string;
  /** The newest version may still change; Kafka offers it only with `unstable.api.versions.enable`. */
  readonly latestVersionUnstable?: boolean;
  readonly flexibleVersions: string;
  readonly fields: readonly FieldDefinition[];
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly FieldDefinition[] }[];
}

interface FieldDefinition {
  readonly name: string;
  readonly type: string;
  readonly versions?: string;
  readonly nullableVersions?: string;
  readonly taggedVersions?: string;
  readonly tag?: number;
  readonly default?: string | number | boolean | null;
  readonly ignorable?: boolean;
  readonly fields?: readonly FieldDefinition[];
}

type Range = readonly [min: number, max: number];

/** Messages of the jars that are not declared, with the reason. */
const LEFT_OUT: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^(LeaderAndIsr|StopReplica|UpdateMetadata|ControlledShutdown)(Request|Response)$/, 'no version left in Kafka 4'],
  [/^(Request|Response)Header$/, 'written by hand in header.ts'],
  [
    /^(LeaderChangeMessage|Snapshot(Header|Footer)Record|KRaftVersionRecord|VotersRecord)$/,
    "the KRaft controllers' log",
  ],
  [/^QuorumStateData$/, 'a file of a KRaft controller'],
  [/^DefaultPrincipalData$/, 'inside Envelope requests, which only KRaft controllers get'],
];

/** Known differences as `message.field: what` with the reason. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  'InitProducerIdRequest: versions 0-5 instead of 0-6': 'version 6 (KIP-939) is unstable in Kafka 4.3',
  'InitProducerIdResponse: versions 0-5 instead of 0-6': 'version 6 (KIP-939) is unstable in Kafka 4.3',
};

const ALWAYS: Range = [0, Infinity];
const NEVER: Range = [1, 0];

function rangeOf(text: string | undefined, otherwise: Range): Range {
  if (text === undefined) return otherwise;
  if (text === 'none') return NEVER;
  if (text.endsWith('+')) return [Number(text.slice(0, -1)), Infinity];
  const [min = '', max = min] = text.split('-');
  return [Number(min), Number(max)];
}

function includes([min, max]: Range, version: number): boolean {
  return version >= min && version <= max;
}

function lowerFirst(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

const INTEGERS = new Set(['int8', 'int16', 'uint16', 'int32', 'uint32']);

/**
 * A field's default as Kafka's generator understands it, as text. Only the string "null" means null there: a JSON null is
 * the same as no default at all.
 */
function kafkaDefault(field: FieldDefinition): string {
  const given = field.default ?? '';
  if (given === 'null' || field.type === 'records') return 'null';
  if (field.type.startsWith('[]')) return 'empty';
  if (given !== '') return String(typeof given === 'string' && /^0x/.test(given) ? Number(given) : given);
  if (field.type === 'bool') return 'false';
  if (field.type === 'string' || field.type === 'bytes') return '';
  if (field.type === 'uuid') return 'A'.repeat(22);
  if (INTEGERS.has(field.type) || field.type === 'int64' || field.type === 'float64') return '0';
  return 'empty';
}

function ourDefault(data: FieldData): string {
  const value = defaultOf(data) as string | number | bigint | boolean | object | null;
  if (value === null) return 'null';
  if (Buffer.isBuffer(value)) return value.toString();
  return typeof value === 'object' ? 'empty' : String(value);
}

function typeName(type: TypeData): string {
  if (type.kind === 'array') return `[]${typeName(type.element)}`;
  return type.kind === 'long' ? 'int64' : type.kind;
}

/** Compares the declaration of one message with its definition and tells every difference. */
class Comparison {
  readonly differences: string[] = [];
  private readonly structs: ReadonlyMap<string, readonly FieldDefinition[]>;

  constructor(
    private readonly message: Message,
    definition: Definition,
  ) {
    this.structs = new Map((definition.commonStructs ?? []).map((struct) => [struct.name, struct.fields]));
    const [min, max] = rangeOf(definition.validVersions, NEVER);
    if (message.versions[0] !== min || message.versions[1] !== max) {
      this.tell(`versions ${message.versions.join('-')} instead of ${min}-${max}`);
    }
    const flexible = rangeOf(definition.flexibleVersions, NEVER);
    const ours: Range = message.flexible === null ? NEVER : [message.flexible, Infinity];
    if (flexible[0] !== ours[0] || flexible[1] !== ours[1])
      this.tell(`flexible from ${ours[0]} instead of ${flexible[0]}`);
    this.fields(message.name, message.fields, definition.fields, versionsOf(message), flexible);
  }

  private tell(what: string, path = this.message.name): void {
    this.differences.push(`${path}: ${what}`);
  }

  private fields(
    path: string,
    ours: Fields,
    theirs: readonly FieldDefinition[],
    versions: readonly number[],
    flexible: Range,
  ): void {
    const present = theirs.filter((field) => versions.some((version) => includes(versionsOfField(field), version)));
    const names = present.map((field) => lowerFirst(field.name));
    if (Object.keys(ours).join() !== names.join()) {
      this.tell(`fields ${Object.keys(ours).join()} instead of ${names.join()}`, path);
    }
    for (const field of present) {
      const name = lowerFirst(field.name);
      const data = ours[name]?.data;
      if (data !== undefined) this.field(`${path}.${name}`, data, field, versions, flexible);
    }
  }

  private field(
    path: string,
    data: FieldData,
    field: FieldDefinition,
    versions: readonly number[],
    flexible: Range,
  ): void {
    const parts = this.structs.get(field.type.replace('[]', '')) ?? field.fields;
    const type = parts === undefined ? field.type : field.type.startsWith('[]') ? '[]struct' : 'struct';
    if (typeName(data.type) !== type) this.tell(`type ${typeName(data.type)} instead of ${type}`, path);
    if (ourDefault(data) !== kafkaDefault(field)) {
      this.tell(`default ${ourDefault(data)} instead of ${kafkaDefault(field)}`, path);
    }
    for (const version of versions) {
      const exists = includes(versionsOfField(field), version);
      if (existsAt(data, version) !== exists) this.tell(`exists at ${version}: ${!exists}`, path);
      if (!exists) continue;
      const nullable = includes(rangeOf(field.nullableVersions, NEVER), version);
      if (nullableAt(data, version) !== nullable) this.tell(`nullable at ${version}: ${!nullable}`, path);
      const tag = includes(rangeOf(field.taggedVersions, NEVER), version) ? field.tag : undefined;
      const ourTag = taggedAt(data, version) && includes(flexible, version) ? data.tag : undefined;
      if (ourTag !== tag) this.tell(`tag ${ourTag} instead of ${tag} at ${version}`, path);
    }
    const absent = versions.some((version) => !includes(versionsOfField(field), version));
    if (absent && data.ignorable !== (field.ignorable ?? false)) this.tell(`ignorable ${data.ignorable}`, path);
    if (parts === undefined) return;
    const inside = data.type.kind === 'array' ? data.type.element : data.type;
    const carried = versions.filter((version) => includes(versionsOfField(field), version));
    if (inside.kind === 'struct') this.fields(path, inside.fields, parts, carried, flexible);
  }
}

function versionsOfField(field: FieldDefinition): Range {
  return rangeOf(field.versions ?? field.taggedVersions, ALWAYS);
}

describe(`declarations and the definitions of Apache Kafka ${KAFKA_VERSION}`, () => {
  let definitions: ReadonlyMap<string, Definition>;

  beforeAll(async () => {
    const [answer] = await askKafka<{ definitions: { jar: string; definition: Definition }[] }>([
      '{"op":"definitions"}',
    ]);
    const messages = (answer?.definitions ?? []).filter(({ jar }) => !/^kafka-(metadata|storage)-/.test(jar));
    definitions = new Map(messages.map(({ definition }) => [definition.name, definition]));
  });

  it('are equal but for the differences listed here', () => {
    const differences = MESSAGES.flatMap((message) => {
      const definition = definitions.get(message.name);
      return definition === undefined
        ? [`${message.name}: Kafka has no such message`]
        : new Comparison(message, definition).differences;
    });
    expect(differences).toEqual(Object.keys(DIFFERENCES));
  });

  it('have the same keys', () => {
    for (const api of APIS) {
      expect([api.name, definitions.get(`${api.name}Request`)?.apiKey]).toEqual([api.name, api.key]);
      expect([api.name, definitions.get(`${api.name}Response`)?.apiKey]).toEqual([api.name, api.key]);
    }
    for (const record of RECORDS) {
      expect([record.name, definitions.get(`${record.name}Key`)?.apiKey]).toEqual([record.name, record.type]);
      expect([record.name, definitions.get(`${record.name}Value`)?.apiKey]).toEqual([record.name, record.type]);
    }
  });

  it('leave out exactly the versions that Kafka marks as unstable', () => {
    const unstable = [...definitions.values()].filter((definition) => definition.latestVersionUnstable === true);
    const beyond = APIS.filter(
      (api) => rangeOf(definitions.get(`${api.name}Request`)?.validVersions, NEVER)[1] > api.versions[1],
    );
    expect(beyond.map((api) => `${api.name}Request`)).toEqual(unstable.map(({ name }) => name));
    expect(unstable.map(({ name }) => name)).toEqual(['InitProducerIdRequest']);
  });

  it('leave out only what is listed here', () => {
    const declared = new Set(MESSAGES.map((message) => message.name));
    const missing = [...definitions.keys()].filter((name) => !declared.has(name));
    expect(missing.filter((name) => !LEFT_OUT.some(([pattern]) => pattern.test(name)))).toEqual([]);
    for (const [pattern, reason] of LEFT_OUT) {
      expect({ reason, used: missing.some((name) => pattern.test(name)) }).toEqual({ reason, used: true });
    }
  });
});
