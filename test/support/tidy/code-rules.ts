/**
 * House rules that look at one TypeScript file at a time: sizes, banned calls, types, exports, comments.
 */
import ts from 'typescript';
import { libraryCode, productCode, type Rule } from './rule.js';
import type { Source } from './sources.js';

const FUNCTION_LINES_MAX = 70;
const FILE_LINES_MAX = 500;
const HANDLER_LINES_MAX = 200;

const TIMERS = new Set(['setTimeout', 'setInterval', 'setImmediate']);
const IO_MODULES = /^(node:)?(fs|fs\/promises|net|tls|timers|timers\/promises|dgram|child_process)$/;

/** The rules of this file. */
export const CODE_RULES: readonly Rule[] = [
  {
    name: `a function has at most ${FUNCTION_LINES_MAX} lines`,
    advice: 'Give a part of it a name of its own.',
    broken: { 'src/long.ts': `function long() {\n${'  run();\n'.repeat(FUNCTION_LINES_MAX)}}\n` },
    find: ({ sources }) => sources.flatMap(longFunctions),
  },
  {
    name: `a file has at most ${FILE_LINES_MAX} lines`,
    advice: 'Split it by noun: one noun per file, the file named after it.',
    broken: { 'libs/broker/src/long.ts': 'run();\n'.repeat(FILE_LINES_MAX + 1) },
    find: ({ sources }) => sources.flatMap((source) => longerThan(source, FILE_LINES_MAX)),
  },
  {
    name: `a request handler has at most ${HANDLER_LINES_MAX} lines`,
    advice: 'Split it by noun into a folder of the same name, or move what it knows into the layer below.',
    broken: { 'libs/broker/src/api/handlers/01-fetch.ts': 'run();\n'.repeat(HANDLER_LINES_MAX + 1) },
    find: ({ sources }) =>
      sources
        .filter((source) => source.path.startsWith('libs/broker/src/api/handlers/') && !source.isSpec)
        .flatMap((source) => longerThan(source, HANDLER_LINES_MAX)),
  },
  {
    name: 'clock, timers, randomness, disk, network and console are used in io/ only',
    advice: "Take the library's port (io/clock, io/disk, io/network, io/random, io/logger) as a parameter instead.",
    broken: { 'libs/client/src/now.ts': 'export const now = () => Date.now();\n' },
    find: (repository) => libraryCode(repository).flatMap(bannedCalls),
  },
  {
    name: 'nothing is left to do in a comment',
    advice: 'Do it now, or leave the comment out: unfinished work is not written into the code.',
    broken: { 'src/later.ts': `// ${'TO'}${'DO'}: later\n` },
    find: ({ sources }) => sources.flatMap((source) => linesMatching(source, /\b(TODO|FIXME|XXX|HACK)\b/)),
  },
  {
    name: 'no `any`',
    advice: 'Use `unknown` and look at the value, or a type parameter.',
    broken: { 'libs/client/src/any.ts': 'export let value: any;\n' },
    find: (repository) =>
      productCode(repository).flatMap((source) =>
        nodesWhere(source, (node) => node.kind === ts.SyntaxKind.AnyKeyword, 'any'),
      ),
  },
  {
    name: 'the compiler is not silenced',
    advice: 'Fix the type. In a spec, @ts-expect-error with a reason is the way to test a type error.',
    broken: { 'src/silent.ts': `// @ts-${'ignore'}\nrun();\n` },
    find: ({ sources }) => sources.flatMap(silencedLines),
  },
  {
    name: 'libraries have no default exports',
    advice: 'Export it by its name: it is then called the same everywhere.',
    broken: { 'libs/client/src/default.ts': 'export default 1;\n' },
    find: (repository) => libraryCode(repository).flatMap((source) => nodesWhere(source, isDefaultExport, 'default')),
  },
  {
    name: 'no `export *`',
    advice: 'Name what is exported: the public surface is a decision, not an accident.',
    broken: { 'libs/client/src/star.ts': "export * from './other.js';\n" },
    find: ({ sources }) =>
      sources.flatMap((source) =>
        nodesWhere(source, (node) => ts.isExportDeclaration(node) && node.exportClause === undefined, 'export *'),
      ),
  },
  {
    name: 'a library file opens with a block comment',
    advice: 'Say in two to eight lines what the file is, what it guarantees and what it leaves out.',
    broken: { 'libs/client/src/bare.ts': 'export const bare = 1;\n' },
    find: (repository) =>
      libraryCode(repository)
        .filter((source) => !/^\s*\/\*/.test(source.text.replace(/^#!.*\n/, '')))
        .map((source) => source.path),
  },
  {
    name: 'every export of a library has a doc comment',
    advice: 'Add /** … */: shape, units, default, errors, source (KIP number, protocol section) where there is one.',
    broken: { 'libs/client/src/undocumented.ts': '/** A file. */\n\nexport interface Undocumented {}\n' },
    find: (repository) => libraryCode(repository).flatMap(undocumentedExports),
  },
];

function longerThan(source: Source, max: number): string[] {
  const lines = source.text.split('\n').length - 1;
  return lines > max ? [`${source.path}: ${lines} lines`] : [];
}

function longFunctions(source: Source): string[] {
  const found: string[] = [];
  source.walk((node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
    // The body of describe() is a list of tests, not a function anybody reads in one go.
    if (source.isSpec && ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.expression.getText()))
      return;
    const first = source.lineOf(node);
    const last = source.ast.getLineAndCharacterOfPosition(node.getEnd()).line + 1;
    if (last - first + 1 > FUNCTION_LINES_MAX) found.push(`${source.path}:${first}: ${last - first + 1} lines`);
  });
  return found;
}

/** Folders of a library that touch the outside world on purpose. */
function mayTouchTheWorld(source: Source): boolean {
  if (source.layer === 'io' || source.isTestKit) return true;
  return source.home === 'libs/kafka-template' && source.layer === 'drivers';
}

/** Synchronous loading of a package's own data at first use; the protocol library has no ports to do it through. */
const EXCEPTIONS = new Set(['libs/protocol/src/records/zstd.ts: node:fs']);

function bannedCalls(source: Source): string[] {
  if (mayTouchTheWorld(source)) return [];
  const found = source.imports
    .filter((entry) => !entry.typeOnly && IO_MODULES.test(entry.specifier))
    .filter((entry) => !EXCEPTIONS.has(`${source.path}: ${entry.specifier}`))
    .map((entry) => `${source.path}:${entry.line}: ${entry.specifier}`);
  source.walk((node) => {
    const name = bannedName(node);
    if (name !== null) found.push(`${source.path}:${source.lineOf(node)}: ${name}`);
  });
  return found;
}

function bannedName(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    const object = node.expression.text;
    const name = `${object}.${node.name.text}`;
    if (object === 'console') return name;
    return /^(Date\.now|performance\.now|Math\.random|process\.hrtime)$/.test(name) ? name : null;
  }
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    return TIMERS.has(node.expression.text) ? node.expression.text : null;
  }
  const isNewDate = ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Date';
  return isNewDate && (node.arguments ?? []).length === 0 ? 'new Date()' : null;
}

function linesMatching(source: Source, pattern: RegExp): string[] {
  if (source.path.startsWith('test/support/tidy/')) return [];
  return source.text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${source.path}:${index + 1}`] : []));
}

function silencedLines(source: Source): string[] {
  const pattern = source.isSpec ? /@ts-(ignore|nocheck)/ : /@ts-(ignore|nocheck|expect-error)/;
  return linesMatching(source, pattern);
}

function nodesWhere(source: Source, matches: (node: ts.Node) => boolean, label: string): string[] {
  const found: string[] = [];
  source.walk((node) => {
    if (matches(node)) found.push(`${source.path}:${source.lineOf(node)}: ${label}`);
  });
  return found;
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  return (
    ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some((m) => m.kind === ts.SyntaxKind.DefaultKeyword)
  );
}

function undocumentedExports(source: Source): string[] {
  const documented = new Set<string>();
  const found: string[] = [];
  for (const statement of source.ast.statements) {
    if (!isExported(statement) || ts.isExportDeclaration(statement) || ts.isExportAssignment(statement)) continue;
    const name = declaredName(statement);
    if (documented.has(name) || isMessageType(source, statement)) continue;
    if (hasDocComment(source, statement)) documented.add(name);
    else found.push(`${source.path}:${source.lineOf(statement)}: ${name}`);
  }
  return found;
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  return (modifiers ?? []).some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword);
}

function declaredName(statement: ts.Statement): string {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map((declaration) => declaration.name.getText()).join(', ');
  }
  const name = (statement as Partial<ts.DeclarationStatement>).name;
  return name === undefined ? 'an export' : name.getText();
}

/** `export type ProduceRequest = RequestOf<typeof Produce>` says it all. */
function isMessageType(source: Source, statement: ts.Statement): boolean {
  return ts.isTypeAliasDeclaration(statement) && source.path.startsWith('libs/protocol/src/messages/');
}

/** A doc comment directly above; the one that opens the file counts only when it touches the declaration. */
function hasDocComment(source: Source, statement: ts.Statement): boolean {
  const ranges = ts.getLeadingCommentRanges(source.text, statement.getFullStart()) ?? [];
  const docs = ranges.filter((range) => source.text.startsWith('/**', range.pos));
  const opensFile = docs.length === 1 && source.text.slice(0, docs[0]?.pos ?? 0).trim() === '';
  if (!opensFile) return docs.length > 0;
  // A file that is one declaration needs one comment, provided that it touches the declaration.
  return source.text.slice(docs[0]?.end ?? 0, statement.getStart(source.ast)).split('\n').length <= 2;
}
