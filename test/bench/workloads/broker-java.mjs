/**
 * What is done to a broker, by Kafka's own tools, and what it costs the broker: CPU time and memory of its process alone.
 *
 * Each workload gets `{ bootstrapServers, pid, classPath, topic, records, recordBytes, properties }` and is as foreign to both
 * brokers as can be: the same Java program with the same parameters.
 */
import { spawnSync } from 'node:child_process';
import { measureProcess } from '../support/process-stats.mjs';

/** What a tool printed. */
function run({ classPath }, tool, parameters) {
  const java = ['-Xmx512m', '-cp', classPath, `org.apache.kafka.tools.${tool}`, ...parameters];
  const { status, stdout, stderr, error } = spawnSync('java', java, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${tool} failed: ${error?.message ?? ''}\n${stdout}${stderr}`);
  return stdout;
}

function matched(pattern, output) {
  const found = [...output.matchAll(pattern)].at(-1);
  if (found === undefined) throw new Error(`The tool printed something unexpected:\n${output}`);
  return found.slice(1).map(Number);
}

function produce(options) {
  const { bootstrapServers, topic, records, recordBytes, properties } = options;
  return measureProcess(options, () => {
    const output = run(options, 'ProducerPerformance', [
      ...[
        '--topic',
        topic,
        '--num-records',
        String(records),
        '--record-size',
        String(recordBytes),
        '--throughput',
        '-1',
      ],
      ...['--command-property', `bootstrap.servers=${bootstrapServers}`, ...properties],
    ]);
    const pattern = /([\d.]+) records\/sec .* (\d+) ms 50th, \d+ ms 95th, (\d+) ms 99th/g;
    const [rate, p50Ms, p99Ms] = matched(pattern, output);
    return { seconds: records / rate, p50Ms, p99Ms };
  });
}

/** From the beginning to the end of a topic; the rate is that of fetching, without joining the group. */
function consume(options) {
  const { bootstrapServers, topic, records, group } = options;
  return measureProcess(options, () => {
    const output = run(options, 'ConsumerPerformance', [
      ...['--bootstrap-server', bootstrapServers, '--topic', topic, '--num-records', String(records), '--group', group],
    ]);
    const columns = output.trim().split('\n').at(-1).split(',');
    const FETCH_MS = 7;
    return { seconds: Number(columns[FETCH_MS]) / 1000 };
  });
}

/** One record after the other: sent with acks=all, and waited for in a consumer. */
function endToEnd(options) {
  const { bootstrapServers, topic, records, recordBytes } = options;
  return measureProcess(options, () => {
    const output = run(options, 'EndToEndLatency', [
      ...['--bootstrap-server', bootstrapServers, '--topic', topic, '--num-records', String(records)],
      ...['--producer-acks', 'all', '--record-size', String(recordBytes)],
    ]);
    const [averageMs] = matched(/Avg latency: ([\d.]+) ms/g, output);
    const [p50Ms, p99Ms] = matched(/50th = (\d+), 99th = (\d+)/g, output);
    return { averageMs, p50Ms, p99Ms };
  });
}

export default { produce, consume, endToEnd };
