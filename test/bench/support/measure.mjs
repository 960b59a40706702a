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
    const child = spawn(process.execPath, [WORKER, module, workload, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
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

/**
 * The figures of one subject and workload: `records per second`, `records per CPU-second`, `CPU-s per million`. The subjects
 * take turns, so that a change of the machine's load meets them all.
 */
export async function compare({ runs, workloads, subjects, options }) {
  const figures = [];
  for (const workload of workloads) {
    const measured = new Map(subjects.map(({ subject }) => [subject, []]));
    for (let run = 0; run < runs; run++) {
      for (const { subject, module } of subjects) {
        process.stderr.write(`${workload}: ${subject}, run ${run + 1} of ${runs}\n`);
        measured.get(subject).push(await runOnce(module, workload, options(subject, workload, run)));
      }
    }
    for (const { subject } of subjects) {
      const results = measured.get(subject);
      const perCpu = median(results.map(({ records, cpuSeconds }) => records / cpuSeconds));
      const add = (metric, value, unit) => figures.push({ subject, workload, metric, value, unit });
      add('records per second', median(results.map(({ records, seconds }) => records / seconds)), 'records/s');
      add('records per CPU-second', perCpu, 'records/CPU-s');
      add('CPU', 1_000_000 / perCpu, 'CPU-s per million');
    }
  }
  return figures;
}
