/**
 * The last line of every test run: `N passed, N failed`, and `, N skipped` only when tests were skipped.
 *
 * Scripts and CI read that line. A file that does not even load counts as one failure: its tests never ran.
 * It is written when the process exits, so that no summary or warning of Jest comes after it.
 */
import { writeSync } from 'node:fs';

export default class TotalsReporter {
  onRunComplete(_contexts, results) {
    const line = totalsLine(results);
    process.once('exit', () => writeLine(line));
  }
}

/** The line for Jest's aggregated results. */
export function totalsLine(results) {
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  const skipped = results.numPendingTests + results.numTodoTests;
  return `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Synchronous, because the process is exiting; a full pipe is retried, a closed one is nobody's loss. */
function writeLine(line) {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (error.code !== 'EAGAIN') return;
    }
  }
}
