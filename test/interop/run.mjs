/**
 * `npm run test:interop [-- NAME…] [--on kafka] [--kafka 3.9]`: the suites that need a JVM, Debian packages or another Node.
 *
 * Each suite installs what it needs by the package manager it comes from, and fails, saying what is missing, when that
 * cannot be done. Nothing is ever skipped. `--on kafka` runs the suites that talk to our broker against Apache Kafka
 * instead: what fails there is a wrong expectation. `--kafka` chooses its line (4.3 is the default). `--list` names the
 * suites. The last line has the totals over all.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { addTotals, formatTotals, noTotals, runCounted } from '../support/run-counted.mjs';
import { KAFKA_VERSIONS, startKafka } from './kafka/start.mjs';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '../..');
const CACHE = join(HERE, '.cache');
const NODE_VERSIONS = { node22: '22.23.3', node24: '24.21.0' };
const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  join(ROOT, 'node_modules/jest/bin/jest.js'),
];

/** A command that has to be there, and the Debian package that brings it. */
const DEBIAN_PACKAGES = {
  kcat: 'kcat',
  openssl: 'openssl',
  java: 'openjdk-17-jre-headless',
  javac: 'openjdk-17-jdk-headless',
  mvn: 'maven',
  python3: 'python3-venv',
};

/** Commands that Debian has too old: they have to be there. */
const INSTRUCTIONS = {
  go: 'Install Go 1.26 or newer (https://go.dev/dl; any Go since 1.21 fetches it) and put `go` on the PATH.',
};

/** What the suites made of *.interop-spec.ts files need beside the built command line. */
const NEEDS = {
  kcat: ['kcat'],
  'consumer-groups': ['java', 'mvn'],
  'share-groups': ['java', 'mvn'],
  transactions: ['java', 'mvn', 'kcat'],
  protocol: ['javac', 'mvn', 'kcat'],
  storage: ['java', 'mvn', 'kcat'],
  tools: ['java', 'mvn'],
  durability: ['java', 'mvn', 'kcat'],
  security: ['java', 'mvn', 'openssl'],
  admin: ['java', 'mvn'],
  'franz-go': ['go'],
  'mixed-group': ['java', 'mvn'],
  'cross-reading': ['java', 'mvn', 'kcat'],
  'three-nodes': ['java', 'mvn'],
  'exactly-once': ['java', 'mvn', 'kcat'],
  librdkafka: ['python3', 'java', 'mvn', 'kcat'],
};

/** What is built before a suite: the command line and what it stands on, or everything. */
const PROJECTS = { packages: 'tsconfig.build.json' };

const suites = new Map();
for (const [name, patterns] of specSuites()) {
  suites.set(name, () => {
    requireCommands([...(NEEDS[name] ?? []), ...(target === 'kafka' ? ['java', 'mvn'] : [])]);
    if (target === 'ours') build(PROJECTS[name] ?? 'tsconfig.cli.json');
    const parameters = ['--config', join(HERE, 'jest-interop.config.mjs'), '--runInBand', ...patterns];
    const env = { INTEROP_TARGET: target, KAFKA_LINE: line };
    return runCounted(process.execPath, [...JEST, ...parameters], { cwd: ROOT, env });
  });
}
suites.set('e2e-on-kafka', () => endToEndOnKafka(line, ['test/e2e/', 'libs/client/']));
// The oldest line that is still installed often; the client is what meets it.
suites.set('client-on-kafka-3.9', () => endToEndOnKafka('3.9', ['test/e2e/client-']));
for (const [name, version] of Object.entries(NODE_VERSIONS)) suites.set(name, () => testsOnNode(version));

const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    on: { type: 'string', default: 'ours' },
    kafka: { type: 'string', default: '4.3' },
    list: { type: 'boolean', default: false },
  },
});
const target = flags.on;
const line = flags.kafka;
process.exitCode = await main();

/** Returns the exit code. */
async function main() {
  if (flags.list) {
    console.log([...suites.keys()].join('\n'));
    return 0;
  }
  const unknown = names.filter((name) => !suites.has(name));
  if (unknown.length > 0) {
    console.error(`There is no suite ${unknown.join(', ')}. There are: ${[...suites.keys()].join(', ')}.`);
    return 2;
  }
  if (target !== 'ours' && target !== 'kafka') {
    console.error(`--on takes \`ours\` or \`kafka\`, not \`${target}\`.`);
    return 2;
  }
  if (KAFKA_VERSIONS[line] === undefined) {
    console.error(`--kafka takes ${Object.keys(KAFKA_VERSIONS).join(' or ')}, not \`${line}\`.`);
    return 2;
  }
  let totals = noTotals();
  for (const name of names.length > 0 ? names : suites.keys()) {
    console.log(`\n── ${name}${target === 'kafka' ? ' on Apache Kafka' : ''} ──`);
    totals = addTotals(totals, await runSuite(suites.get(name)));
  }
  console.log(formatTotals(totals));
  return totals.failed > 0 ? 1 : 0;
}

/** A suite that cannot even start is one failure. */
async function runSuite(suite) {
  try {
    return await suite();
  } catch (error) {
    console.error(error.message);
    return { ...noTotals(), failed: 1 };
  }
}

/** name → patterns for Jest: a folder of specs is one suite, a spec at the top is one. */
function specSuites() {
  const found = new Map();
  for (const entry of readdirSync(HERE, { withFileTypes: true })) {
    const path = join(HERE, entry.name);
    if (entry.name.endsWith('.interop-spec.ts')) found.set(entry.name.replace('.interop-spec.ts', ''), [path]);
    else if (entry.isDirectory() && entry.name !== '.cache') {
      const specs = readdirSync(path).filter((name) => name.endsWith('.interop-spec.ts'));
      if (specs.length > 0)
        found.set(
          entry.name,
          specs.map((name) => join(path, name)),
        );
    }
  }
  return found;
}

/** The end-to-end files of clients and applications, unchanged, on Apache Kafka instead of the embedded broker. */
async function endToEndOnKafka(kafkaLine, patterns) {
  requireCommands(['java', 'mvn']);
  const kafka = await startKafka({
    line: kafkaLine,
    config: { 'num.partitions': '1', 'auto.create.topics.enable': 'true' },
  });
  try {
    // A client that a failed test left open, or kafkajs while it retries, must not hold up the suites after this one.
    const parameters = ['--config', join(ROOT, 'jest.e2e.config.mjs'), '--runInBand', '--forceExit', ...patterns];
    const env = { KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrapServers };
    return await runCounted(process.execPath, [...JEST, ...parameters], { cwd: ROOT, env });
  } finally {
    await kafka.stop();
  }
}

/** `npm test` under another Node, which npm installs into the cache. */
function testsOnNode(version) {
  const node = installNode(version);
  const path = `${dirname(node)}${delimiter}${process.env.PATH}`;
  return runCounted(node, JEST, { cwd: ROOT, env: { PATH: path } });
}

function installNode(version) {
  // On Linux the package of the platform holds the binary; elsewhere `node` fetches it by an install script.
  const name = process.platform === 'linux' ? `node-linux-${process.arch}` : 'node';
  const folder = join(CACHE, `node-${version}`);
  const binary = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    run(npm(), ['install', '--prefix', folder, '--no-save', '--no-package-lock', `${name}@${version}`], {
      failure: `Node ${version} could not be installed by npm (package ${name}).`,
    });
  }
  return binary;
}

function requireCommands(commands) {
  for (const command of new Set(commands)) {
    if (isCommand(command)) continue;
    if (INSTRUCTIONS[command]) throw new Error(`\`${command}\` is not there. ${INSTRUCTIONS[command]}`);
    const name = DEBIAN_PACKAGES[command];
    const failure = `\`${command}\` is not there and could not be installed. Install it (Debian: apt-get install ${name}).`;
    console.log(`installing ${name}`);
    const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
    for (const parameters of [['update'], ['install', '--yes', '--no-install-recommends', name]]) {
      const [program, ...rest] = [...sudo, 'apt-get', '-q', ...parameters];
      run(program, rest, { failure, env: { DEBIAN_FRONTEND: 'noninteractive' } });
    }
    if (!isCommand(command)) throw new Error(failure);
  }
}

function isCommand(command) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, command)));
}

function build(project) {
  run(process.execPath, [join(ROOT, 'scripts/build.mjs'), project], {
    failure: 'The build failed; these suites run what it makes.',
  });
}

function npm() {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}

/** Runs a preparation to its end; its output goes to stderr, and its failure is told in our words. */
function run(command, parameters, { failure, env = {} }) {
  const result = spawnSync(command, parameters, {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...env },
  });
  if (result.status !== 0) throw new Error(`${failure}${result.error ? ` (${result.error.message})` : ''}`);
}
