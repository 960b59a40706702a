/**
 * Murmur2: the vectors of Kafka's own tests, and every length of the tail with bytes above 127 (printed by
 * kafka-clients 4.3.1).
 */
import { murmur2 } from './murmur2.js';

const SIGNED_BYTES = Uint8Array.of(255, 128, 127, 0, 254, 200, 129);

describe('murmur2', () => {
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
    ['', 275646681],
    ['Straße', 403542409],
  ])('%s is %d', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash);
  });

  it.each([
    [0, 275646681],
    [1, -311467685],
    [2, -442788720],
    [3, 968261134],
    [4, -1059522114],
    [5, -1958495739],
    [6, -111712943],
    [7, -1602814694],
  ])('the first %d bytes above 127 are %d', (length, hash) => {
    expect(murmur2(SIGNED_BYTES.subarray(0, length))).toBe(hash);
  });
});
