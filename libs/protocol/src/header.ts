/**
 * Request and response headers, and whole frames.
 *
 * A frame is an int32 length and then header and body. Which header version goes with which API version is decided here
 * alone, with its one exception: an ApiVersions response has header v0 at every version, so that a client which does not
 * know the broker's range can read it.
 */
import { requestCodec, responseCodec } from './codec.js';
import { ProtocolError } from './protocol-error.js';
import { Reader } from './reader.js';
import {
  type Api,
  type RequestInput,
  type RequestOf,
  type ResponseInput,
  type ResponseOf,
  flexibleAt,
} from './schema.js';
import { Writer } from './writer.js';

const API_VERSIONS_KEY = 18;
const CONTROLLED_SHUTDOWN_KEY = 7;
const LENGTH_BYTES = 4;

/** What a broker knows of a request before it decodes the body. `bodyOffset` counts from the start of the frame. */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly bodyOffset: number;
}

/** Reads the first eight bytes of a request: enough to answer or refuse it. The frame comes without its length. */
export function peekRequestHeader(frame: Buffer): { apiKey: number; apiVersion: number; correlationId: number } {
  const reader = new Reader(frame);
  return { apiKey: reader.int16(), apiVersion: reader.int16(), correlationId: reader.int32() };
}

/**
 * Reads a request's header. `flexible` says whether the API is flexible at the version of the request, which
 * {@link peekRequestHeader} tells; the client id stays a plain string even then.
 *
 * @throws ProtocolError when the frame is too short or malformed.
 */
export function decodeRequestHeader(frame: Buffer, api: Api): RequestHeader {
  const reader = new Reader(frame);
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const correlationId = reader.int32();
  if (apiKey === CONTROLLED_SHUTDOWN_KEY && apiVersion === 0) {
    return { apiKey, apiVersion, correlationId, clientId: null, bodyOffset: reader.position };
  }
  const clientId = reader.nullableString();
  if (flexibleAt(api, apiVersion)) reader.skipTagged();
  return { apiKey, apiVersion, correlationId, clientId, bodyOffset: reader.position };
}

/** What a message may have at most. */
export interface DecodeLimits {
  /** Array elements in all arrays together; default {@link DECODED_ELEMENTS_MAX}. */
  readonly elementsMax?: number;
}

/**
 * Decodes the body of a request.
 *
 * @throws ProtocolError when it is malformed or exceeds a limit. Bytes behind the body are ignored.
 */
export function decodeRequestBody<A extends Api>(
  api: A,
  version: number,
  frame: Buffer,
  bodyOffset: number,
  limits?: DecodeLimits,
): RequestOf<A> {
  const reader = new Reader(frame, bodyOffset);
  if (limits?.elementsMax !== undefined) reader.elementsLeft = limits.elementsMax;
  return requestCodec(api, version).decode(reader);
}

/** A whole request frame with its length, as chunks to be written in order. */
export function encodeRequest<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: RequestInput<A>,
): Buffer[] {
  const writer = new Writer();
  writer.int32(0);
  writer.int16(api.key);
  writer.int16(version);
  writer.int32(correlationId);
  writer.nullableString(clientId);
  if (flexibleAt(api, version)) writer.uvarint(0);
  requestCodec(api, version).encode(writer, body);
  return withLength(writer);
}

/** A whole response frame with its length, as chunks to be written in order. */
export function encodeResponse<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  body: ResponseInput<A>,
): Buffer[] {
  const writer = new Writer();
  writer.int32(0);
  writer.int32(correlationId);
  if (responseHeaderFlexible(api, version)) writer.uvarint(0);
  responseCodec(api, version).encode(writer, body);
  return withLength(writer);
}

function withLength(writer: Writer): Buffer[] {
  const size = writer.size - LENGTH_BYTES;
  const chunks = writer.finish();
  (chunks[0] as Buffer).writeInt32BE(size, 0);
  return chunks;
}

function responseHeaderFlexible(api: Api, version: number): boolean {
  return api.key !== API_VERSIONS_KEY && flexibleAt(api, version);
}

/** The correlation id of a response frame without its length. */
export function responseCorrelationId(frame: Buffer): number {
  return new Reader(frame).int32();
}

/**
 * Decodes a response frame without its length.
 *
 * @throws ProtocolError when it is malformed or exceeds a limit.
 */
export function decodeResponse<A extends Api>(
  api: A,
  version: number,
  frame: Buffer,
  limits?: DecodeLimits,
): ResponseOf<A> {
  const reader = new Reader(frame);
  if (limits?.elementsMax !== undefined) reader.elementsLeft = limits.elementsMax;
  reader.int32();
  if (responseHeaderFlexible(api, version)) reader.skipTagged();
  return responseCodec(api, version).decode(reader);
}

/** Raises INVALID_LENGTH for a frame length that the limit or the protocol forbids. */
export function checkFrameLength(length: number, frameBytesMax: number): void {
  if (length < 0) throw new ProtocolError('INVALID_LENGTH', `a frame announces ${length} bytes`);
  if (length > frameBytesMax) {
    throw new ProtocolError('FRAME_TOO_LARGE', `a frame announces ${length} bytes; ${frameBytesMax} is the most`);
  }
}
