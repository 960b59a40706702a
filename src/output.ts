/**
 * How commands print: tables for people, JSON for programs. stdout is data; nothing else is written to it.
 */

import type { CommandIo } from './command-io.js';

/** `table` aligns columns; `json` is one array; `ndjson` one object a line. */
export type OutputFormat = 'table' | 'json' | 'ndjson';

/** The formats, as the option's choices. */
export const OUTPUT_FORMATS: readonly OutputFormat[] = ['table', 'json', 'ndjson'];

/** One row by column. */
export type Row = Readonly<Record<string, unknown>>;

/** The text of rows in a format, ending in a line end. Columns are those of the first row. */
export function formatRows(rows: readonly Row[], format: OutputFormat): string {
  if (format === 'json') return `${JSON.stringify(rows, null, 2)}\n`;
  if (format === 'ndjson') return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const columns = Object.keys(rows[0] ?? {});
  if (columns.length === 0) return '';
  const lines = [columns.map((column) => column.toUpperCase()), ...rows.map((row) => columns.map((c) => cell(row[c])))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]!.length)));
  return lines
    .map(
      (line) =>
        `${line
          .map((text, index) => text.padEnd(widths[index]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Prints rows as data. */
export function printRows(io: CommandIo, rows: readonly Row[], format: OutputFormat): void {
  io.stdout.write(formatRows(rows, format));
}

/** `1 record`, `2 records`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Whoever reads our output may stop reading (`| head`): that is no error. */
export function endWithReader(io: CommandIo): void {
  io.stderr.on('error', () => undefined);
  io.stdout.on('error', (error: Error & { code?: string }) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return value.map(cell).join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
