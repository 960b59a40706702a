/**
 * Runs a command that ends with a line of totals, shows its output, and adds the totals up.
 *
 * The line is `N passed, N failed` with `, N skipped` behind it when there are any. A command that fails without saying
 * so in that line, or that prints no such line, counts as one failure: nothing is lost by a crash.
 */
import { spawn } from 'node:child_process';

const TOTALS = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm;
/** The totals are the last line; so much of the end of the output is kept to find it in. */
const TAIL_CHARS = 4_096;

/** Nothing run yet. */
export const noTotals = () => ({ passed: 0, failed: 0, skipped: 0 });

/** The sum of two. */
export function addTotals(one, other) {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** As the last line of every run. */
export function formatTotals({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Runs it; resolves with its totals and never rejects. */
export function runCounted(command, parameters, { cwd, env = {} }) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let tail = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      process.stdout.write(text);
      tail = (tail + text).slice(-TAIL_CHARS);
    });
    child.once('error', (error) => {
      console.error(`${command} could not be started: ${error.message}`);
      resolve({ ...noTotals(), failed: 1 });
    });
    child.once('close', (code, signal) => resolve(readTotals(tail, code ?? signal)));
  });
}

function readTotals(text, ending) {
  const last = [...text.matchAll(TOTALS)].at(-1);
  if (last === undefined) {
    console.error(`It ended with ${ending} and without a line of totals.`);
    return { ...noTotals(), failed: 1 };
  }
  const totals = { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3] ?? 0) };
  if (ending !== 0 && totals.failed === 0) {
    console.error(`It ended with ${ending} although no test failed.`);
    totals.failed = 1;
  }
  return totals;
}
