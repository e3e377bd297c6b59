import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineRange } from '../../../src/engine/engine.ts';
import { prefixEnd } from '../../../src/store/views/range.ts';

describe('the end of a prefix', () => {
  it('grows the last byte that can grow', () => {
    const endOf = (...bytes: number[]) => prefixEnd(Uint8Array.from(bytes));
    expect(endOf(0x61)).toEqual(Uint8Array.of(0x62));
    expect(endOf(0x61, 0xff)).toEqual(Uint8Array.of(0x62));
    expect(endOf(0x61, 0xfe, 0xff, 0xff)).toEqual(Uint8Array.of(0x61, 0xff));
    expect(endOf(0xff)).toBeUndefined();
    expect(endOf(0xff, 0xff)).toBeUndefined();
    expect(endOf()).toBeUndefined();
  });

  it('does not change the prefix', () => {
    const prefix = Buffer.from('abc');
    prefixEnd(prefix);
    expect(prefix.toString()).toBe('abc');
  });

  it('separates what begins with the prefix from all else', () => {
    const byte = fc.constantFrom(0, 1, 0x7f, 0xfe, 0xff);
    const bytes = fc.array(byte, { maxLength: 4 }).map((all) => Uint8Array.from(all));
    const property = fc.property(bytes, bytes, (prefix, key) => {
      const beginsSo = Buffer.compare(key.subarray(0, prefix.length), prefix) === 0;
      expect(isIn({ start: prefix, end: prefixEnd(prefix) }, key)).toBe(beginsSo);
    });
    fc.assert(property, { numRuns: 1000 });
  });
});

function isIn({ start, end }: EngineRange, key: Uint8Array): boolean {
  return Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0);
}
