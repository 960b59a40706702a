/**
 * House rules about who may import whom: between libraries, between the layers of one, and no cycles or orphans.
 *
 * Specs are free inside their own library: they set the scene. The table of layers is the map of the code; a new
 * layer has to be entered here, which is the moment to ask where it stands.
 */
import { libraryCode, productCode, type Repository, type Rule } from './rule.js';
import type { Import, Source } from './sources.js';

/** Our packages each home may import. */
const LIBRARY_ARROWS: Readonly<Record<string, readonly string[]>> = {
  'libs/protocol': [],
  'libs/client': ['@kafka-template/protocol'],
  'libs/broker': ['@kafka-template/protocol', '@kafka-template/client'],
  'libs/kafka-template': ['@kafka-template/client'],
  'apps/demo': ['@kafka-template/client', '@kafka-template/broker', '@kafka-template/nestjs'],
  src: ['@kafka-template/protocol', '@kafka-template/client', '@kafka-template/broker'],
};

/** Where kafka-template may import the broker: its test kit. */
const BROKER_IMPORTERS = /^libs\/kafka-template\/src\/testing\//;

/** Layers of the broker, lowest first: each may import itself and the ones named. '' is the top of src. */
const BROKER_ARROWS: Readonly<Record<string, readonly string[]>> = {
  io: [],
  rpc: ['io'],
  log: ['io'],
  cluster: ['io', 'rpc', 'log'],
  replication: ['io', 'rpc', 'log', 'cluster'],
  coordinator: ['io', 'cluster', 'replication'],
  api: ['io', 'cluster', 'replication', 'coordinator'],
  net: ['io', 'api'],
  // Files at the top of src that are no leaves put the layers together; no layer may import them.
  '': ['io', 'rpc', 'log', 'cluster', 'replication', 'coordinator', 'api', 'net'],
};

/** Files at the top of libs/broker/src that every layer may import: leaves without knowledge of any layer. */
const BROKER_LEAVES = /^(assert|limits|errors|nearest-name)\.ts$/;

/** Files of libs/broker/src that know every layer. */
const BROKER_ROOTS = /^(index|broker)\.ts$/;

/** Layers of kafka-template, lowest first. */
const TEMPLATE_ARROWS: Readonly<Record<string, readonly string[]>> = {
  io: [],
  drivers: ['io'],
  serde: ['drivers'],
  record: ['drivers', 'serde'],
  commit: ['drivers', 'record'],
  events: ['drivers', 'io', 'record', 'commit'],
  'error-handling': ['drivers', 'serde', 'io', 'record', 'commit', 'events'],
  template: ['drivers', 'serde', 'io', 'record', 'events'],
  decorators: [
    'drivers',
    'serde',
    'record',
    'commit',
    'error-handling',
    'listener',
    'discovery',
    'template',
    'retry-topic',
  ],
  listener: ['drivers', 'serde', 'record', 'commit', 'error-handling', 'events', 'io', 'template', 'decorators'],
  'retry-topic': [
    'drivers',
    'serde',
    'record',
    'commit',
    'error-handling',
    'events',
    'io',
    'template',
    'listener',
    'decorators',
  ],
  discovery: [
    'drivers',
    'serde',
    'record',
    'commit',
    'error-handling',
    'events',
    'io',
    'listener',
    'decorators',
    'retry-topic',
  ],
  module: [
    ...['drivers', 'serde', 'record', 'commit', 'error-handling', 'events', 'io', 'template', 'decorators'],
    ...['listener', 'retry-topic', 'discovery'],
  ],
  idempotence: ['drivers', 'io', 'record', 'commit', 'discovery'],
  // An entry of its own, for applications with @nestjs/microservices; nothing else may import it.
  microservices: [
    ...['drivers', 'serde', 'record', 'commit', 'error-handling', 'events', 'io', 'template'],
    ...['listener', 'discovery', 'module'],
  ],
};

/** Where kafka-template may import NestJS; everything else runs in a plain unit test. */
const NEST_HOMES =
  /^libs\/kafka-template\/src\/(module|decorators|discovery|idempotence|microservices|testing)\/|\/listener\/(listener\.adapter|kafka-arguments-host)\.ts$/;

/** The rules of this file. */
export const ARROW_RULES: readonly Rule[] = [
  {
    name: 'libraries import each other in one direction: protocol ← client ← broker, client ← kafka-template',
    advice: 'Move what both need downwards, or hand it in from above as a port.',
    broken: { 'libs/protocol/src/up.ts': "import '@kafka-template/client';\n" },
    find: ({ sources }) => sources.flatMap((source) => source.imports.flatMap((entry) => libraryArrow(source, entry))),
  },
  {
    name: 'a library is imported by its package name and its public entries only',
    advice:
      "Import from '@kafka-template/NAME' (or '@kafka-template/nestjs/testing') and export there what is missing.",
    broken: { 'libs/client/src/deep.ts': "import '../../protocol/src/index.js';\n" },
    find: ({ sources }) =>
      sources
        .filter((source) => source.home !== 'test')
        .flatMap((source) => source.imports.flatMap((entry) => deepImport(source, entry))),
  },
  {
    name: 'a layer of libs/broker imports only the layers below it',
    advice: 'See the table of layers in libs/broker: hand the thing in from broker.ts, or move it down.',
    broken: {
      'libs/broker/src/log/log.ts': "import { fetch } from '../api/fetch.js';\n",
      'libs/broker/src/api/fetch.ts': 'export const fetch = 1;\n',
    },
    find: (repository) => layerArrows(repository, 'libs/broker', BROKER_ARROWS, BROKER_LEAVES, BROKER_ROOTS),
  },
  {
    name: 'a layer of libs/kafka-template imports only the layers below it',
    advice: 'Only module/ knows everything: hand the thing in from there, or move it down.',
    broken: {
      'libs/kafka-template/src/commit/batch.ts': "import { Container } from '../listener/container.js';\n",
      'libs/kafka-template/src/listener/container.ts': 'export class Container {}\n',
    },
    find: (repository) =>
      layerArrows(repository, 'libs/kafka-template', TEMPLATE_ARROWS, /^(errors|option-check)\.ts$/, /^index\.ts$/),
  },
  {
    name: 'NestJS is imported in module/, decorators/, discovery/, microservices/, testing/ and the listener adapter only',
    advice: 'Take what you need as a parameter: containers, strategies and templates run without Nest.',
    broken: { 'libs/kafka-template/src/commit/nest.ts': "import { Injectable } from '@nestjs/common';\n" },
    find: (repository) =>
      libraryCode(repository)
        .concat(productCode(repository).filter((source) => source.home === 'src'))
        .filter((source) => !NEST_HOMES.test(source.path))
        .flatMap((source) => importsMatching(source, /^@nestjs\//)),
  },
  {
    name: 'relative imports end in .js',
    advice: 'Write the name the file has after the build: ./log.js for ./log.ts.',
    broken: { 'src/import.ts': "import './log';\n" },
    find: ({ sources }) => sources.flatMap((source) => importsMatching(source, /^\.{1,2}\/(?!.*\.(m?js|json)$)/)),
  },
  {
    name: 'a package that a library imports is in its package.json',
    advice: 'Add it to dependencies, peerDependencies or optionalDependencies there.',
    broken: { 'libs/client/package.json': '{}', 'libs/client/src/x.ts': "import 'left-pad';\n" },
    find: undeclaredPackages,
  },
  {
    name: 'no import cycles',
    advice: 'Move what both need into a file of its own, or turn one of the two around with a parameter.',
    broken: { 'src/a.ts': "import './b.js';\n", 'src/b.ts': "import './a.js';\n" },
    find: importCycles,
  },
  {
    name: 'every file is imported by something that is shipped',
    advice: 'Delete it, or use it. Helpers of specs are called NAME.fixture.ts or live in a folder called testing/.',
    broken: { 'libs/client/src/index.ts': '', 'libs/client/src/orphan.ts': 'export const orphan = 1;\n' },
    find: orphans,
  },
];

function libraryArrow(source: Source, entry: Import): string[] {
  const allowed = LIBRARY_ARROWS[source.home];
  if (allowed === undefined || !entry.specifier.startsWith('@kafka-template/')) return [];
  const library = entry.specifier.split('/').slice(0, 2).join('/');
  if (allowed.includes(library)) return [];
  const fromTestKit = source.isSpec || BROKER_IMPORTERS.test(source.path);
  // A spec may start the real thing above it; shipped code may not.
  if (library === '@kafka-template/broker' && source.home === 'libs/kafka-template' && fromTestKit) return [];
  if (source.isSpec && source.home === 'libs/client' && library === '@kafka-template/broker') return [];
  return [`${source.path}:${entry.line}: ${entry.specifier}`];
}

function deepImport(source: Source, entry: Import): string[] {
  const leaves = entry.relative && !entry.target.startsWith(source.home === 'src' ? 'src/' : `${source.home}/`);
  const toSharedTestSupport = source.isSpec && entry.target.startsWith('test/support/');
  const deep = /^@kafka-template\/[^/]+\/(?!testing$|microservices$|package\.json$)/.test(entry.specifier);
  return (leaves && !toSharedTestSupport) || deep ? [`${source.path}:${entry.line}: ${entry.specifier}`] : [];
}

function layerArrows(
  { sources }: Repository,
  home: string,
  arrows: Readonly<Record<string, readonly string[]>>,
  leaves: RegExp,
  roots: RegExp,
): string[] {
  const inHome = new Map(sources.filter((source) => source.home === home).map((source) => [source.path, source]));
  const found: string[] = [];
  for (const source of inHome.values()) {
    if (source.isSpec || source.isTestKit || roots.test(source.inside)) continue;
    for (const entry of source.imports) {
      const target = inHome.get(entry.target);
      if (target === undefined || leaves.test(target.inside)) continue;
      if (source.layer === target.layer) continue;
      if (!(arrows[source.layer] ?? []).includes(target.layer)) {
        found.push(`${source.path}:${entry.line}: ${source.layer || 'top'} → ${target.layer || target.inside}`);
      }
    }
  }
  return found;
}

function importsMatching(source: Source, pattern: RegExp): string[] {
  return source.imports
    .filter((entry) => pattern.test(entry.specifier))
    .map((entry) => `${source.path}:${entry.line}: ${entry.specifier}`);
}

function undeclaredPackages(repository: Repository): string[] {
  return productCode(repository).flatMap((source) => {
    const manifest = repository.files.get(source.home === 'src' ? 'package.json' : `${source.home}/package.json`);
    if (manifest === undefined) return [];
    const declared = declaredPackages(manifest);
    return source.imports
      .filter((entry) => !entry.relative && !entry.specifier.startsWith('node:'))
      .filter((entry) => !declared.has(packageName(entry.specifier)))
      .map((entry) => `${source.path}:${entry.line}: ${entry.specifier}`);
  });
}

function declaredPackages(manifest: string): Set<string> {
  const json = JSON.parse(manifest) as Record<string, Record<string, string> | undefined>;
  const names = ['dependencies', 'peerDependencies', 'optionalDependencies'].flatMap((field) =>
    Object.keys(json[field] ?? {}),
  );
  return new Set(names);
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Depth-first search; each cycle is reported once, at the import that closes it. */
function importCycles({ sources }: Repository): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const state = new Map<string, 'open' | 'done'>();
  const found: string[] = [];
  const visit = (source: Source, trail: readonly string[]): void => {
    state.set(source.path, 'open');
    for (const entry of source.imports) {
      const target = byPath.get(entry.target);
      if (target === undefined || state.get(target.path) === 'done') continue;
      const path = [...trail, source.path];
      if (state.get(target.path) === 'open') {
        found.push([...path.slice(path.indexOf(target.path)), target.path].join(' → '));
      } else visit(target, path);
    }
    state.set(source.path, 'done');
  };
  for (const source of sources) if (!state.has(source.path)) visit(source, []);
  return found;
}

const ENTRIES =
  /^(libs\/[^/]+\/src\/(index|(testing|microservices)\/index)\.ts|src\/main\.ts|apps\/[^/]+\/src\/main\.ts)$/;

/** Reachability from the entries; a folder `testing/` may also hold what only specs use. A home without entry waits. */
function orphans(repository: Repository): string[] {
  const byPath = new Map(repository.sources.map((source) => [source.path, source]));
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const entry of byPath.get(path)?.imports ?? []) if (byPath.has(entry.target)) visit(entry.target);
  };
  const entries = repository.sources.filter((source) => ENTRIES.test(source.path));
  for (const entry of entries) visit(entry.path);
  for (const source of repository.sources) {
    if (!source.isSpec) continue;
    for (const entry of source.imports) if (entry.target.includes('/testing/')) visit(entry.target);
  }
  const homes = new Set(entries.map((entry) => entry.home));
  return productCode(repository)
    .filter((source) => homes.has(source.home) && !reached.has(source.path))
    .map((source) => source.path);
}
