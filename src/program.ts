/**
 * The commands of `kt` with their options and help. Each command's code is imported when it runs, so that help is fast.
 */
import { Command, InvalidArgumentError } from 'commander';
import type { BrokerCommandOptions } from './commands/broker.js';

const PORT_MAX = 65_535;

/** Builds the program; it throws CommanderError instead of ending the process. */
export function createProgram(): Command {
  const program = new Command('kt')
    .description('Kafka for NestJS: start a broker, look into topics and groups, produce and consume')
    .exitOverride()
    .configureHelp({ sortSubcommands: false });
  addBroker(program);
  for (const command of program.commands) command.exitOverride();
  return program;
}

function addBroker(program: Command): void {
  program
    .command('broker')
    .description('run one broker in the foreground; a line on stdout says when clients can connect')
    .argument('[server.properties]', "a file with Kafka's broker configs")
    .option('--override <name=value>', 'set one config, over the file; may be repeated', collect, [])
    .option('--host <host>', 'address to listen on (default: 127.0.0.1, or `listeners`)')
    .option('--port <port>', 'port to listen on, 0 takes a free one (default: 9092, or `listeners`)', port)
    .option('--data-dir <dir>', 'where to keep the data (default: `log.dirs`, or only in memory)')
    .option('--verbose', 'log what only helps to find faults, too')
    .action(async (file: string | undefined, options: BrokerCommandOptions) => {
      const { runBroker } = await import('./commands/broker.js');
      await runBroker(file ?? null, options);
    });
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function port(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > PORT_MAX) {
    throw new InvalidArgumentError(`A port is a whole number from 0 to ${PORT_MAX}.`);
  }
  return number;
}
