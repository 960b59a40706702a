/** The Java client by Kafka's own performance tools, with its defaults. The CPU time includes the start of the JVM. */
import { spawnSync } from 'node:child_process';

/** Bash, because it measures the CPU time of a child; the last line of standard error is `seconds user system`. */
function timed(classPath, tool, parameters) {
  const java = ['java', '-Xmx512m', '-cp', classPath, `org.apache.kafka.tools.${tool}`, ...parameters];
  const run = spawnSync('bash', ['-c', 'TIMEFORMAT="%R %U %S"; time "$@"', 'bash', ...java], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`${tool} failed:\n${run.stdout}${run.stderr}`);
  const [, user, system] = run.stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { output: run.stdout, cpuSeconds: user + system };
}

export default {
  async batches({ bootstrapServers, topic, records, classPath }) {
    const { output, cpuSeconds } = timed(classPath, 'ProducerPerformance', [
      ...['--topic', topic, '--num-records', String(records), '--record-size', '110', '--throughput', '-1'],
      ...['--command-property', `bootstrap.servers=${bootstrapServers}`],
    ]);
    const [, rate] = /([\d.]+) records\/sec/.exec(output.trim().split('\n').at(-1));
    return { records, seconds: records / Number(rate), cpuSeconds };
  },

  async 'consume batch'({ bootstrapServers, topic, records, group, classPath }) {
    const { output, cpuSeconds } = timed(classPath, 'ConsumerPerformance', [
      ...['--bootstrap-server', bootstrapServers, '--topic', topic, '--num-records', String(records), '--group', group],
    ]);
    // The last column but two: time spent fetching, in ms.
    const columns = output.trim().split('\n').at(-1).split(',');
    return { records, seconds: Number(columns[7]) / 1000, cpuSeconds };
  },
};
