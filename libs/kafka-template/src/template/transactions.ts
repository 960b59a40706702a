/**
 * The transactions of a template: producers with transactional ids, one for each transaction that is open at the same time.
 *
 * A transaction is committed when its work has succeeded and aborted when it has failed. A producer whose transaction has no
 * clear end is closed, and the next one with its id finishes what it left. What is sent by the template inside the work, through
 * whatever calls, belongs to the transaction; what is sent after its end does not. Spring's producer cache and executeInTransaction.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type {
  ConsumerGroupMetadata,
  DriverProducer,
  DriverProducerRecord,
  DriverTransactions,
  OffsetCommit,
  PartitionInfo,
  SendCallback,
} from '../drivers/driver.js';
import { KafkaTemplateError, KafkaTemplateErrorCode, errorCodeOf, messageOf } from '../errors.js';
import type { Log } from '../io/log.js';

/** Transactions of one template that may be open at a time. */
const OPEN_TRANSACTIONS_MAX = 100;

/** How long the end of a producer that is of no further use may take. */
const DISCARD_TIMEOUT_MS = 1000;

/** What transactions need. */
export interface TransactionsParts {
  /** Each producer's transactional id is this and a number. */
  readonly prefix: string;
  readonly createProducer: (transactionalId: string) => DriverProducer;
  readonly log: Log;
}

type TransactionalProducer = DriverProducer & DriverTransactions;

interface Member {
  readonly number: number;
  readonly producer: TransactionalProducer;
}

/** The producer of one transaction, as long as it is open. */
export class OpenTransaction implements DriverProducer {
  readonly #producer: TransactionalProducer;
  #isOpen = true;

  constructor(producer: TransactionalProducer) {
    this.#producer = producer;
  }

  /** Whether what is appended belongs to the transaction. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  append(record: DriverProducerRecord, callback: SendCallback): void {
    if (this.#isOpen) this.#producer.append(record, callback);
    else callback(endedError(), null);
  }

  flush(): Promise<void> {
    return this.#producer.flush();
  }

  partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    return this.#producer.partitionsFor(topic);
  }

  /** Commits offsets of a group with the transaction. */
  async sendOffsets(offsets: readonly OffsetCommit[], group: ConsumerGroupMetadata): Promise<void> {
    if (!this.#isOpen) throw endedError();
    await this.#producer.sendOffsetsToTransaction(offsets, group);
  }

  /** Nothing more belongs to it. */
  end(): void {
    this.#isOpen = false;
  }

  /** The producer is not its own. */
  async close(): Promise<void> {
    this.end();
  }
}

/** Runs work in transactions. */
export class Transactions {
  readonly #parts: TransactionsParts;
  readonly #current = new AsyncLocalStorage<OpenTransaction>();
  readonly #idle: Member[] = [];
  readonly #open = new Set<Member>();
  /** Numbers of producers that were given up. */
  readonly #free: number[] = [];
  #count = 0;
  #isClosed = false;

  constructor(parts: TransactionsParts) {
    this.#parts = parts;
  }

  /** The transaction that the code that asks runs in. */
  get current(): OpenTransaction | undefined {
    const transaction = this.#current.getStore();
    return transaction?.isOpen === true ? transaction : undefined;
  }

  /** Runs `work` in a transaction of its own, whatever it is called in. Rejects with what the work, or the commit, failed with. */
  async run<T>(work: (transaction: OpenTransaction) => T | PromiseLike<T>): Promise<T> {
    const member = await this.#borrow();
    const transaction = new OpenTransaction(member.producer);
    let isReusable = false;
    try {
      member.producer.beginTransaction();
      let result: T;
      try {
        result = await this.#current.run(transaction, async () => work(transaction));
      } catch (error) {
        transaction.end();
        isReusable = await this.#abort(member);
        throw error;
      }
      transaction.end();
      const failure = await this.#commit(member);
      if (failure === undefined) {
        isReusable = true;
        return result;
      }
      isReusable = failure.isAborted && (await this.#abort(member));
      throw commitError(failure.error, failure.isAborted);
    } finally {
      await this.#giveBack(member, isReusable);
    }
  }

  /** Closes all producers; what is open is aborted. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    const members = [...this.#idle.splice(0), ...this.#open];
    await Promise.all(members.map(({ producer }) => producer.close(timeoutMs)));
  }

  async #borrow(): Promise<Member> {
    if (this.#isClosed)
      throw new KafkaTemplateError('CLOSED', 'the template is closed: the application is shutting down');
    if (this.#open.size >= OPEN_TRANSACTIONS_MAX) {
      throw new KafkaTemplateError(
        KafkaTemplateErrorCode.ILLEGAL_STATE,
        `${OPEN_TRANSACTIONS_MAX} transactions of this template are open: wait for some of them`,
      );
    }
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      this.#open.add(idle);
      return idle;
    }
    const number = this.#free.pop() ?? this.#count++;
    const producer = this.#parts.createProducer(`${this.#parts.prefix}${number}`) as TransactionalProducer;
    const member = { number, producer };
    this.#open.add(member);
    try {
      await producer.initTransactions();
      return member;
    } catch (error) {
      await this.#giveBack(member, false);
      throw error;
    }
  }

  async #giveBack(member: Member, isReusable: boolean): Promise<void> {
    this.#open.delete(member);
    if (isReusable && !this.#isClosed) {
      this.#idle.push(member);
      return;
    }
    await member.producer.close(DISCARD_TIMEOUT_MS).catch((error: unknown) => {
      this.#parts.log.warn(`A transactional producer did not close in order: ${messageOf(error)}`);
    });
    this.#free.push(member.number);
  }

  /** Tells whether the producer is of further use. */
  async #abort({ producer }: Member): Promise<boolean> {
    try {
      await producer.abortTransaction();
      return true;
    } catch (error) {
      // The error of the work counts. The broker aborts by itself, at the latest after the transaction's time-out.
      this.#parts.log.warn(`A transaction could not be aborted in order: ${messageOf(error)}`);
      return false;
    }
  }

  /** Undefined when it is committed; else the error, and whether it is certain that nothing was. */
  async #commit({ producer }: Member): Promise<{ readonly error: unknown; readonly isAborted: boolean } | undefined> {
    try {
      await producer.commitTransaction();
      return undefined;
    } catch (error) {
      return { error, isAborted: (error as { abortable?: unknown }).abortable === true };
    }
  }
}

function endedError(): KafkaTemplateError {
  return new KafkaTemplateError(
    KafkaTemplateErrorCode.ILLEGAL_STATE,
    'the transaction has ended: await everything that belongs to it inside its callback',
  );
}

function commitError(error: unknown, isAborted: boolean): KafkaTemplateError {
  const what = isAborted
    ? 'The transaction was aborted instead of committed: nothing of it is visible'
    : 'Whether the transaction was committed is not known: check before doing its work again';
  const code = errorCodeOf(error) ?? KafkaTemplateErrorCode.SEND_FAILED;
  return new KafkaTemplateError(code, `${what}. ${messageOf(error)}`, error);
}

/** The error of a call that needs a transaction. */
export function noTransactions(call: string): KafkaTemplateError {
  const cure =
    call === 'executeInTransaction'
      ? 'set template.transactionIdPrefix in the options of KafkaModule'
      : 'call it inside executeInTransaction, or in a listener with transactional: true';
  return new KafkaTemplateError(KafkaTemplateErrorCode.ILLEGAL_STATE, `${call} needs a transaction: ${cure}`);
}
