/** One run in a process of its own: imports the module, runs the workload, prints what it measured as one JSON line. */
const [module, workload, options] = process.argv.slice(2);
const { default: workloads } = await import(module);
const result = await workloads[workload](JSON.parse(options));
process.stdout.write(`${JSON.stringify({ ...result, rssMb: process.memoryUsage().rss / 1_048_576 })}\n`, () =>
  process.exit(0),
);
