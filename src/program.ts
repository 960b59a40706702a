/**
 * The commands of `kt` with their options and help. Each command's code is imported when it runs, so that help is fast.
 */
import { createRequire } from 'node:module';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { CommandIo } from './command-io.js';
import type { BrokerCommandOptions } from './commands/broker.js';
import type { ConsumeFlags } from './commands/consume.js';
import type { ProduceFlags } from './commands/produce.js';
import type { CreateTopicFlags } from './commands/topics.js';
import { DEFAULT_BOOTSTRAP_SERVERS, DEFAULT_TIMEOUT_MS, type RowFlags } from './connection.js';
import { OUTPUT_FORMATS } from './output.js';

const PORT_MAX = 65_535;

/** The manifest is beside src in a checkout and beside dist in a package. */
const manifest = createRequire(import.meta.url)('../package.json') as { readonly version: string };

/** Builds the program; it throws CommanderError instead of ending the process. */
export function createProgram(io: CommandIo = process): Command {
  const program = new Command('kt')
    .description('Kafka for NestJS: start a broker, look into topics and groups, produce and consume')
    .version(manifest.version)
    .configureOutput({ writeOut: (text) => void io.stdout.write(text), writeErr: (text) => void io.stderr.write(text) })
    .showHelpAfterError('(kt --help shows what there is)');
  addBroker(io, program);
  addTopics(io, program.command('topics').description('list, create, describe and remove topics'));
  addGroups(io, program.command('groups').description('list consumer groups, and see how far one has read'));
  addProduce(io, program);
  addConsume(io, program);
  throwInsteadOfExit(program);
  return program;
}

function addBroker(io: CommandIo, program: Command): void {
  program
    .command('broker')
    .description('run one broker in the foreground; a line on stdout says when clients can connect')
    .argument('[server.properties]', "a file with Kafka's broker configs")
    .addOption(repeatable('--override <name=value>', 'set one config, over the file; may be repeated'))
    .option('--host <host>', 'address to listen on (default: 127.0.0.1, or `listeners`)')
    .option('--port <port>', 'port to listen on, 0 takes a free one (default: 9092, or `listeners`)', port)
    .option('--data-dir <dir>', 'where to keep the data (default: `log.dirs`, or only in memory)')
    .option('--adopt', 'take over a data directory that Apache Kafka has written; give it a copy')
    .option('--verbose', 'log what only helps to find faults, too')
    .addHelpText('after', examples('kt broker --data-dir .data', 'kt broker --port 0 --override num.partitions=3'))
    .action(async (file: string | undefined, options: BrokerCommandOptions) => {
      const { runBroker } = await import('./commands/broker.js');
      await runBroker(io, file ?? null, options);
    });
}

function addTopics(io: CommandIo, topics: Command): void {
  const commands = () => import('./commands/topics.js');
  rows(topics.command('ls').alias('list').description('all topics'))
    .option('--internal', 'with those Kafka keeps for itself')
    .action(async (flags: RowFlags & { internal?: boolean }) => (await commands()).listTopics(io, flags));
  rows(topics.command('create').description('make a topic').argument('<name>'))
    .option('--partitions <count>', "how many (default: the broker's num.partitions)", positive)
    .option('--replicas <count>', "how many (default: the broker's default.replication.factor)", positive)
    .addOption(repeatable('--config <name=value>', 'a topic config; may be repeated'))
    .action(async (name: string, flags: CreateTopicFlags) => (await commands()).createTopic(io, name, flags));
  rows(topics.command('describe').description('the partitions of a topic and their offsets').argument('<name>')).action(
    async (name: string, flags: RowFlags) => (await commands()).describeTopic(io, name, flags),
  );
  rows(topics.command('rm').description('remove topics with all that is in them').argument('<names...>')).action(
    async (names: string[], flags: RowFlags) => (await commands()).removeTopics(names, flags),
  );
}

function addGroups(io: CommandIo, groups: Command): void {
  const commands = () => import('./commands/groups.js');
  rows(groups.command('ls').alias('list').description('all groups')).action(async (flags: RowFlags) =>
    (await commands()).listGroups(io, flags),
  );
  rows(groups.command('describe').description('committed offsets, lag and owners').argument('<group>')).action(
    async (group: string, flags: RowFlags) => (await commands()).describeGroup(io, group, flags),
  );
}

function addProduce(io: CommandIo, program: Command): void {
  connecting(program.command('produce').description('write lines of stdin, or the values given, to a topic'))
    .argument('<topic>')
    .argument('[values...]', 'default: the lines of stdin')
    .option('--key <key>', 'the key of every record')
    .option('--key-separator <text>', 'what stands between key and value in a line')
    .option('--partition <number>', "the partition (default: by key, as Kafka's clients do)", whole)
    .option('--json', 'lines are JSON as `kt consume` prints it; null as the value is a tombstone')
    .addHelpText(
      'after',
      examples("echo 'ann:hello' | kt produce greetings --key-separator :", 'kt consume a | kt produce b --json'),
    )
    .action(async (topic: string, values: string[], flags: ProduceFlags) => {
      const { produce } = await import('./commands/produce.js');
      await produce(io, topic, values, flags);
    });
}

function addConsume(io: CommandIo, program: Command): void {
  const formats = ['line', 'ndjson', 'value'];
  connecting(program.command('consume').description('print the records of a topic up to its present end'))
    .argument('<topic>')
    .option('--group <group>', 'read as a member of this group and commit what was printed')
    .option('--from <place>', 'earliest, latest, an offset, or -n for the last n of each partition', 'earliest')
    .option('-n, --max-records <count>', 'stop after so many', positive)
    .option('-f, --follow', 'go on when the end is reached')
    .addOption(new Option('-o, --output <format>', 'default: line on a terminal, else ndjson').choices(formats))
    .addHelpText('after', examples('kt consume greetings --from -10', 'kt consume greetings --group readers --follow'))
    .action(async (topic: string, flags: ConsumeFlags) => {
      const { consume } = await import('./commands/consume.js');
      await consume(io, topic, flags);
    });
}

/** What stands at the end of a command's help. */
function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

/** The options of every command that talks to a broker. */
function connecting(command: Command): Command {
  return command
    .addOption(
      new Option('-b, --bootstrap-servers <list>', 'where the brokers are')
        .env('KT_BOOTSTRAP_SERVERS')
        .default(DEFAULT_BOOTSTRAP_SERVERS),
    )
    .option('--timeout <ms>', 'how long to try', positive, DEFAULT_TIMEOUT_MS);
}

/** The options of every command that prints rows. */
function rows(command: Command): Command {
  return connecting(command).addOption(
    new Option('-o, --output <format>').choices([...OUTPUT_FORMATS]).default('table'),
  );
}

function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser(collect).default([], 'none');
}

function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) throwInsteadOfExit(child);
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function whole(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError('A whole number is needed.');
  return Number(value);
}

function positive(value: string): number {
  const number = whole(value);
  if (number === 0) throw new InvalidArgumentError('A number above 0 is needed.');
  return number;
}

function port(value: string): number {
  if (!/^\d+$/.test(value) || Number(value) > PORT_MAX) {
    throw new InvalidArgumentError(`A port is a whole number from 0 to ${PORT_MAX}.`);
  }
  return Number(value);
}
