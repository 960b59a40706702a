/**
 * Views and copies: what `subarray` and `set` give, for ranges that exist.
 */
import { copyInto, viewOf } from './bytes.js';

describe('viewOf', () => {
  const whole = Buffer.from('0123456789').subarray(2);

  it('is a Buffer that shares memory', () => {
    const view = viewOf(whole, 1, 4);
    expect(Buffer.isBuffer(view)).toBe(true);
    expect(view).toEqual(whole.subarray(1, 4));
    expect(view.toString()).toBe('345');
    whole[1] = 0x78;
    expect(view.toString()).toBe('x45');
    expect(viewOf(view, 3, 3)).toHaveLength(0);
  });

  it('is refused beyond the memory', () => {
    expect(() => viewOf(Buffer.allocUnsafeSlow(4), 2, 5)).toThrow('Invalid typed array length');
  });
});

describe('copyInto', () => {
  it('copies all of the source, within bounds', () => {
    const target = Buffer.alloc(4);
    copyInto(target, Buffer.of(1, 2), 1);
    expect(target).toEqual(Buffer.of(0, 1, 2, 0));
    expect(() => copyInto(target, Buffer.of(1, 2), 3)).toThrow('offset is out of bounds');
  });
});
