/** The nodes of an ordered index: the bits of a leaf beside a list of booleans, entries that come, go and move, and how many nodes a tree has. */
import { describe, expect, it } from 'vitest';
import {
  ENTRIES_MAX,
  Node,
  bitsBefore,
  insertBit,
  removeBit,
} from '../../../src/engine/memory/order/node.ts';
import { insertKey } from '../../../src/engine/memory/order/growth.ts';
import { removeEntry } from '../../../src/engine/memory/order/shrinking.ts';
import { Path, Tree } from '../../../src/engine/memory/order/tree.ts';
import { Probe } from '../../../src/engine/memory/probe.ts';
import { SeededRandom } from '../../support/random.ts';
import { addBlock, fixedSlabs } from './blocks.ts';
import { bytes } from '../contract/changes.ts';
import { checkOrder } from './check-order.ts';

const BASE = 3;
const EDGES = [0, 1, 30, 31, 32, 33, 62, 63];

function bitsOf(words: Int32Array): boolean[] {
  return Array.from(
    { length: ENTRIES_MAX },
    (_, place) => (words[BASE + (place >>> 5)]! & (1 << (place & 31))) !== 0,
  );
}

function wordsWith(bits: readonly boolean[]): Int32Array {
  const words = new Int32Array(BASE + 3).fill(-1);
  words.fill(0, BASE, BASE + 2);
  for (const [place, isLive] of bits.entries()) if (isLive) words[BASE + (place >>> 5)]! |= 1 << (place & 31);
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
        expect(bitsBefore(words, BASE, place)).toBe(bits.slice(0, place).filter(Boolean).length);
    }
  });

  it('make room at every place, and close up over it', () => {
    for (const bits of samples) {
      for (let place = 0; place < ENTRIES_MAX; place++) {
        const up = wordsWith(bits);
        insertBit(up, BASE, place);
        expect(bitsOf(up)).toEqual([...bits.slice(0, place), false, ...bits.slice(place, -1)]);
        const down = wordsWith(bits);
        removeBit(down, BASE, place);
        expect(bitsOf(down)).toEqual([...bits.slice(0, place), ...bits.slice(place + 1), false]);
        for (const words of [up, down]) {
          expect(words[BASE - 1]).toBe(-1);
          expect(words[BASE + 2]).toBe(-1);
        }
      }
    }
  });
});

/** What an entry has, made from a number. */
function put(node: Node, place: number, number: number): void {
  node.insertEntry(place);
  node.setKey(place, number);
  node.setHead(place, number, -number);
  if (node.level === 0) node.setLive(place, number % 3 === 0);
  else {
    node.setChild(place, number + 1);
    node.addLive(place, number % 5);
    node.raiseDead(place, number * 2 ** 33);
  }
}

function entriesOf(node: Node): unknown[] {
  return Array.from({ length: node.count }, (_, place) =>
    node.level === 0
      ? [node.key(place), node.isLive(place)]
      : [node.key(place), node.child(place), node.live(place), node.dead(place)],
  );
}

function expectedOf(level: number, numbers: readonly number[]): unknown[] {
  return numbers.map((number) =>
    level === 0 ? [number, number % 3 === 0] : [number, number + 1, number % 5, number * 2 ** 33],
  );
}

describe('a node', () => {
  it.each([0, 1])('of level %i keeps its entries while others come, go and move', (level) => {
    const slabs = fixedSlabs();
    const random = new SeededRandom(level + 1);
    const nodes = [new Node(slabs).make(level), new Node(slabs).make(level)] as const;
    const lists: [number[], number[]] = [[], []];
    for (let round = 1; round < 5000; round++) {
      const which = random.below(2);
      const node = nodes[which]!;
      const list = lists[which]!;
      if (list.length === ENTRIES_MAX || (list.length > 0 && random.chance(0.4))) {
        const place = random.below(list.length);
        node.removeEntry(place);
        list.splice(place, 1);
      } else {
        const place = random.below(list.length + 1);
        put(node, place, round);
        list.splice(place, 0, round);
      }
      const from = random.below(list.length + 1);
      const other = lists[1 - which]!;
      if (random.chance(0.1) && other.length + list.length - from <= ENTRIES_MAX) {
        node.moveEntries(from, nodes[1 - which]!);
        other.push(...list.splice(from));
      }
      for (const [index, each] of nodes.entries()) {
        expect(entriesOf(each)).toEqual(expectedOf(level, lists[index]!));
        expect([each.level, each.count]).toEqual([level, lists[index]!.length]);
      }
    }
    const live = (number: number): number => (level === 0 ? Number(number % 3 === 0) : number % 5);
    for (let place = 0; place <= lists[0].length; place++)
      expect(nodes[0].liveBefore(place)).toBe(
        lists[0].slice(0, place).reduce((sum, each) => sum + live(each), 0),
      );
  });
});

/** A tree by itself, of keys that are not live. */
class Grown {
  readonly #blocks = fixedSlabs();
  readonly #probe = new Probe();
  readonly tree = new Tree(this.#blocks, this.#probe);
  readonly #path = new Path();

  add(text: string): void {
    this.#probe.set(bytes(text));
    this.tree.admit();
    this.tree.descend(this.#path);
    this.tree.count++;
    insertKey(this.tree, this.#path, addBlock(this.#blocks, text), false);
  }

  remove(text: string): void {
    this.#probe.set(bytes(text));
    this.tree.descend(this.#path);
    this.tree.count--;
    removeEntry(this.tree, this.#path);
  }

  /** How many nodes there are on each level. */
  nodes(): number[] {
    return checkOrder(this.tree);
  }
}

describe('a tree from which keys go', () => {
  const textOf = (number: number) => String(number).padStart(9, '0');

  it('has no more nodes and levels than what is left needs', () => {
    const random = new SeededRandom(3);
    const grown = new Grown();
    const numbers = Array.from({ length: 60_000 }, (_, number) => number);
    for (const number of numbers) grown.add(textOf(number));
    expect(grown.nodes()).toEqual([938, 15, 1]);
    for (let place = numbers.length - 1; place > 0; place--) {
      const other = random.below(place + 1);
      [numbers[place], numbers[other]] = [numbers[other]!, numbers[place]!];
    }
    for (const left of [20_000, 5000, 2000, 500, 30, 0]) {
      while (numbers.length > left) grown.remove(textOf(numbers.pop()!));
      const [leaves = 0, inners = 0] = grown.nodes();
      expect(leaves).toBeLessThanOrEqual(1 + left / 16);
      expect(inners).toBeLessThanOrEqual(1 + leaves / 16);
      if (left <= 30) expect(grown.nodes()).toEqual([1]);
    }
  });

  it('puts the last node of few keys together with the one before it', () => {
    const grown = new Grown();
    for (let number = 0; number < 640; number++) grown.add(textOf(number));
    expect(grown.nodes()).toEqual([10, 1]);
    for (let number = 512; number < 540; number++) grown.remove(textOf(number));
    for (let number = 576; number < 627; number++) grown.remove(textOf(number));
    expect(grown.nodes()).toEqual([10, 1]);
    for (let number = 540; number < 545; number++) grown.remove(textOf(number));
    grown.remove(textOf(627));
    expect(grown.nodes()).toEqual([9, 1]);
  });
});
