/** Wall time and CPU time of this process between two points. */

/** Starts measuring; the returned function gives `{ seconds, cpuSeconds }`. */
export function stopwatch() {
  const wall = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  return () => {
    const used = process.cpuUsage(cpu);
    return {
      seconds: Number(process.hrtime.bigint() - wall) / 1e9,
      cpuSeconds: (used.user + used.system) / 1e6,
    };
  };
}
