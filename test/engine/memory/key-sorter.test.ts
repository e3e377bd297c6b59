/** The radix sort of blocks by their keys. */
import { describe, expect, it } from 'vitest';
import { sortByKey } from '../../../src/engine/memory/order/key-sorter.ts';
import { SeededRandom } from '../../support/random.ts';
import { addBlock, fixedSlabs, keyAt } from './blocks.ts';
import { KEY_SHAPES, keyOfShape } from '../contract/key-shapes.ts';

function sorted(texts: readonly string[]): string[] {
  const slabs = fixedSlabs();
  const references = Int32Array.from(texts, (text) => addBlock(slabs, text));
  for (const _piece of sortByKey(slabs, references));
  return Array.from(references, (reference) => keyAt(slabs, reference));
}

describe('sorting blocks by key', () => {
  it.each(KEY_SHAPES)('orders keys of the shape "%s" as their bytes are', (shape) => {
    const random = new SeededRandom(KEY_SHAPES.indexOf(shape));
    for (const count of [1, 2, 511, 512, 513, 3000]) {
      const texts = [
        ...new Set(
          Array.from({ length: count }, () => keyOfShape(shape, random.below(4 * count), 4 * count)),
        ),
      ];
      expect(sorted(texts)).toEqual(texts.toSorted());
    }
  });

  it('orders keys that are alike over many bytes, or differ in the highest bit of any', () => {
    const texts: string[] = [];
    for (let group = 0; group < 3; group++) {
      for (let number = 0; number < 700; number++) {
        const code = (place: number) =>
          String.fromCharCode((number >>> (place * 2)) & 1 ? 0x80 + group : 0x7f - group);
        texts.push(`${'p'.repeat(9 * group)}${code(0)}${'m'.repeat(20)}${code(1)}${code(2)}${number}`);
      }
    }
    expect(sorted(texts.toReversed())).toEqual(texts.toSorted());
  });

  it('orders more keys than it moves in one piece', () => {
    const texts = Array.from({ length: 70_000 }, (_, number) => String((number * 7919) % 70_001));
    expect(sorted(texts).join()).toBe(texts.toSorted().join());
  });

  it('ends with a thousand keys of which each goes on with zeros where another ends', () => {
    const texts = Array.from({ length: 1000 }, (_, zeros) => `k${'\0'.repeat((zeros * 7) % 1000)}`);
    expect(sorted(texts)).toEqual(texts.toSorted());
  });
});
