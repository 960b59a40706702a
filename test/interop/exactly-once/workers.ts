/**
 * Workers as processes that are killed: whenever one ends, for whatever reason, the next takes its place.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { installKafka } from '../kafka/start.mjs';

const ROOT = join(import.meta.dirname, '../../..');
const WORDS_MAX = 8_192;

/** Whose client moves the records. */
export type WorkerKind = 'ours' | 'java';

/** What a worker is told. */
export interface WorkerJob {
  readonly bootstrapServers: string;
  readonly from: string;
  readonly to: string;
  readonly group: string;
  readonly protocol: 'classic' | 'consumer';
}

/** See the file comment. */
export class Workers {
  /** How many processes were started. */
  starts = 0;
  /** How many ended without being killed. */
  gaveUp = 0;
  /** The last of what they said on stderr. */
  words = '';
  private readonly children = new Map<string, ChildProcess>();
  private isWanted = true;

  constructor(
    private readonly kind: WorkerKind,
    private readonly job: WorkerJob,
    private readonly ids: readonly string[],
  ) {
    for (const id of ids) this.start(id);
  }

  /** Kills a worker, in turn, with SIGKILL. */
  killNext(turn: number): void {
    this.children.get(this.ids[turn % this.ids.length] ?? '')?.kill('SIGKILL');
  }

  /** Ends all of them for good. */
  async end(): Promise<void> {
    this.isWanted = false;
    const ended = [...this.children.values()].map(
      (child) =>
        new Promise((resolve) => ((child.exitCode ?? child.signalCode) ? resolve(null) : child.once('exit', resolve))),
    );
    for (const child of this.children.values()) child.kill('SIGKILL');
    await Promise.all(ended);
  }

  private start(id: string): void {
    const { bootstrapServers, from, to, group, protocol } = this.job;
    const [command, ...program] =
      this.kind === 'java'
        ? ['java', '-Xmx256m', '-cp', installKafka(), join(import.meta.dirname, 'Worker.java')]
        : [process.execPath, '--import', './test/support/typescript.mjs', join(import.meta.dirname, 'worker.ts')];
    const parameters = [...program, bootstrapServers, from, to, group, id, protocol];
    const child = spawn(command, parameters, { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] });
    this.children.set(id, child);
    this.starts += 1;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.words = (this.words + text).slice(-WORDS_MAX);
    });
    child.once('exit', (_code, signal) => {
      if (!this.isWanted) return;
      if (signal === null) this.gaveUp += 1;
      this.start(id);
    });
  }
}
