/** Looks whether an ordered index is as `tree.ts` and `node.ts` say. */
import { assert } from '../../../src/errors.ts';
import { compareBlocks, writeHead } from '../../../src/engine/memory/block-keys.ts';
import { NONE, revisionAt } from '../../../src/engine/memory/layout.ts';
import { ENTRIES_MAX, HIGHS, LOWS, type Node } from '../../../src/engine/memory/order/node.ts';
import type { Tree } from '../../../src/engine/memory/order/tree.ts';
import { Slabs } from '../../../src/engine/memory/slabs.ts';
import { checkSlabs } from './check-slabs.ts';

/** What an inner node must know of a child. */
interface Below {
  readonly live: number;
  readonly dead: number;
}

/** Shows every key in order, and whether it is live. @returns how many nodes there are, by levels. */
export function checkOrder(tree: Tree, visit: (block: number, isLive: boolean) => void = () => {}): number[] {
  const nodes = new Set<number>();
  const nodeCounts = Array.from({ length: tree.height + 1 }, () => 0);
  const { blocks } = tree;
  const head = new Int32Array(2);
  let last = NONE;
  let count = 0;

  const checkHeads = (node: Node, lower: number, upper: number): void => {
    const { words, at } = node;
    assert(node.skip <= tree.shared(lower, upper), 'the keys of a node share what it leaves out');
    for (let place = node.firstKeyPlace; place < node.count; place++) {
      const key = node.key(place);
      writeHead(blocks, key, node.skip, head, 0, head, 1);
      const isTrue = words[at + HIGHS + place] === head[0] && words[at + LOWS + place] === head[1];
      assert(isTrue, 'heads are true');
      assert(lower === NONE || compareBlocks(blocks, lower, key) <= 0, 'a key is not below its border');
      assert(upper === NONE || compareBlocks(blocks, key, upper) < 0, 'a key is below the next border');
    }
  };

  const checkLeaf = (node: Node, lower: number): Below => {
    let dead = 0;
    assert(lower === NONE || node.key(0) === lower, 'a border is the smallest key behind it');
    for (let place = 0; place < node.count; place++) {
      const key = node.key(place);
      if (last !== NONE) assert(compareBlocks(blocks, last, key) < 0, 'keys ascend');
      last = key;
      tree.probe.setFrom(blocks.wordsAt(key), Slabs.wordOf(key));
      const start = tree.probe.bytes.subarray(0, tree.prefix.length);
      assert(Buffer.compare(start, tree.prefix) === 0, 'all keys begin with the prefix');
      visit(key, node.isLive(place));
      if (!node.isLive(place)) dead = Math.max(dead, revisionAt(blocks.wordsAt(key), Slabs.wordOf(key)));
    }
    count += node.count;
    const live = node.liveBefore(ENTRIES_MAX);
    assert(live === node.liveBefore(node.count), 'no bit stands behind the entries');
    return { live, dead };
  };

  const check = (reference: number, level: number, lower: number, upper: number): Below => {
    const node = tree.newView().open(reference);
    nodes.add(reference);
    nodeCounts[level]!++;
    assert(node.level === level, 'a node knows its level');
    assert(node.count > 0 || (level === 0 && tree.height === 0), 'a node has an entry');
    checkHeads(node, lower, upper);
    if (level === 0) return checkLeaf(node, lower);
    assert(node.key(0) === NONE, 'the first child has no key');
    let dead = 0;
    for (let place = 0; place < node.count; place++) {
      const key = place === 0 ? lower : node.key(place);
      const next = place + 1 < node.count ? node.key(place + 1) : upper;
      const below = check(node.child(place), level - 1, key, next);
      assert(below.live === node.live(place), 'the live keys of a child are counted');
      assert(below.dead <= node.dead(place), 'the highest deletion of a child is known');
      dead = Math.max(dead, node.dead(place));
    }
    return { live: node.liveBefore(node.count), dead };
  };

  const whole = check(tree.root, tree.height, NONE, NONE);
  assert(whole.dead <= tree.dead, 'the highest deletion of all is known');
  assert(count === tree.count, 'the keys of a tree are counted');
  checkSlabs(tree.nodes, (node) => assert(nodes.delete(node), 'a node is part of the tree'));
  assert(nodes.size === 0, 'every node of the tree has its block');
  return nodeCounts;
}
