/**
 * The Go program of this folder: chains of consume-transform-produce on franz-go, while members come, go and vanish.
 *
 * The program reads everything back and ends with code 1, saying why, unless each record is there once and in order;
 * its figures are printed. `INTEROP_CHAIN_RECORDS` is the number of records, for a shorter or longer look.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTarget, type Target } from '../support/target.js';

const BUILD_DEADLINE_MS = 300_000;
const RUN_DEADLINE_MS = 600_000;
const RECORDS = Number(process.env.INTEROP_CHAIN_RECORDS ?? 500_000);
/** Members that vanish hold up their group for a session each time: these runs are for what happens, not how much. */
const RECORDS_WITH_CRASHES = Math.min(RECORDS, 20_000);
/** Heartbeats every half second and short sessions, as the program's members of the classic protocol ask for themselves. */
const CONFIG = {
  'group.consumer.min.heartbeat.interval.ms': '500',
  'group.consumer.heartbeat.interval.ms': '500',
  'group.consumer.min.session.timeout.ms': '5000',
  'group.consumer.session.timeout.ms': '6000',
};

describe('chains of franz-go', () => {
  const folder = mkdtempSync(join(tmpdir(), 'franz-go-'));
  const program = join(folder, 'chains');
  let target: Target;

  beforeAll(async () => {
    // -mod=readonly: what is built is what go.sum says.
    await run('go', ['build', '-mod=readonly', '-o', program, '.'], BUILD_DEADLINE_MS);
    target = await startTarget(CONFIG);
  }, BUILD_DEADLINE_MS);
  afterAll(async () => {
    await target?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const chain = async (...parameters: readonly string[]): Promise<void> => {
    const output = await run(program, ['-bootstrap', target.bootstrapServers, ...parameters], RUN_DEADLINE_MS);
    console.log(`${parameters.join(' ')}\n${output}`);
    expect(output.trimEnd().split('\n').at(-1)).toBe('ok');
  };

  const KINDS = ['classic', 'consumer'].flatMap((protocol) => [
    { protocol, mode: 'plain' },
    { protocol, mode: 'transactional' },
  ]);

  it.each(KINDS)(
    'of $protocol groups, $mode, lose and repeat nothing when members join and leave',
    ({ protocol, mode }) => chain('-protocol', protocol, ...flagsOf(mode), '-records', String(RECORDS)),
    RUN_DEADLINE_MS,
  );

  it.each(KINDS)(
    'of $protocol groups, $mode, lose nothing when members vanish',
    ({ protocol, mode }) =>
      chain('-protocol', protocol, ...flagsOf(mode), '-crashes', '-records', String(RECORDS_WITH_CRASHES)),
    RUN_DEADLINE_MS,
  );
});

function flagsOf(mode: string): string[] {
  return mode === 'transactional' ? ['-transactional'] : [];
}

/** Runs a program in this folder; rejects with what it printed when it fails. */
function run(command: string, parameters: readonly string[], timeout: number): Promise<string> {
  const options = { cwd: import.meta.dirname, timeout, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 } as const;
  return new Promise((resolve, reject) => {
    execFile(command, [...parameters], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command} ${parameters.join(' ')} failed: ${error.message}\n${stdout}\n${stderr}`));
    });
  });
}
