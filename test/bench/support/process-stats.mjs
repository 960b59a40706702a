/** What the operating system knows about another process: CPU time and the peak of its memory. Linux only (`/proc`). */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** Resets the memory peak of a process to what it has now. */
const CLEAR_PEAK = '5';
/** Positions in `/proc/<pid>/stat`, counted behind the name, which may contain anything but ends with the last `)`. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

let ticksPerSecond;

/** CPU seconds the process has used so far, user and system, all threads. */
export function cpuSecondsOf(pid) {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) / ticksPerSecond;
}

/** Forgets the peak so far; `peakMbOf` tells the one since. */
export function resetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, CLEAR_PEAK);
}

/** The largest resident memory of the process since `resetPeak`, in MiB. */
export function peakMbOf(pid) {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

/** Measures a broker's process while `work` runs, and adds what `work` answers; `bytes` are those of the records' values. */
export function measureProcess({ pid, records, recordBytes }, work) {
  resetPeak(pid);
  const before = cpuSecondsOf(pid);
  const said = work();
  const cpuSeconds = cpuSecondsOf(pid) - before;
  return { records, bytes: records * recordBytes, cpuSeconds, rssMb: peakMbOf(pid), ...said };
}
