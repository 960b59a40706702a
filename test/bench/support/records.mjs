/** The records all clients send: 10-byte key, 100-byte value, no headers. Made once, so that making them is not measured. */

const DISTINCT = 1024;
export const RECORD_BYTES = 110;

/** `{ key, value }` number `index`; repeats after {@link DISTINCT}. */
export const recordAt = (() => {
  const records = Array.from({ length: DISTINCT }, (_, index) => ({
    key: Buffer.from(String(index).padStart(10, '0')),
    value: Buffer.alloc(100, 97 + (index % 26)),
  }));
  return (index) => records[index % DISTINCT];
})();
