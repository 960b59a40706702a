/**
 * Reads the text of a Java properties file, the format of Kafka's server.properties.
 *
 * Guarantees Java's rules: `#` and `!` comments, `=`, `:` or white space between key and value, a backslash at the end of
 * a line continues it, escapes with backslash and \uXXXX; a later entry replaces an earlier one of the same name.
 * Pure: reading the file and knowing the names are others' work. Source: java.util.Properties.load.
 */

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/** The entries of the file by name. Never throws: every text is a properties file. */
export function parseProperties(text: string): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const line of logicalLines(text)) {
    const [name, value] = split(line);
    entries[unescape(name)] = unescape(value);
  }
  return entries;
}

/** Lines without comments and blanks, continued lines joined. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let continued: string | null = null;
  for (const physical of text.split(/\r\n|\n|\r/)) {
    const line = physical.replace(/^[ \t\f]+/, '');
    if (continued === null && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue;
    const whole: string = (continued ?? '') + line;
    if (endsInBackslash(line)) {
      continued = whole.slice(0, -1);
      continue;
    }
    continued = null;
    lines.push(whole);
  }
  if (continued !== null) lines.push(continued);
  return lines;
}

/** An odd number of backslashes at the end: the last one escapes the line's end. */
function endsInBackslash(line: string): boolean {
  return (/\\+$/.exec(line)?.[0].length ?? 0) % 2 === 1;
}

/** Cuts at the first separator that is not escaped. */
function split(line: string): [name: string, value: string] {
  let end = 0;
  while (end < line.length && !/[=: \t\f]/.test(line[end]!)) end += line[end] === '\\' ? 2 : 1;
  const rest = line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
  return [line.slice(0, end), rest];
}

function unescape(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|[^])/g, (_whole, escape: string) => {
    if (escape.length > 1) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return ESCAPES[escape] ?? escape;
  });
}
