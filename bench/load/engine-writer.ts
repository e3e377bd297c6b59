/** Writes to an engine as the store does: a revision for each change, some of the engine's own work after each row. */
import { type Change, deletionOf } from '../../src/engine/version.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { put } from './changes.ts';
import { keyOf, Values } from './data.ts';
import { makeRandom, shuffledIndexes } from './random.ts';

const FILL_SEED = 1;
const ROW_CHANGES = 256;
/** Keys are made for so many changes at once, and not for all: a million of them are a heap of their own. */
const PIECE_KEYS = 65_536;

/** As bytes, as an engine takes them. */
export function keyBytesOf(index: number): Uint8Array {
  return Buffer.from(keyOf(index));
}

export function randomKeyBytes(count: number, keyCount: number, seed: number): Uint8Array[] {
  const random = makeRandom(seed);
  return Array.from({ length: count }, () => keyBytesOf(random.below(keyCount)));
}

/** The keys from 0 to `keyCount` - 1 in random order, a piece at a time. */
export function* shuffledPieces(keyCount: number, seed = FILL_SEED): Generator<Uint8Array[], void> {
  const order = shuffledIndexes(keyCount, seed);
  for (let first = 0; first < keyCount; first += PIECE_KEYS)
    yield Array.from(order.subarray(first, first + PIECE_KEYS), keyBytesOf);
}

export class EngineWriter {
  readonly #engine: Engine;
  readonly #values: Values;
  readonly #historyRevisions: number;
  revision = 0;

  /** @param historyRevisions how far compaction stays behind. */
  constructor(engine: Engine, { historyRevisions = 0, values = new Values() } = {}) {
    this.#engine = engine;
    this.#historyRevisions = historyRevisions;
    this.#values = values;
  }

  fill(keyCount: number): void {
    for (const keys of shuffledPieces(keyCount)) for (const key of keys) this.write(key);
  }

  write(key: Uint8Array): void {
    this.#engine.apply(this.#nextPut(key));
    if (this.revision % ROW_CHANGES === 0) this.work();
  }

  /** @param batchSize a power of two, at most a row. */
  writeAll(keys: readonly Uint8Array[], batchSize: number): void {
    if (batchSize === 1) {
      for (const key of keys) this.write(key);
      return;
    }
    for (let first = 0; first < keys.length; first += batchSize) {
      const end = Math.min(first + batchSize, keys.length);
      this.#engine.fetch(keys, first, end);
      for (let index = first; index < end; index++) this.#engine.apply(this.#nextPut(keys[index]!));
      if (this.revision % ROW_CHANGES < batchSize) this.work();
    }
  }

  delete(key: Uint8Array): void {
    this.revision++;
    this.#engine.apply(deletionOf(key, this.revision));
    if (this.revision % ROW_CHANGES === 0) this.work();
  }

  /** Compacts, and does all work that this brings. */
  work(): void {
    this.#engine.compact(Math.max(0, this.revision - this.#historyRevisions));
    while (this.#engine.maintain());
  }

  #nextPut(key: Uint8Array): Change {
    this.revision++;
    return put(key, this.#values.of(this.revision), this.revision);
  }
}

/** Works as a store does that is not written to: first what there is, after a second thoroughly. */
export async function idle(engine: Engine, durationMs: number): Promise<void> {
  const startMs = performance.now();
  for (let spentMs = 0; spentMs < durationMs; spentMs = performance.now() - startMs) {
    const isMore = engine.maintain(spentMs > THOROUGH_AFTER_MS);
    await new Promise((resolve) => setTimeout(resolve, isMore ? 0 : IDLE_PAUSE_MS));
  }
}

const THOROUGH_AFTER_MS = 1000;
const IDLE_PAUSE_MS = 50;
