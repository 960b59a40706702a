/**
 * Views and copies of a part of a buffer, without what Buffer's own methods do on every call.
 *
 * `subarray` clamps its arguments and asks for the class of the result each time, `set` is looked up through two classes.
 * The positions here were checked before. A range beyond the end raises a RangeError instead of being cut.
 */

type ViewClass = new (memory: ArrayBufferLike, byteOffset: number, length: number) => Buffer;

/** The class that `subarray` makes its results of: a Buffer by its prototype. */
const View = (Buffer as unknown as { readonly [Symbol.species]?: ViewClass })[Symbol.species];

/** The bytes from `start` up to, not including, `end`; shares memory with `buffer`. */
export const viewOf: (buffer: Buffer, start: number, end: number) => Buffer =
  View === undefined
    ? (buffer, start, end) => buffer.subarray(start, end)
    : (buffer, start, end) => new View(buffer.buffer, buffer.byteOffset + start, end - start);

// eslint-disable-next-line @typescript-eslint/unbound-method -- it gets its receiver in the call below
const { set } = Uint8Array.prototype;

/** Copies all of `source` to a position of `target`. */
export function copyInto(target: Buffer, source: Uint8Array, position: number): void {
  set.call(target, source, position);
}
