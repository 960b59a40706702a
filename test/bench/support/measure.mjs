/** Runs a workload in fresh processes and gives the median of what they measured. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));
/** The longest one run may take before it counts as hung. */
const RUN_MS_MAX = 300_000;

/** The value in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Runs `workload` of the module once and resolves with the object it reported. */
export function runOnce(module, workload, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [WORKER, module, workload, JSON.stringify({ ...options, spawnedAt: Date.now() })],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const timer = setTimeout(() => child.kill('SIGKILL'), RUN_MS_MAX);
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(JSON.parse(output.trim().split('\n').at(-1)));
      else reject(new Error(`${module} ${workload} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** What a run may report, as the metric it becomes. */
const METRICS = [
  ['records per second', 'records/s', ({ records, seconds }) => records / seconds],
  ['records per CPU-second', 'records/CPU-s', ({ records, cpuSeconds }) => records / cpuSeconds],
  ['CPU', 'CPU-s per million', ({ records, cpuSeconds }) => (cpuSeconds / records) * 1_000_000],
  ['CPU per GB', 'CPU-s per GB', ({ bytes, cpuSeconds }) => (cpuSeconds / bytes) * 1e9],
  ['average ms', 'ms', ({ averageMs }) => averageMs],
  ['p50 ms', 'ms', ({ p50Ms }) => p50Ms],
  ['p99 ms', 'ms', ({ p99Ms }) => p99Ms],
  ['start ms', 'ms', ({ startMs }) => startMs],
  ['RSS MB', 'MB', ({ rssMb }) => rssMb],
];

/** One figure for each metric that all runs reported: the median. */
export function figuresOf(subject, workload, results) {
  return METRICS.map(([metric, unit, read]) => ({
    subject,
    workload,
    metric,
    value: median(results.map(read)),
    unit,
  })).filter(({ value }) => Number.isFinite(value));
}

/**
 * The figures of all subjects in all workloads. The subjects take turns, so that a change of the machine's load meets them
 * all. `takesPart(subject, workload)` says who is in which workload; everybody by default.
 */
export async function compare({ runs, workloads, subjects, options, takesPart = () => true }) {
  const figures = [];
  for (const workload of workloads) {
    const taking = subjects.filter(({ subject }) => takesPart(subject, workload));
    const measured = new Map(taking.map(({ subject }) => [subject, []]));
    for (let run = 0; run < runs; run++) {
      for (const { subject, module } of taking) {
        process.stderr.write(`${workload}: ${subject}, run ${run + 1} of ${runs}\n`);
        measured.get(subject).push(await runOnce(module, workload, options(subject, workload, run)));
      }
    }
    for (const [subject, results] of measured) figures.push(...figuresOf(subject, workload, results));
  }
  return figures;
}
