/**
 * What was acknowledged and what was read, and whether the two agree.
 *
 * One producer writes the numbers 0, 1, 2 … to each partition, and nothing else is in it. So the number of a record is
 * its offset: a record that was lost, stored twice or out of order shows at the first that differs. Constant memory.
 */

/** Keeps the account of one topic. */
export class Ledger {
  /** Numbers handed out, and acknowledged without a gap, by partition. */
  written;
  acknowledged;
  /** What is wrong, the first of each kind. */
  faults = [];

  constructor(partitions) {
    this.written = new Array(partitions).fill(0);
    this.acknowledged = new Array(partitions).fill(0);
  }

  /** The next number of a partition. */
  next(partition) {
    return this.written[partition]++;
  }

  /** The outcome of a send. Those of one partition come in the order of the calls. */
  onOutcome(partition, number, error, metadata) {
    if (error !== null)
      return this.fault(`number ${number} of partition ${partition} was not stored: ${error.message}`);
    if (metadata.offset !== number) {
      this.fault(`number ${number} of partition ${partition} was acknowledged at offset ${metadata.offset}`);
    }
    if (number !== this.acknowledged[partition]) {
      this.fault(
        `number ${number} of partition ${partition} was acknowledged after ${this.acknowledged[partition] - 1}`,
      );
    }
    this.acknowledged[partition] = number + 1;
  }

  get open() {
    return sum(this.written) - sum(this.acknowledged);
  }

  fault(text) {
    if (this.faults.length < 20) this.faults.push(text);
  }
}

/** What one group has read. */
export class Reading {
  /** First offset that was never delivered, by partition. */
  next;
  /** Records delivered once more, after a commit that failed. */
  again = 0;

  constructor(name, ledger) {
    this.name = name;
    this.ledger = ledger;
    this.next = new Array(ledger.written.length).fill(0);
  }

  onRecord({ partition, offset, value }) {
    const number = Number(value.toString('latin1', 0, value.indexOf(' ')));
    if (number !== offset)
      this.ledger.fault(`${this.name}: offset ${offset} of partition ${partition} holds ${number}`);
    if (offset > this.next[partition]) {
      this.ledger.fault(
        `${this.name}: offset ${offset} of partition ${partition} came after ${this.next[partition] - 1}`,
      );
    }
    if (offset < this.next[partition]) this.again++;
    else this.next[partition] = offset + 1;
  }

  /** Whether everything acknowledged was delivered. */
  get complete() {
    return this.ledger.acknowledged.every((end, partition) => this.next[partition] >= end);
  }

  get total() {
    return sum(this.next);
  }
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
