/**
 * Zstandard, by whichever implementation this Node has.
 *
 * From Node 22.15 on it is built in. Before that a WebAssembly build compresses and a JavaScript one decompresses; both are
 * loaded on first use only, synchronously, so that nothing waits at start.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as zlib from 'node:zlib';
import { zstdFrames } from './zstd-frames.js';

interface NativeZstd {
  zstdCompressSync?(data: Buffer): Buffer;
  zstdDecompressSync?(data: Buffer, options: { maxOutputLength: number }): Buffer;
}

/** The part of the WebAssembly global that is used; its types come with browser libraries, which are not loaded here. */
declare const WebAssembly: {
  readonly Module: new (bytes: Buffer) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

interface WasmModule {
  instantiateWasm?(imports: object, receive: (instance: object) => void): object;
  init(wasm: Buffer): void;
}

interface WasmZstd {
  compress(data: Buffer, level: number): Uint8Array;
}

interface StreamingZstd {
  Decompress: new (onData: (data: Uint8Array) => void) => { push(data: Buffer, final: boolean): void };
}

const PACKAGE = '@bokuweb/zstd-wasm';
const LEVEL = 3;
const load = createRequire(import.meta.url);
const native = zlib as NativeZstd;
let wasm: WasmZstd | undefined;

/** Loads the WebAssembly build. Its own start is asynchronous, so the module is handed an instance made here instead. */
function loadWasm(): WasmZstd {
  const folder = dirname(load.resolve(PACKAGE));
  const { Module: module } = load(join(folder, 'zstd.js')) as { Module: WasmModule };
  const bytes = readFileSync(join(folder, 'zstd.wasm'));
  module.instantiateWasm = (imports, receive) => {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
    receive(instance);
    return instance.exports;
  };
  module.init(bytes);
  return load(PACKAGE) as WasmZstd;
}

/** Compresses to one frame. */
export function compressZstd(data: Buffer): Buffer {
  if (native.zstdCompressSync !== undefined) return native.zstdCompressSync(data);
  wasm ??= loadWasm();
  const compressed = wasm.compress(data, LEVEL);
  return Buffer.from(compressed.buffer, compressed.byteOffset, compressed.byteLength);
}

/** Decompresses all frames. Throws a plain Error for what is not zstd or exceeds `bytesMax`. */
export function decompressZstd(data: Buffer, bytesMax: number): Buffer {
  const parts: Uint8Array[] = [];
  let total = 0;
  const take = (part: Uint8Array): void => {
    total += part.length;
    if (total > bytesMax) throw new Error(`it has more than ${bytesMax} bytes`);
    parts.push(part);
  };
  for (const frame of zstdFrames(data, bytesMax)) {
    if (native.zstdDecompressSync === undefined) decompressFrame(frame, take);
    else take(native.zstdDecompressSync(frame, { maxOutputLength: bytesMax }));
  }
  const [only] = parts;
  if (parts.length === 1 && Buffer.isBuffer(only)) return only;
  return Buffer.concat(parts, total);
}

function decompressFrame(frame: Buffer, take: (part: Uint8Array) => void): void {
  const { Decompress } = load('fzstd') as StreamingZstd;
  new Decompress(take).push(frame, true);
}
