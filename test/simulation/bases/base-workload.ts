/** What the flushes of a simulated base bring: keys that come again and again, and elements of collections that go as a whole. */
import type { EngineRange } from '../../../src/engine/engine.ts';
import { type Change, deletionOf } from '../../../src/engine/version.ts';
import type { SeededRandom } from '../../support/random.ts';
import { bytesOf, textOf } from './base-state.ts';

/** What a checkpoint brings to a base: it is the same when it is tried again. */
export interface Sealed {
  readonly revision: number;
  readonly notes: Uint8Array;
  /** In the order of their keys; of each key one. */
  readonly changes: readonly Change[];
  readonly forgotten: readonly EngineRange[];
}

/** Deadlines that several keys share. */
const DEADLINES_MS = [1_700_000_000_000, 1_700_000_000_001, 1_700_003_600_000, 2 ** 45] as const;
const VALUE_BYTES = [0, 5, 5, 50, 50, 400, 1500, 6000] as const;
const TEXT = 'the quick brown fox jumps over the lazy dog ';

export class BaseWorkload {
  readonly #random: SeededRandom;
  readonly #keyCount: number;
  readonly #changesMax: number;
  #lastCollectionId = 0;
  readonly #collectionIds: number[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#keyCount = random.pick([5, 40, 300]);
    this.#changesMax = random.pick([3, 30, 30, 200]);
  }

  /** The changes of a checkpoint above a revision. */
  seal(baseRevision: number, forgotten: readonly EngineRange[]): Sealed {
    const random = this.#random;
    const revision = baseRevision + random.between(1, 100);
    const notes = random.bytes(random.pick([0, 10, 300]));
    const changeByKey = new Map<string, Change>();
    if (random.chance(0.3)) this.#collectionIds.push(++this.#lastCollectionId);
    for (let count = random.between(0, this.#changesMax); count > 0; count--) {
      const change = this.#change(random.between(baseRevision + 1, revision));
      changeByKey.set(textOf(change.key), change);
    }
    const changes = [...changeByKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
    return { revision, notes, changes, forgotten };
  }

  /** The keys of a collection that is there no more: none comes again. `undefined`: there is none to go. */
  endCollection(): EngineRange | undefined {
    const index = this.#random.below(this.#collectionIds.length + 1);
    const [id] = this.#collectionIds.splice(index, 1);
    return id === undefined ? undefined : elementsOf(id);
  }

  /** A key that may be there. */
  key(): Uint8Array {
    const random = this.#random;
    if (this.#lastCollectionId > 0 && random.chance(0.3))
      return elementKey(random.between(1, this.#lastCollectionId), random.below(20));
    const number = random.below(this.#keyCount);
    // Some are alike up to their last bytes, and longer than what an index keeps of a key.
    const isLong = number % 7 === 3;
    return bytesOf(isLong ? `k/${'long'.repeat(60)}/${number}` : `k/${number}`);
  }

  range(): EngineRange {
    const random = this.#random;
    if (random.chance(0.3)) return { start: new Uint8Array(0), end: undefined };
    const bounds = [this.key(), this.key()].sort((a, b) => Buffer.compare(a, b));
    const [start = bytesOf(''), end] = bounds;
    return { start, end: random.chance(0.2) ? undefined : end };
  }

  #change(revision: number): Change {
    const random = this.#random;
    const id = this.#collectionIds.length > 0 && random.chance(0.3) ? random.pick(this.#collectionIds) : 0;
    const key = id === 0 ? this.key() : elementKey(id, random.below(20));
    if (id === 0 && this.#lastCollectionId > 0 && key[0] === 'e'.charCodeAt(0)) return this.#change(revision);
    if (random.chance(0.25)) return deletionOf(key, revision);
    const hasDeadline = random.chance(0.2);
    return {
      key,
      revision,
      deleted: false,
      value: this.#value(random.pick(VALUE_BYTES)),
      kind: random.chance(0.1) ? random.below(8) : 0,
      collectionId: random.chance(0.1) ? random.below(2 ** 40) : 0,
      createRevision: random.between(1, revision),
      modRevision: random.between(1, revision),
      version: random.between(1, 1000),
      leaseId: random.chance(0.15) ? random.between(1, 3) : 0,
      ttlMs: hasDeadline ? random.between(1, 100_000) : 0,
      expireTimeMs: hasDeadline ? random.pick(DEADLINES_MS) : 0,
    };
  }

  #value(byteCount: number): Uint8Array {
    const random = this.#random;
    if (random.chance(0.3)) return random.bytes(byteCount);
    return Buffer.alloc(byteCount, TEXT.slice(random.below(TEXT.length - 1)));
  }
}

/** `e` and the collection's number, so that elements come before all other keys. */
function elementsOf(id: number): EngineRange {
  return { start: bytesOf(`e${numberText(id)}/`), end: bytesOf(`e${numberText(id)}0`) };
}

function elementKey(id: number, element: number): Uint8Array {
  return bytesOf(`e${numberText(id)}/${element}`);
}

function numberText(id: number): string {
  return String(id).padStart(6, '0');
}
