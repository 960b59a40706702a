/**
 * The command line tools of Apache Kafka, run against a broker: arguments in, exit code and text out.
 *
 * A tool that does not end within the deadline is killed, and its call rejects with what it printed. Each call costs the
 * start of a JVM, so one call should show much.
 */
import { spawn } from 'node:child_process';
import { installKafka } from '../kafka/start.mjs';

/** Long enough for a JVM that starts on a busy machine. */
const DEADLINE_MS = 90_000;
/** Tools live for a second: compiling little and one thread for garbage make that second shorter. */
const SHORT_LIVED = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

/** The scripts of Kafka's `bin/` as the classes they start. */
const CLASSES = {
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'kafka-get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'kafka-log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'kafka-broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  'kafka-console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-groups': 'org.apache.kafka.tools.GroupsCommand',
  'kafka-transactions': 'org.apache.kafka.tools.TransactionsCommand',
  'kafka-leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  'kafka-reassign-partitions': 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  'kafka-features': 'org.apache.kafka.tools.FeatureCommand',
  'kafka-cluster': 'org.apache.kafka.tools.ClusterTool',
  'kafka-producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  'kafka-consumer-perf-test': 'org.apache.kafka.tools.ConsumerPerformance',
  'kafka-e2e-latency': 'org.apache.kafka.tools.EndToEndLatency',
  'kafka-verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
  'kafka-verifiable-consumer': 'org.apache.kafka.tools.VerifiableConsumer',
  'client-compatibility-test': 'org.apache.kafka.tools.ClientCompatibilityTest',
} as const;

/** A script of Kafka's `bin/`, or `client-compatibility-test` of its system tests. */
export type ToolName = keyof typeof CLASSES;

/** How a tool ended and what it said. */
export interface ToolResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a tool to its end. Rejects when it cannot be started or does not end. */
export function runTool(name: ToolName, parameters: readonly string[], input = ''): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('java', [...SHORT_LIVED, '-cp', installKafka(), CLASSES[name], ...parameters]);
    const said = { stdout: '', stderr: '' };
    const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
      });
    }
    child.once('error', (error) => {
      clearTimeout(deadline);
      reject(new Error(`java could not be started: ${error.message}`));
    });
    child.once('close', (exitCode, signal) => {
      clearTimeout(deadline);
      if (signal === null) resolve({ exitCode, ...said });
      else reject(new Error(`${name} did not end in ${DEADLINE_MS} ms:\n${said.stdout}${said.stderr}`));
    });
    // A tool that refuses its arguments does not read.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** Tools bound to one broker. `succeed` resolves with stdout and rejects unless the exit code is 0; `fail` the reverse. */
export interface Tools {
  succeed(name: ToolName, parameters: string | readonly string[], input?: string): Promise<string>;
  /** Resolves with everything it printed. */
  fail(name: ToolName, parameters: string | readonly string[]): Promise<string>;
}

/** `parameters` as one string are separated by blanks; the broker's address is added. */
export function toolsFor(bootstrapServers: string): Tools {
  const run = (name: ToolName, parameters: string | readonly string[], input?: string): Promise<ToolResult> => {
    const words = typeof parameters === 'string' ? parameters.split(' ') : parameters;
    return runTool(name, placed(name, bootstrapServers, words), input);
  };
  return {
    async succeed(name, parameters, input) {
      const { exitCode, stdout, stderr } = await run(name, parameters, input);
      if (exitCode !== 0) throw new Error(`${name} ${String(parameters)} ended with ${exitCode}:\n${stdout}${stderr}`);
      return stdout;
    },
    async fail(name, parameters) {
      const { exitCode, stdout, stderr } = await run(name, parameters);
      if (exitCode === 0) throw new Error(`${name} ${String(parameters)} should have failed:\n${stdout}${stderr}`);
      return stdout + stderr;
    },
  };
}

/** Where each tool wants the address: `kafka-cluster` after its command, the performance test as a property. */
function placed(name: ToolName, bootstrapServers: string, words: readonly string[]): readonly string[] {
  if (name === 'kafka-producer-perf-test') {
    // Properties are a list, so that `words` may begin with more of them.
    return ['--command-property', `bootstrap.servers=${bootstrapServers}`, ...words];
  }
  const address = ['--bootstrap-server', bootstrapServers];
  return name === 'kafka-cluster' ? [...words, ...address] : [...address, ...words];
}

/** The rows of a table as a tool prints it, without its head; cells are separated by blanks. */
export function rows(table: string): string[][] {
  return lines(table)
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
}

/** What was printed, line by line, without empty ones. */
export function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** The id of the only broker: ours and Kafka's have different ones. */
export async function brokerIdOf(tools: Tools): Promise<string> {
  const [[id] = []] = rows(await tools.succeed('kafka-cluster', 'list-endpoints'));
  if (id === undefined) throw new Error('kafka-cluster list-endpoints told no broker.');
  return id;
}
