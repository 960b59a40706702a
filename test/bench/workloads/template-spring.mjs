/** Spring for Apache Kafka: starts the program of `spring/`, which does one workload and prints what it measured. */
import { spawnSync } from 'node:child_process';

function run(workload, { classPath, bootstrapServers, topic, group, records = 1, warmUp = 0 }) {
  const parameters = [workload, bootstrapServers, topic, group, records, warmUp, Date.now()].map(String);
  const { status, stdout, stderr, error } = spawnSync(
    'java',
    ['-Xmx512m', '-cp', classPath, 'SpringBench', ...parameters],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`SpringBench failed: ${error?.message ?? ''}\n${stdout}${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const names = [
  'send forget',
  'send callback',
  'send sync',
  'listen record BATCH',
  'listen record MANUAL',
  'listen record RECORD',
  'listen batch',
  'request reply',
  'start',
];

export default Object.fromEntries(names.map((name) => [name, (options) => run(name, options)]));
