/**
 * The programs of a spec that the README of the library has to show: what stands between the lines `<readme>` and `</readme>`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Each program without its indentation, and the README. Throws when the spec has none. */
export function readmePrograms(specFile: string): { readonly text: string; readonly readme: string }[] {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const source = readFileSync(specFile, 'utf8');
  const programs = Array.from(source.matchAll(/^ *\/\/ <readme>\n([^]*?) *\/\/ <\/readme>/gm), (match) => {
    const program = match[1] ?? '';
    const indent = /^ */.exec(program)?.[0] ?? '';
    return { text: program.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trim(), readme };
  });
  if (programs.length === 0) throw new Error(`${specFile} has no program for the README`);
  return programs;
}
