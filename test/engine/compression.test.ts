/** What engines compress: what is tried, what is kept, and that damage is seen. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { CompressionFigures, decompress, tryCompress } from '../../src/engine/compression.ts';
import { defaults, fixed } from '../../src/limits.ts';

const LEVEL = defaults.compressionLevel;
const LENGTHS = [1024, 1025, 4096, 65_536, 1024 * 1024];

/** Documents one behind the other, cut to a length. */
function documents(byteLength: number): Buffer {
  let text = '';
  for (let id = 1; text.length < byteLength; id++) {
    text += JSON.stringify({ id, name: `user ${(id * 31) % 997}`, score: (id * 7919) % 1_000_003 });
  }
  return Buffer.from(text.slice(0, byteLength));
}

it.each(LENGTHS)('random bytes, %i of them, are not tried', (byteLength) => {
  const figures = new CompressionFigures();
  expect(tryCompress(randomBytes(byteLength), LEVEL, figures)).toBeUndefined();
  expect(figures).toMatchObject({
    skippedCount: 1,
    triedCount: 0,
    vainCount: 0,
    plainBytes: 0,
    storedBytes: 0,
  });
});

it.each(LENGTHS)(
  'documents of %i bytes take less than half, and come back whole at every level',
  (byteLength) => {
    const plain = documents(byteLength);
    for (const level of [fixed.compressionLevelMin, 3, fixed.compressionLevelMax]) {
      const figures = new CompressionFigures();
      const stored = tryCompress(plain, level, figures);
      if (stored === undefined) expect.fail('documents are compressed');
      expect(stored.length).toBeLessThan(byteLength / 2);
      expect(Buffer.compare(decompress(stored, byteLength), plain)).toBe(0);
      expect(figures).toMatchObject({
        triedCount: 1,
        skippedCount: 0,
        vainCount: 0,
        plainBytes: byteLength,
        storedBytes: stored.length,
      });
    }
  },
);

it('random digits of a base of 16 are tried and kept, those of a base of 128 tried in vain', () => {
  const figures = new CompressionFigures();
  const inBase = (base: number): Uint8Array => randomBytes(4096).map((byte) => byte % base);
  expect(tryCompress(inBase(16), LEVEL, figures)).toBeDefined();
  expect(figures).toMatchObject({ triedCount: 1, vainCount: 0 });
  // 7 bits of 8 would save 12.5 %, and the frame takes more than a half of one per cent.
  expect(tryCompress(inBase(128), LEVEL, figures)).toBeUndefined();
  expect(figures).toMatchObject({ triedCount: 2, vainCount: 1, skippedCount: 0 });
});

it('a part that gives way is found wherever it stands', () => {
  for (const place of [0, 1000, 2000, 3000]) {
    const bytes = randomBytes(4000).fill('a', place, place + 1000);
    expect(tryCompress(bytes, LEVEL), `at ${place}`).toBeDefined();
  }
});

it('a byte that is changed, missing or added never gives other bytes of the length that was asked for unseen', () => {
  const plain = documents(1024);
  const stored = tryCompress(plain, LEVEL);
  if (stored === undefined) expect.fail('documents are compressed');
  expect(() => decompress(stored, plain.length - 1)).toThrow();
  expect(() => decompress(stored, plain.length + 1)).toThrow();
  expect(() => decompress(stored.subarray(0, -1), plain.length)).toThrow();
  expect(() => decompress(Buffer.from('no frame'), plain.length)).toThrow();
  expect(() => decompress(new Uint8Array(), plain.length)).toThrow();
});

it('a frame of many more bytes than it should have is refused before they are there', () => {
  const bomb = tryCompress(Buffer.alloc(64 * 1024 * 1024), LEVEL);
  if (bomb === undefined) expect.fail('zeros are compressed');
  const before = process.memoryUsage().arrayBuffers;
  expect(() => decompress(bomb, 1024)).toThrow();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
});

it('the shortest things are taken', () => {
  for (const byteLength of [0, 1, 2]) expect(tryCompress(Buffer.alloc(byteLength), LEVEL)).toBeUndefined();
});

it('a level beyond the range is a defect of the caller', () => {
  for (const level of [fixed.compressionLevelMin - 1, fixed.compressionLevelMax + 1, 1.5]) {
    expect(() => tryCompress(documents(1024), level)).toThrow('the level');
  }
});
