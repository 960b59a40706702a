/**
 * JSON with integers of any size: BigInt out as a number literal, integers beyond 2^53 in as BigInt.
 *
 * JSON itself knows no bounds; JavaScript's parser rounds beyond 2^53 without a word. Slower than JSON.parse and
 * JSON.stringify, so it is used only where there is a BigInt to write, or such a number to read.
 */

/** A string or a number of some JSON text, strings first so that digits inside them are not taken for numbers. */
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|-?\d+(\.\d+)?([eE][+-]?\d+)?/g;

/** Shortest integer that may be beyond 2^53: 16 digits. A quick test before the slow way. */
const LONG_INTEGER = /\d{16}/;

/** The value of some JSON text, with a BigInt for each integer that a number cannot hold. Throws SyntaxError. */
export function parseExact(text: string): unknown {
  const plain: unknown = JSON.parse(text);
  if (!LONG_INTEGER.test(text)) return plain;
  // Every string that is no name gets a letter in front, so that integers can travel as strings with another one.
  let isFound = false;
  const marked = text.replace(TOKEN, (token, colon?: string, fraction?: string, exponent?: string) => {
    if (token.startsWith('"')) return colon === undefined ? `"s${token.slice(1)}` : token;
    if (fraction !== undefined || exponent !== undefined || Number.isSafeInteger(Number(token))) return token;
    isFound = true;
    return `"n${token}"`;
  });
  if (!isFound) return plain;
  return JSON.parse(marked, (_name, value: unknown) => {
    if (typeof value !== 'string') return value;
    return value.startsWith('n') ? BigInt(value.slice(1)) : value.slice(1);
  });
}

/** As JSON.stringify, with a number literal for each BigInt. Throws TypeError on circles, as that does. */
export function stringifyExact(data: unknown): string | undefined {
  return write('', data, []);
}

function write(name: string, given: unknown, parents: readonly unknown[]): string | undefined {
  let data = given;
  const toJson = (data as { toJSON?: unknown } | null | undefined)?.toJSON;
  if (typeof toJson === 'function') data = toJson.call(data, name) as unknown;
  if (data instanceof BigInt) data = data.valueOf();
  if (typeof data === 'bigint') return data.toString();
  if (typeof data !== 'object' || data === null || isBoxed(data)) return JSON.stringify(data);
  if (parents.includes(data)) throw new TypeError('Converting circular structure to JSON');
  const inside = [...parents, data];
  if (Array.isArray(data)) {
    return `[${Array.from(data, (one, index) => write(String(index), one, inside) ?? 'null').join(',')}]`;
  }
  const members: string[] = [];
  for (const key of Object.keys(data)) {
    const text = write(key, (data as Record<string, unknown>)[key], inside);
    if (text !== undefined) members.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${members.join(',')}}`;
}

function isBoxed(data: object): boolean {
  return data instanceof Number || data instanceof String || data instanceof Boolean;
}
