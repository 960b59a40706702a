/**
 * An idempotency store in a table of a database, through whatever driver the application has.
 *
 * Plain SQL that SQLite, PostgreSQL, MySQL and MariaDB understand. Survives restarts, and is shared by all instances of the
 * application. Keys that are too long for the column are stored as their SHA-256.
 */
import { createHash } from 'node:crypto';
import { type Clock, systemClock } from '../io/clock.js';
import type { IdempotencyStore } from './idempotency-store.js';

/** Executes a statement with parameters and returns its rows. A method of any driver fits into a line. */
export interface SqlExecutor {
  /** Executes one statement; the rows of a SELECT, anything else for others. Rejects when the database refuses. */
  execute(sql: string, params: readonly (string | number)[]): PromiseLike<readonly unknown[]> | readonly unknown[];
}

/** Settings of a {@link SqlIdempotencyStore}. */
export interface SqlIdempotencyOptions {
  /** Default `kafka_idempotency`. Letters, digits, `_` and `.` only. */
  readonly table?: string;
  /** How parameters are written: `?` (default), or `$` for `$1`, `$2` of PostgreSQL. */
  readonly placeholders?: '?' | '$';
  /** Keys older than this are deleted, now and then. Default: never. */
  readonly ttlMs?: number;
  /** For tests. */
  readonly clock?: Clock;
}

/** Length of the column. */
const KEY_CHARACTERS = 512;

/** Old keys are looked for once in so many additions. */
const ADDITIONS_PER_CLEANING = 1000;

/** Remembers keys in a table. */
export class SqlIdempotencyStore implements IdempotencyStore {
  readonly #executor: SqlExecutor;
  readonly #table: string;
  readonly #isNumbered: boolean;
  readonly #ttlMs: number | undefined;
  readonly #clock: Clock;
  #additions = 0;

  /** Throws a RangeError when the name of the table could be anything but a name. */
  constructor(executor: SqlExecutor, options: SqlIdempotencyOptions = {}) {
    const { table = 'kafka_idempotency', placeholders = '?', ttlMs, clock = systemClock } = options;
    if (!/^[A-Za-z_][\w.]*$/.test(table)) {
      throw new RangeError(`'${table}' is not the name of a table: use letters, digits, _ and .`);
    }
    this.#executor = executor;
    this.#table = table;
    this.#isNumbered = placeholders === '$';
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  /** Creates the table when it is not there. Call it once at the start, or put {@link createStatement} into a migration. */
  async createTable(): Promise<void> {
    await this.#executor.execute(this.createStatement, []);
  }

  /** The statement that creates the table. */
  get createStatement(): string {
    return (
      `CREATE TABLE IF NOT EXISTS ${this.#table} ` +
      `(id VARCHAR(${KEY_CHARACTERS}) NOT NULL PRIMARY KEY, done_at BIGINT NOT NULL)`
    );
  }

  async has(key: string): Promise<boolean> {
    const rows = await this.#run(`SELECT id FROM ${this.#table} WHERE id = ?`, [columnOf(key)]);
    return rows.length > 0;
  }

  async add(key: string): Promise<void> {
    const now = this.#clock.now();
    try {
      await this.#run(`INSERT INTO ${this.#table} (id, done_at) VALUES (?, ?)`, [columnOf(key), now]);
    } catch (error) {
      // Every database says in words of its own that a key is there already; looking is the same for all.
      if (await this.has(key)) return;
      throw error;
    }
    if (this.#ttlMs === undefined || ++this.#additions % ADDITIONS_PER_CLEANING !== 0) return;
    await this.deleteOld();
  }

  /** Deletes keys older than `ttlMs`. */
  async deleteOld(): Promise<void> {
    if (this.#ttlMs === undefined) return;
    await this.#run(`DELETE FROM ${this.#table} WHERE done_at < ?`, [this.#clock.now() - this.#ttlMs]);
  }

  async #run(sql: string, params: readonly (string | number)[]): Promise<readonly unknown[]> {
    let index = 0;
    return this.#executor.execute(this.#isNumbered ? sql.replace(/\?/g, () => `$${++index}`) : sql, params);
  }
}

function columnOf(key: string): string {
  return key.length <= KEY_CHARACTERS ? key : `sha256:${createHash('sha256').update(key).digest('hex')}`;
}
