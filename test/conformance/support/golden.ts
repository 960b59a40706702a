/**
 * The golden files: bytes that Apache Kafka made, with the values it made them from.
 *
 * One file per API (numbered and named like its declaration) and one for everything else. Per message there is a line
 * `full` with a JSON value of all fields; each line below it names versions, what was encoded (`full`: the fields of that
 * value which the version has; `empty`: null where the version allows it, else defaults) and the bytes in hex.
 */
import { APIS, type Message } from '@kafka-template/protocol';
import { toJson } from './message-json.js';
import { MESSAGES, versionsOf } from './messages.js';
import { type Struct } from './random-message.js';
import { atVersion, emptyMessage, sampleMessage } from './sample-message.js';

/** What a golden line encodes. */
export type GoldenKind = 'full' | 'empty';

/** One case: a message at a version, and the bytes in hex. */
export interface GoldenCase {
  readonly message: Message;
  readonly version: number;
  readonly kind: GoldenKind;
  readonly hex: string;
}

/** A golden file: its name, and the messages in it. */
export interface GoldenFile {
  readonly name: string;
  readonly messages: readonly Message[];
}

function kebab(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-').toLowerCase();
}

/** What the files of an API are called, without extension: `00-produce`. */
export function apiFileName(api: { readonly key: number; readonly name: string }): string {
  return `${String(api.key).padStart(2, '0')}-${kebab(api.name)}`;
}

const apiFiles = APIS.map((api) => ({
  name: `${apiFileName(api)}.txt`,
  messages: [api.request, api.response],
}));
const inApis = new Set(apiFiles.flatMap((file) => file.messages));

/** All golden files there must be. */
export const GOLDEN_FILES: readonly GoldenFile[] = [
  ...apiFiles,
  { name: 'records-and-embedded.txt', messages: MESSAGES.filter((message) => !inApis.has(message)) },
];

/** The value of a case. */
export function goldenValue(message: Message, version: number, kind: GoldenKind, full: Struct): Struct {
  return kind === 'full' ? atVersion(message, version, full) : emptyMessage(message, version);
}

/** The cases a file must have, for `bytesOf` to fill in. */
export function casesOf(message: Message): { version: number; kind: GoldenKind }[] {
  return (['full', 'empty'] as const).flatMap((kind) => versionsOf(message).map((version) => ({ version, kind })));
}

/** The text of a golden file. */
export function goldenText(
  file: GoldenFile,
  provenance: string,
  bytesOf: (goldenCase: Omit<GoldenCase, 'hex'>) => string,
): string {
  const lines = [
    `# ${provenance}`,
    '# Checked by test/conformance/golden.spec.ts, which says how to read it.',
    '# Written anew by test/interop/protocol/golden.interop-spec.ts with UPDATE_GOLDEN=1.',
  ];
  for (const message of file.messages) {
    lines.push('', message.name, `full ${toJson(message, null, sampleMessage(message))}`);
    let previous = '';
    for (const { version, kind } of casesOf(message)) {
      const content = `${kind} ${bytesOf({ message, version, kind })}`;
      if (content === previous) lines.push(`v${version} ${lines.pop()}`.replace(/^(v\d+) ((?:v\d+ )+)/, '$2$1 '));
      else lines.push(`v${version} ${content}`);
      previous = content;
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Reads a golden file. */
export function parseGolden(text: string): {
  full: Map<string, string>;
  cases: (Omit<GoldenCase, 'message'> & { name: string })[];
} {
  const full = new Map<string, string>();
  const cases: (Omit<GoldenCase, 'message'> & { name: string })[] = [];
  let name = '';
  for (const line of text.split('\n')) {
    const bytes = /^((?:v\d+ )+)(full|empty) ([0-9a-f]*)$/.exec(line);
    if (bytes !== null) {
      const [, versions = '', kind, hex = ''] = bytes;
      for (const version of versions.trim().split(' ')) {
        cases.push({ name, version: Number(version.slice(1)), kind: kind as GoldenKind, hex });
      }
    } else if (line.startsWith('full ')) full.set(name, line.slice('full '.length));
    else if (/^\w+$/.test(line)) name = line;
  }
  return { full, cases };
}
