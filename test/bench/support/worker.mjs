/** One run in a process of its own: imports the module, runs the workload, prints what it measured as one JSON line. */
const [module, workload, options] = process.argv.slice(2);
const { default: workloads } = await import(module);
const result = await workloads[workload](JSON.parse(options));
// The peak, in KiB.
const rssMb = process.resourceUsage().maxRSS / 1024;
process.stdout.write(`${JSON.stringify({ rssMb, ...result })}\n`, () => process.exit(0));
