/**
 * Zstandard, by whichever implementation this Node has.
 *
 * From Node 22.15 on it is built in. Before that a WebAssembly build of the same library serves, which is loaded on first
 * use only, synchronously, so that nothing waits at start. Its memory stays as large as the largest batch made it.
 * Leaves out decoders in JavaScript: the one that was here could be made to run for ever by a hundred bytes.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as zlib from 'node:zlib';
import { type ZstdFrame, zstdFrames } from './zstd-frames.js';

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
  /** The memory; another view after it has grown. */
  readonly HEAPU8: Uint8Array;
  /** 0 when there is no memory left. */
  _malloc(bytes: number): number;
  _free(address: number): void;
  _ZSTD_decompress(target: number, targetBytes: number, source: number, sourceBytes: number): number;
  _ZSTD_isError(result: number): number;
}

interface WasmZstd {
  compress(data: Buffer, level: number): Uint8Array;
}

interface LoadedWasm {
  readonly module: WasmModule;
  readonly zstd: WasmZstd;
}

const PACKAGE = '@bokuweb/zstd-wasm';
const LEVEL = 3;
const load = createRequire(import.meta.url);
const native = zlib as NativeZstd;
let wasm: LoadedWasm | undefined;

/** Loads the WebAssembly build. Its own start is asynchronous, so the module is handed an instance made here instead. */
function loadWasm(): LoadedWasm {
  const folder = dirname(load.resolve(PACKAGE));
  const { Module: module } = load(join(folder, 'zstd.js')) as { Module: WasmModule };
  const bytes = readFileSync(join(folder, 'zstd.wasm'));
  module.instantiateWasm = (imports, receive) => {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
    receive(instance);
    return instance.exports;
  };
  module.init(bytes);
  return { module, zstd: load(PACKAGE) as WasmZstd };
}

/** Compresses to one frame. */
export function compressZstd(data: Buffer): Buffer {
  if (native.zstdCompressSync !== undefined) return native.zstdCompressSync(data);
  wasm ??= loadWasm();
  const compressed = wasm.zstd.compress(data, LEVEL);
  return Buffer.from(compressed.buffer, compressed.byteOffset, compressed.byteLength);
}

/** Decompresses all frames. Throws a plain Error for what is not zstd or exceeds `bytesMax`. */
export function decompressZstd(data: Buffer, bytesMax: number): Buffer {
  const parts: Buffer[] = [];
  let total = 0;
  for (const frame of zstdFrames(data, bytesMax)) {
    const part =
      native.zstdDecompressSync === undefined
        ? decompressFrame(frame, bytesMax - total)
        : native.zstdDecompressSync(frame.bytes, { maxOutputLength: bytesMax });
    total += part.length;
    if (total > bytesMax) throw new Error(`it has more than ${bytesMax} bytes`);
    parts.push(part);
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, total);
}

function decompressFrame({ bytes, contentBytesMax }: ZstdFrame, bytesMax: number): Buffer {
  const { module } = (wasm ??= loadWasm());
  const room = Math.min(contentBytesMax, bytesMax);
  const source = module._malloc(bytes.length);
  const target = module._malloc(Math.max(room, 1));
  try {
    if (source === 0 || target === 0) throw new Error(`there is no memory for ${bytes.length + room} bytes`);
    module.HEAPU8.set(bytes, source);
    const length = module._ZSTD_decompress(target, room, source, bytes.length);
    if (module._ZSTD_isError(length) !== 0) throw new Error(`it is damaged or has more than ${room} bytes`);
    return Buffer.from(module.HEAPU8.subarray(target, target + length));
  } finally {
    module._free(target);
    module._free(source);
  }
}
