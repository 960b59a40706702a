/**
 * Where code generation from strings is forbidden the interpreter serves, without a word.
 *
 * The library is transformed to JavaScript in a temporary folder and run by a Node that forbids it: the flag cannot be
 * set for the process that runs the tests.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { transformSync } from '@swc/core';

const LIBRARY = resolve('libs/protocol/src');
const PROGRAM = `
import { Fetch, Metadata, Reader, Writer, encodeRequest, requestCodec } from './src/index.js';
let forbidden = false;
try { new Function('return 1')(); } catch (error) { forbidden = error instanceof EvalError; }
const writer = new Writer();
requestCodec(Metadata, 12).encode(writer, { topics: [{ name: 'orders' }] });
const { topics } = requestCodec(Metadata, 12).decode(new Reader(writer.toBuffer()));
const frame = Buffer.concat(encodeRequest(Fetch, 4, 7, 'me', { maxWaitMs: 1, minBytes: 1, topics: [] }));
console.log(JSON.stringify({ forbidden, name: topics[0].name, bytes: frame.length }));
`;

function toJavaScript(folder: string): void {
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const { code } = transformSync(readFileSync(join(folder, file), 'utf8'), {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    });
    writeFileSync(join(folder, file.replace(/\.ts$/, '.js')), code);
  }
}

describe('node --disallow-code-generation-from-strings', () => {
  it('encodes and decodes by the interpreter', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kafka-template-'));
    try {
      cpSync(LIBRARY, join(folder, 'src'), { recursive: true });
      symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
      toJavaScript(join(folder, 'src'));
      writeFileSync(join(folder, 'program.js'), PROGRAM);
      const flags = ['--disallow-code-generation-from-strings', 'program.js'];
      const output = execFileSync(process.execPath, flags, { cwd: folder, encoding: 'utf8' });
      expect(JSON.parse(output)).toEqual({ forbidden: true, name: 'orders', bytes: 37 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
