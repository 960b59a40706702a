/**
 * User data of the sticky assignors: both versions, told apart as the Java client does it.
 */
import { ProtocolError } from '../protocol-error.js';
import {
  decodeCooperativeStickyUserData,
  decodeStickyUserData,
  encodeCooperativeStickyUserData,
  encodeStickyUserData,
} from './sticky-assignor.js';

const previousAssignment = [
  { topic: 'a', partitions: [0, 2] },
  { topic: 'b', partitions: [] },
];

describe('user data of sticky', () => {
  it('has a generation at version 1 and none at version 0', () => {
    const v0 = '00000002' + '000161' + '00000002' + '00000000' + '00000002' + '000162' + '00000000';
    expect(encodeStickyUserData({ previousAssignment, generation: 5 }).toString('hex')).toBe(`${v0}00000005`);
    expect(encodeStickyUserData({ previousAssignment, generation: 5 }, 0).toString('hex')).toBe(v0);
  });

  it.each([
    [1, 5],
    [0, -1],
  ])('of version %i is read', (version, generation) => {
    const bytes = encodeStickyUserData({ previousAssignment, generation: 5 }, version);
    expect(decodeStickyUserData(bytes)).toEqual({ previousAssignment, generation });
  });

  it('that is malformed is a ProtocolError', () => {
    for (const hex of ['', '00', '7fffffff', '0000000100', '00000001ffff']) {
      expect(() => decodeStickyUserData(Buffer.from(hex, 'hex'))).toThrow(ProtocolError);
    }
  });
});

describe('user data of cooperative-sticky', () => {
  it('is the generation', () => {
    expect(encodeCooperativeStickyUserData({ generation: 258 }).toString('hex')).toBe('00000102');
    expect(decodeCooperativeStickyUserData(Buffer.from('00000102', 'hex'))).toEqual({ generation: 258 });
    expect(() => decodeCooperativeStickyUserData(Buffer.from('000001', 'hex'))).toThrow(ProtocolError);
  });
});
