import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixed } from '../../src/limits.ts';
import { decodePageToken, encodePageToken } from '../../src/kv/reads/page-token.ts';
import { MemoryHarness } from '../store/model/store-harness.ts';

const REQUEST = 'the request';
const INCARNATION = '0123456789abcdef'.repeat(2);
const TOKEN = { revision: 1, instantMs: 1, incarnation: INCARNATION, nextKey: Buffer.from('k') };
const refusal = expect.objectContaining({ code: 'invalidArgument' }) as unknown;

describe('a page token', () => {
  it('comes back as it was', () => {
    const token = fc.record({
      revision: fc.maxSafeNat(),
      instantMs: fc.maxSafeNat(),
      incarnation: fc.constantFrom('', INCARNATION),
      nextKey: fc.uint8Array({ maxLength: fixed.keyBytesMax + 1, size: 'max' }),
    });
    const property = fc.property(token, (original) => {
      const text = encodePageToken(original, REQUEST);
      expect(text).toMatch(/^[\w-]+$/);
      const { nextKey, ...decoded } = decodePageToken(text, REQUEST);
      expect({ ...decoded, nextKey: original.nextKey }).toEqual(original);
      expect(Buffer.compare(nextKey, original.nextKey)).toBe(0);
    });
    fc.assert(property, { numRuns: 200 });
  });

  it('is refused with another request', () => {
    const text = encodePageToken(TOKEN, REQUEST);
    expect(() => decodePageToken(text, 'another')).toThrow(refusal);
  });

  it('is refused when its numbers are none', () => {
    for (const number of [-1, 0.5, NaN, Infinity, 2 ** 60]) {
      for (const field of ['revision', 'instantMs']) {
        const token = { ...TOKEN, [field]: number };
        expect(() => decodePageToken(encodePageToken(token, REQUEST), REQUEST)).toThrow(refusal);
      }
    }
  });

  it('is refused, never more, whatever text it is', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.base64String(),
      fc.string({ maxLength: 6000, size: 'max' }),
    );
    const property = fc.property(text, (garbage) => {
      expect(() => decodePageToken(garbage, REQUEST)).toThrow(refusal);
    });
    fc.assert(property, { numRuns: 150 });
  });

  it('that was changed leads nowhere but within the range', async () => {
    const { store } = await MemoryHarness.open();
    for (const key of ['a', 'm1', 'm2', 'm3', 'z']) await store.put(key, '');
    const { nextPageToken } = await store.scan({ prefix: 'm' }, { limit: 1 });
    const backwards = await store.scan({ prefix: 'm' }, { limit: 1, reverse: true });
    const changes = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { minLength: 1, maxLength: 3 });
    const property = fc.asyncProperty(changes, fc.boolean(), async (row, reverse) => {
      const bytes = Buffer.from(reverse ? backwards.nextPageToken : nextPageToken, 'base64url');
      // The fingerprint stays, so that only what lies behind it is told apart.
      for (const [at, byte] of row) bytes[5 + (at % (bytes.length - 5))] = byte;
      try {
        const page = await store.scan({ prefix: 'm' }, { reverse, pageToken: bytes.toString('base64url') });
        for (const { key } of page.entries) expect(key).toMatch(/^m\d$/);
      } catch (error) {
        expect(error).toMatchObject({
          code: expect.stringMatching(
            /^(invalidArgument|historyDiffers|revisionFuture|revisionCompacted)$/,
          ) as string,
        });
      }
    });
    await fc.assert(property, { numRuns: 500 });
  });
});
