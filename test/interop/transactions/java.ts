/**
 * Java programs on Apache Kafka's own jars: Transfer.java of this folder, and Kafka's tools.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { installKafka } from '../kafka/start.mjs';

/** Long enough for a JVM that starts on a busy machine. */
const DEADLINE_MS = 120_000;

/** Runs a class of the jars, or a source file; rejects with what it printed when it fails. */
function java(program: string, parameters: readonly string[]): Promise<string> {
  const options = { timeout: DEADLINE_MS, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 } as const;
  return new Promise((resolve, reject) => {
    execFile('java', ['-Xmx256m', '-cp', installKafka(), program, ...parameters], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${parameters.join(' ')} failed: ${error.message}\n${stdout}\n${stderr}`));
    });
  });
}

/** Runs Transfer.java; resolves with its lines. */
export async function transfer(...parameters: readonly string[]): Promise<string[]> {
  const output = await java(join(import.meta.dirname, 'Transfer.java'), parameters);
  return output.split('\n').filter((line) => line !== '');
}

/** Runs Kafka's `kafka-transactions`; resolves with its rows, cells separated by blanks. */
export async function kafkaTransactions(
  bootstrapServers: string,
  ...parameters: readonly string[]
): Promise<string[][]> {
  const tool = 'org.apache.kafka.tools.TransactionsCommand';
  const output = await java(tool, ['--bootstrap-server', bootstrapServers, ...parameters]);
  return output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
}

/** What Kafka's `DumpLogSegments` finds in the files of `__transaction_state`, line by line. */
export async function dumpTransactionLog(files: readonly string[]): Promise<string[]> {
  const tool = 'org.apache.kafka.tools.DumpLogSegments';
  const output = await java(tool, ['--transaction-log-decoder', '--files', files.join(',')]);
  return output.split('\n').filter((line) => line !== '');
}
