/**
 * `npm run bench -- NAME [--json] [--runs N] [--on kafka|ours]`: figures beside their peers, measured in one run.
 *
 * Each figure is the median of three runs, or of as many as `--runs` says, every run in a process of its own. With `--json`
 * standard output is one JSON object a line, `{ bench, subject, workload, metric, value, unit, node }`, and nothing else; `subject`
 * is `ours`, the name of the peer's package, or `kafka`. A bench that runs on two brokers adds `broker`, and `--on` chooses one of
 * them. Progress goes to standard error.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { jsonLines, tables } from './support/report.mjs';

const RUNS_DEFAULT = 3;
const here = new URL('./', import.meta.url);
const names = readdirSync(here)
  .filter((file) => file.endsWith('.bench.mjs'))
  .map((file) => file.replace('.bench.mjs', ''));

function usage(message) {
  console.error(`${message}\nUsage: npm run bench -- ${names.join('|')} [--json] [--runs N] [--on kafka|ours]`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        runs: { type: 'string', default: String(RUNS_DEFAULT) },
        on: { type: 'string' },
      },
    });
  } catch (error) {
    return usage(error.message);
  }
}

const { values, positionals } = readArguments();
const [name] = positionals;
const runs = Number(values.runs);
if (name === undefined) usage('Which benchmark?');
if (!names.includes(name)) usage(`There is no benchmark '${name}'.`);
if (!Number.isInteger(runs) || runs < 1) usage('--runs takes a whole number from 1 on.');

if (values.on !== undefined && !['kafka', 'ours'].includes(values.on)) usage("--on takes 'kafka' or 'ours'.");

const build = spawnSync(process.execPath, ['scripts/build.mjs'], {
  cwd: fileURLToPath(new URL('../../', here)),
  stdio: ['ignore', 2, 2],
});
if (build.status !== 0) process.exit(build.status ?? 1);

const { default: bench } = await import(new URL(`${name}.bench.mjs`, here));
const figures = await bench({ runs, on: values.on });
console.log(values.json ? jsonLines(name, figures) : tables(name, figures));
