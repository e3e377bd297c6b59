/** The bits of a leaf, beside a list of booleans; and nodes that are taken, moved and given back. */
import { describe, expect, it } from 'vitest';
import {
  ENTRIES_MAX,
  LIVE_BITS,
  SKIP,
  TreeNodes,
  countAt,
  isLiveAt,
  levelAt,
  liveBefore,
  setCount,
  setLive,
  shiftLive,
} from '../../src/engine/memory/tree-nodes.ts';
import { SeededRandom } from '../support/random.ts';

const BASE = 3;
const EDGES = [0, 1, 30, 31, 32, 33, 62, 63];

function bitsOf(words: Int32Array): boolean[] {
  return Array.from({ length: ENTRIES_MAX }, (_, place) => isLiveAt(words, BASE, place));
}

function wordsWith(bits: readonly boolean[]): Int32Array {
  const words = new Int32Array(BASE + LIVE_BITS + 3);
  words.fill(-1);
  for (const [place, isLive] of bits.entries()) setLive(words, BASE, place, isLive);
  return words;
}

describe('the live bits of a leaf', () => {
  const random = new SeededRandom(1);
  const samples = [
    Array.from({ length: ENTRIES_MAX }, () => true),
    Array.from({ length: ENTRIES_MAX }, () => false),
    ...EDGES.map((edge) => Array.from({ length: ENTRIES_MAX }, (_, place) => place === edge)),
    ...Array.from({ length: 20 }, () => Array.from({ length: ENTRIES_MAX }, () => random.chance(0.5))),
  ];

  it('are counted before every place', () => {
    for (const bits of samples) {
      const words = wordsWith(bits);
      expect(bitsOf(words)).toEqual(bits);
      for (let place = 0; place <= ENTRIES_MAX; place++)
        expect(liveBefore(words, BASE, place)).toBe(bits.slice(0, place).filter(Boolean).length);
    }
  });

  it('make room at every place, and close up over it', () => {
    for (const bits of samples) {
      for (let place = 0; place < ENTRIES_MAX; place++) {
        const up = wordsWith(bits);
        shiftLive(up, BASE, place, true);
        setLive(up, BASE, place, false);
        expect(bitsOf(up)).toEqual([...bits.slice(0, place), false, ...bits.slice(place, -1)]);
        const down = wordsWith(bits);
        shiftLive(down, BASE, place, false);
        expect(bitsOf(down)).toEqual([...bits.slice(0, place), ...bits.slice(place + 1), false]);
        for (const words of [up, down]) {
          expect(words[BASE + LIVE_BITS - 1]).toBe(-1);
          expect(words[BASE + LIVE_BITS + 2]).toBe(-1);
        }
      }
    }
  });
});

describe('the nodes of a tree', () => {
  it('come empty, keep what is in them when they move, and give their memory back', () => {
    const nodes = new TreeNodes(200);
    const taken = Array.from({ length: 1000 }, (_, index) => {
      const node = nodes.take(index % 3);
      setCount(nodes.words(node), nodes.base(node), index % 60);
      nodes.words(node)[nodes.base(node) + SKIP] = index;
      return node;
    });
    expect(new Set(taken).size).toBe(1000);
    const kept = taken.filter((_, index) => index % 10 === 0);
    for (const [index, node] of taken.entries()) if (index % 10 !== 0) nodes.giveBack(node);
    const full = nodes.memoryBytes;
    for (let node = nodes.toMove(); node !== undefined; node = nodes.toMove())
      kept[kept.indexOf(node)] = nodes.move(node);
    expect(nodes.usedCount).toBe(100);
    expect(nodes.memoryBytes).toBeLessThan(full / 3);
    for (const [place, node] of kept.entries()) {
      const [words, base] = [nodes.words(node), nodes.base(node)];
      const index = place * 10;
      expect([levelAt(words, base), countAt(words, base), words[base + SKIP]]).toEqual([
        index % 3,
        index % 60,
        index,
      ]);
    }
    const again = nodes.take(2);
    expect(kept).not.toContain(again);
    expect([
      countAt(nodes.words(again), nodes.base(again)),
      nodes.words(again)[nodes.base(again) + SKIP],
    ]).toEqual([0, 0]);
  });
});
