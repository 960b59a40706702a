/**
 * Producer ids for the whole cluster: each broker takes blocks of 1000 from the store and hands out their ids.
 *
 * Guarantees: no id is given twice, by any broker, ever; a block that was begun before a crash is not used again.
 * Source: Kafka 3.9 `ZkProducerIdManager`, KIP-98.
 */
import { PRODUCER_ID_BLOCK, decodeProducerIdBlock, encodeProducerIdBlock, type ProducerIdBlock } from './znodes.js';
import { isStoreError, type CoordinationSession } from './store.js';

/** Ids in one block. Source: Kafka, `ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`. */
export const PRODUCER_ID_BLOCK_SIZE = 1000;

/** See the file comment. */
export class ProducerIds {
  private next = 0;
  private last = -1;
  private refill: Promise<void> | null = null;

  /** `session` gives the session in use; it may change after a loss. */
  constructor(
    private readonly brokerId: number,
    private readonly session: () => CoordinationSession,
  ) {}

  /** A new id. Rejects with a `StoreError` when no block can be had. */
  async allocate(): Promise<number> {
    while (this.next > this.last) {
      this.refill ??= this.takeBlock().finally(() => {
        this.refill = null;
      });
      await this.refill;
    }
    const id = this.next;
    this.next += 1;
    return id;
  }

  private async takeBlock(): Promise<void> {
    for (;;) {
      const { data, stat } = await this.session().get(PRODUCER_ID_BLOCK);
      const block = this.blockAfter(decodeProducerIdBlock(data));
      try {
        await this.session().set(PRODUCER_ID_BLOCK, encodeProducerIdBlock(block), stat.version);
      } catch (error) {
        // Another broker took that block in between: try for the next one.
        if (isStoreError(error, 'BAD_VERSION')) continue;
        throw error;
      }
      this.next = block.first;
      this.last = block.last;
      return;
    }
  }

  private blockAfter(latest: ProducerIdBlock | null): ProducerIdBlock {
    const first = latest === null ? 0 : latest.last + 1;
    return { broker: this.brokerId, first, last: first + PRODUCER_ID_BLOCK_SIZE - 1 };
  }
}
