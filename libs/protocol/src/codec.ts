/**
 * Where codecs are found: one for each message and version, each of its directions compiled on first use and kept.
 *
 * Where code generation from strings is forbidden (`node --disallow-code-generation-from-strings`) the interpreter serves
 * instead; it is slower and otherwise equal, which test/conformance checks.
 */
import { compileDecode, compileEncode } from './compile.js';
import { type Codec, interpretCodec } from './interpret.js';
import { ProtocolError } from './protocol-error.js';
import {
  type Api,
  type DecodedStruct,
  type Fields,
  type InputStruct,
  type Message,
  type RequestInput,
  type RequestOf,
  type ResponseInput,
  type ResponseOf,
} from './schema.js';

export type { Codec } from './interpret.js';

const codecs = new WeakMap<Message, (Codec | undefined)[]>();
let mayGenerate: boolean | undefined;

/** False in a process that forbids code generation from strings. */
function generationAllowed(): boolean {
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- asks whether it is allowed
    new Function('');
    return true;
  } catch {
    return false;
  }
}

/** Each direction is compiled when it is first used: a client never decodes requests, a broker never encodes them. */
function lazyCodec(message: Message, version: number): Codec {
  const first: Codec = {
    encode: (writer, value) => {
      if (codec.encode === first.encode) codec.encode = compileEncode(message, version);
      codec.encode(writer, value);
    },
    decode: (reader) => {
      if (codec.decode === first.decode) codec.decode = compileDecode(message, version);
      return codec.decode(reader);
    },
  };
  const codec = { ...first };
  return codec;
}

/**
 * The codec of a message at a version.
 *
 * @throws ProtocolError UNSUPPORTED_VERSION when the message does not exist at that version.
 */
export function messageCodec<F extends Fields>(
  message: Message<F>,
  version: number,
): Codec<DecodedStruct<F>, InputStruct<F>> {
  let versions = codecs.get(message);
  if (versions === undefined) codecs.set(message, (versions = []));
  const known = versions[version];
  if (known !== undefined) return known as Codec<DecodedStruct<F>, InputStruct<F>>;
  const [min, max] = message.versions;
  if (!Number.isInteger(version) || version < min || version > max) {
    throw new ProtocolError('UNSUPPORTED_VERSION', `${message.name} has no version ${version}, only ${min} to ${max}`);
  }
  mayGenerate ??= generationAllowed();
  const codec = mayGenerate ? lazyCodec(message, version) : interpretCodec(message, version);
  versions[version] = codec;
  return codec as Codec<DecodedStruct<F>, InputStruct<F>>;
}

/** The codec of an API's request at a version. */
export function requestCodec<A extends Api>(api: A, version: number): Codec<RequestOf<A>, RequestInput<A>> {
  return messageCodec(api.request, version) as unknown as Codec<RequestOf<A>, RequestInput<A>>;
}

/** The codec of an API's response at a version. */
export function responseCodec<A extends Api>(api: A, version: number): Codec<ResponseOf<A>, ResponseInput<A>> {
  return messageCodec(api.response, version) as unknown as Codec<ResponseOf<A>, ResponseInput<A>>;
}
