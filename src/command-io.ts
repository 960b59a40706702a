/**
 * The streams of a command. The real ones are those of the process; a spec passes its own.
 */
import type { Readable, Writable } from 'node:stream';

/** stdin is what `produce` reads, stdout is data, stderr everything else. */
export interface CommandIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
}
