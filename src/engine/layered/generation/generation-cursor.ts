/**
 * Goes over the keys of a generation, one at a time when it is asked, without an object for each: those that may exist, or are hidden,
 * at a revision. It is used within one turn, in which the generation does not change.
 */
import type { EngineRange } from '../../engine.ts';
import { KEY, KEY_BYTES_MASK, NONE, UNIT_BITS, UNIT_MASK } from '../../memory/layout.ts';
import type { Keyspace } from '../../memory/keyspace.ts';
import { ENTRIES_MAX } from '../../memory/order/node.ts';
import { Path } from '../../memory/order/tree.ts';
import type { WorkBudget } from '../../../work-budget.ts';
import type { Generation } from './generation.ts';

/** Blocks that are fetched together, at most, and at first. */
const FETCHED_MAX = 16;
const FETCHED_FIRST = 4;

export class GenerationCursor {
  /** The block of the key that it is at; `NONE`: it is at the end. */
  reference = NONE;
  /** Where that key lies. */
  keyBytes = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;
  #keyspace: Keyspace | undefined;
  #range: EngineRange | undefined;
  #revision = 0;
  #isReverse = false;
  readonly #path = new Path();
  readonly #references = new Int32Array(ENTRIES_MAX);
  #count = 0;
  /** How many of these it has been at, and how many were fetched. */
  #done = 0;
  #fetched = 0;
  /** The range ends in the leaf that was read. */
  #isLastLeaf = false;
  /** Only so that the loads of fetches can't be left out. */
  fetchedSum = 0;

  /** Goes to the first key of a range, or to the last. */
  open(generation: Generation, range: EngineRange, revision: number, isReverse: boolean): void {
    const { keyspace } = generation;
    const { keys, probe } = keyspace;
    this.#keyspace = keyspace;
    this.#range = range;
    this.#revision = revision;
    this.#isReverse = isReverse;
    const bound = isReverse ? range.end : range.start;
    if (bound === undefined) keys.goToEnd(this.#path, 1);
    else {
      probe.set(bound);
      keys.descend(this.#path);
    }
    this.#readLeaf(keyspace, range);
    this.#show(keyspace, range, undefined);
  }

  /** Goes to the next key. @param budget pays for what is passed over. */
  advance(budget: WorkBudget | undefined): void {
    if (this.#keyspace !== undefined && this.#range !== undefined)
      this.#show(this.#keyspace, this.#range, budget);
  }

  /** Lets go of the generation. */
  close(): void {
    this.#keyspace = undefined;
    this.#range = undefined;
    this.reference = NONE;
    this.keyBytes = NO_KEY;
  }

  #show(keyspace: Keyspace, range: EngineRange, budget: WorkBudget | undefined): void {
    while (this.#done === this.#count) {
      const isMore =
        !this.#isLastLeaf &&
        keyspace.keys.nextLeaf(this.#path, this.#revision, this.#isReverse ? -1 : 1, budget);
      if (!isMore) {
        this.reference = NONE;
        return;
      }
      this.#readLeaf(keyspace, range);
    }
    if (this.#done === this.#fetched) this.#fetch(keyspace);
    const place = this.#isReverse ? this.#count - 1 - this.#done : this.#done;
    this.#done++;
    const reference = this.#references[place]!;
    const memory = keyspace.blocks.memories[reference >>> UNIT_BITS]!;
    const at = (reference & UNIT_MASK) << 1;
    this.reference = reference;
    this.keyBytes = memory.bytes as Uint8Array<ArrayBuffer>;
    this.keyStart = (at + KEY) << 2;
    this.keyEnd = this.keyStart + (memory.words[at]! & KEY_BYTES_MASK);
  }

  /** The blocks of the keys from the place of the path on, within its leaf and the range; as `MemoryEngine` reads them. */
  #readLeaf({ keys, probe }: Keyspace, range: EngineRange): void {
    const isReverse = this.#isReverse;
    const revision = this.#revision;
    const path = this.#path;
    const references = this.#references;
    const place = path.places[0]!;
    const low = isReverse ? 0 : place;
    const high = isReverse ? place : keys.leaf.open(path.nodes[0]!).count;
    this.#count = keys.readLeaf(path, low, high, revision, references);
    this.#done = this.#fetched = 0;
    this.#isLastLeaf = false;
    const bound = isReverse ? range.start : range.end;
    if (bound === undefined || this.#count === 0 || (isReverse && bound.length === 0)) return;
    probe.set(bound);
    const isFirstBelow = keys.compareProbe(references[0]!) > 0;
    if (isReverse && !isFirstBelow) return;
    const isLastBelow = keys.compareProbe(references[this.#count - 1]!) > 0;
    if (!isReverse && isLastBelow) return;
    this.#isLastLeaf = true;
    if (isFirstBelow === isLastBelow) {
      this.#count = 0;
      return;
    }
    const end = keys.placeInLeaf(path.nodes[0]!);
    this.#count = keys.readLeaf(path, isReverse ? end : low, isReverse ? high : end, revision, references);
  }

  /** Makes the processor fetch the next blocks at once. */
  #fetch(keyspace: Keyspace): void {
    const slabs = keyspace.blocks.words;
    const from = this.#fetched;
    const to = Math.min(this.#count, from + (from === 0 ? FETCHED_FIRST : FETCHED_MAX));
    let sum = 0;
    for (let index = from; index < to; index++) {
      const reference = this.#references[this.#isReverse ? this.#count - 1 - index : index]!;
      sum += slabs[reference >>> UNIT_BITS]![(reference & UNIT_MASK) << 1]!;
    }
    this.fetchedSum = sum;
    this.#fetched = to;
  }
}

const NO_KEY = new Uint8Array(0);
