/**
 * A real SQLite for specs, without a dependency: Node's own from version 22 on, else that of Python, if it is installed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { isBuiltin } from 'node:module';
import { createInterface } from 'node:readline';
import type { SqlExecutor } from '@kafka-template/nestjs';

/** A database. */
export interface SqliteFixture extends SqlExecutor {
  readonly engine: string;
  close(): Promise<void>;
}

const PYTHON = `
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    sql, params = json.loads(line)
    try:
        print(json.dumps({'rows': db.execute(sql, params).fetchall()}), flush=True)
    except Exception as error:
        print(json.dumps({'error': str(error)}), flush=True)
`;

interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => {
    prepare(sql: string): { all(...params: readonly (string | number)[]): readonly unknown[] };
    close(): void;
  };
}

const BUILT_IN = 'node:sqlite';

/** Whether there is an engine. */
export function hasSqlite(): boolean {
  return isBuiltin(BUILT_IN) || spawnSync('python3', ['-c', 'import sqlite3']).status === 0;
}

/** Opens a database in a file, or in memory; undefined when there is no engine. */
export async function openSqlite(path = ':memory:'): Promise<SqliteFixture | undefined> {
  if (!hasSqlite()) return undefined;
  const builtIn = (isBuiltin(BUILT_IN) ? await import(BUILT_IN) : undefined) as NodeSqlite | undefined;
  if (builtIn !== undefined) {
    const database = new builtIn.DatabaseSync(path);
    return {
      engine: BUILT_IN,
      execute: (sql, params) => database.prepare(sql).all(...params),
      close: async () => database.close(),
    };
  }
  return openPython(path);
}

function openPython(path: string): SqliteFixture {
  const child = spawn('python3', ['-c', PYTHON, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting: ((line: string) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line));
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  return {
    engine: 'python3 sqlite3',
    execute: (sql, params) =>
      new Promise((resolve, reject) => {
        waiting.push((line) => {
          const answer = JSON.parse(line) as { readonly rows?: readonly unknown[]; readonly error?: string };
          if (answer.rows === undefined) reject(new Error(answer.error));
          else resolve(answer.rows);
        });
        child.stdin.write(`${JSON.stringify([sql, params])}\n`);
      }),
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
