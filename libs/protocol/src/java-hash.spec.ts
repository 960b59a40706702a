/**
 * `String.hashCode`: numbers printed by Java 17.
 */
import { javaStringHash } from './java-hash.js';

describe('javaStringHash', () => {
  it.each([
    ['', 0],
    ['a', 97],
    ['my-group', -1906497762],
    ['console-consumer-12345', 158455506],
    ['Straße', -1808122922],
    ['\ud83d\ude00', 1772899],
    ['\ud83d', 55357],
  ])('%j is %d', (text, hash) => {
    expect(javaStringHash(text)).toBe(hash);
  });
});
