/**
 * The two moves of decoders that work on blocks (LZ4, snappy): bytes from the input, and bytes from what came before.
 *
 * Callers check every range first; nothing here does.
 */

/** From this length on a call into native code is faster than a loop. */
const NATIVE_COPY_BYTES = 16;

/** Copies the bytes from `from` to `to` of `source` to a position of `target`. */
export function copyBytes(source: Buffer, from: number, to: number, target: Buffer, position: number): void {
  if (to - from >= NATIVE_COPY_BYTES) {
    source.copy(target, position, from, to);
    return;
  }
  for (let at = from, out = position; at < to; at++) target[out++] = source[at] as number;
}

/** Copies within the output from `offset` bytes back; a copy that reaches into itself repeats what it copies. */
export function copyMatch(target: Buffer, out: number, offset: number, length: number): void {
  if (length >= NATIVE_COPY_BYTES && offset >= length) {
    target.copyWithin(out, out - offset, out - offset + length);
  } else if (length >= NATIVE_COPY_BYTES && offset === 1) {
    target.fill(target[out - 1] as number, out, out + length);
  } else {
    for (let to = out, from = out - offset; to < out + length;) target[to++] = target[from++] as number;
  }
}
