/**
 * Headers: which version goes with which API, byte by byte, and the exceptions to the rule.
 */
import {
  checkFrameLength,
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  peekRequestHeader,
  responseCorrelationId,
} from './header.js';
import { ApiVersions } from './messages/18-api-versions.js';
import { Heartbeat } from './messages/12-heartbeat.js';
import { SaslHandshake } from './messages/17-sasl-handshake.js';
import { type Api, api, string } from './schema.js';

const heartbeat = { groupId: 'g', generationId: 7, memberId: 'm' };
/** One unknown tagged field (tag 5, two bytes), as a newer peer may send it in a header. */
const UNKNOWN_TAG = '01' + '05' + '02' + 'aabb';

function hexOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('hex');
}

describe('a request header', () => {
  it('of a version that is not flexible ends with the client id', () => {
    expect(hexOf(encodeRequest(Heartbeat, 0, 9, 'me', heartbeat))).toBe(
      '00000016' + '000c' + '0000' + '00000009' + '00026d65' + '000167' + '00000007' + '00016d',
    );
  });

  it('of a flexible version has tagged fields, and a client id with two bytes of length all the same', () => {
    const hex = hexOf(encodeRequest(Heartbeat, 4, 9, 'me', heartbeat));
    expect(hex).toBe(
      '00000017' + '000c' + '0004' + '00000009' + '00026d65' + '00' + '0267' + '00000007' + '026d' + '0000',
    );
  });

  it('has a client id that may be null', () => {
    const frame = Buffer.concat(encodeRequest(Heartbeat, 4, -1, null, heartbeat)).subarray(4);
    expect(frame.toString('hex', 4, 10)).toBe('ffffffffffff');
    expect(decodeRequestHeader(frame, Heartbeat)).toEqual({
      apiKey: 12,
      apiVersion: 4,
      correlationId: -1,
      clientId: null,
      bodyOffset: 11,
    });
    expect(peekRequestHeader(frame)).toEqual({ apiKey: 12, apiVersion: 4, correlationId: -1 });
  });

  it('is read with tagged fields that are not known', () => {
    const body = '0267' + '00000007' + '026d' + '0000';
    const frame = Buffer.from(`000c000400000009${'00026d65'}${UNKNOWN_TAG}${body}`, 'hex');
    const { clientId, bodyOffset } = decodeRequestHeader(frame, Heartbeat);
    expect([clientId, bodyOffset]).toEqual(['me', 17]);
    expect(decodeRequestBody(Heartbeat, 4, frame, bodyOffset)).toEqual({ ...heartbeat, groupInstanceId: null });
  });

  it('of ControlledShutdown 0 alone has no client id', () => {
    const shutdown: Api = api({
      key: 7,
      name: 'ControlledShutdown',
      versions: [0, 1],
      flexible: null,
      request: { name: string },
      response: {},
    });
    const first = Buffer.from('0007' + '0000' + '00000001' + '000161', 'hex');
    expect(decodeRequestHeader(first, shutdown)).toMatchObject({ clientId: null, bodyOffset: 8 });
    const second = Buffer.from('0007' + '0001' + '00000001' + '000161', 'hex');
    expect(decodeRequestHeader(second, shutdown)).toMatchObject({ clientId: 'a', bodyOffset: 11 });
  });
});

describe('a response header', () => {
  it('has tagged fields from the first flexible version on', () => {
    expect(hexOf(encodeResponse(Heartbeat, 3, 9, { errorCode: 27 }))).toBe(
      '0000000a' + '00000009' + '00000000' + '001b',
    );
    expect(hexOf(encodeResponse(Heartbeat, 4, 9, { errorCode: 27 }))).toBe(
      '0000000c' + '00000009' + '00' + '00000000' + '001b' + '00',
    );
  });

  it('is read with tagged fields that are not known', () => {
    const frame = Buffer.from(`00000009${UNKNOWN_TAG}${'00000000' + '001b' + '00'}`, 'hex');
    expect(responseCorrelationId(frame)).toBe(9);
    expect(decodeResponse(Heartbeat, 4, frame)).toEqual({ throttleTimeMs: 0, errorCode: 27 });
  });

  it.each([0, 2, 3, 4])('of ApiVersions %i has none, because its reader may not know that version', (version) => {
    const chunks = encodeResponse(ApiVersions, version, 9, { errorCode: 35, apiKeys: [] });
    const frame = Buffer.concat(chunks).subarray(4);
    // Correlation id, and at once the error code of the body.
    expect(frame.toString('hex', 0, 6)).toBe('00000009' + '0023');
    expect(decodeResponse(ApiVersions, version, frame).errorCode).toBe(35);
  });
});

describe('limits', () => {
  it('hold for the elements of requests and of responses', () => {
    const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'OAUTHBEARER'];
    const frame = Buffer.concat(encodeResponse(SaslHandshake, 1, 9, { errorCode: 0, mechanisms })).subarray(4);
    expect(decodeResponse(SaslHandshake, 1, frame, { elementsMax: 3 }).mechanisms).toEqual(mechanisms);
    expect(() => decodeResponse(SaslHandshake, 1, frame, { elementsMax: 2 })).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_ELEMENTS' }) as Error,
    );
  });

  it('hold for the length of a frame', () => {
    expect(() => checkFrameLength(100, 100)).not.toThrow();
    expect(() => checkFrameLength(101, 100)).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }) as Error);
    expect(() => checkFrameLength(-1, 100)).toThrow(expect.objectContaining({ code: 'INVALID_LENGTH' }) as Error);
  });
});
