/** The cache of blocks: it hands out the block that was read at a place and no other, within its bytes, and keeps those that are used. */
import { expect, it } from 'vitest';
import { BlockCache, BlockRow } from '../../../src/engine/lsm/block-cache.ts';
import { Counters } from '../../../src/engine/lsm/counters.ts';
import { Block } from '../../../src/engine/runs/block/block.ts';
import { blockKind } from '../../../src/engine/runs/format.ts';
import type { RunFile } from '../../../src/engine/runs/table/run-file.ts';
import { SeededRandom } from '../../support/random.ts';

const BLOCK_BYTES = 1000;
const BESIDES_BYTES = 200;
/** As many blocks as are kept. */
const ROOM = 20;
const CACHE_BYTES = ROOM * (BLOCK_BYTES + BESIDES_BYTES);

/** A run whose blocks say where they were read. */
class Run {
  reads = 0;
  readonly row: BlockRow;
  readonly file: RunFile;
  readonly #number: number;

  constructor(number: number) {
    this.#number = number;
    this.file = {
      readBlock: (offset: number, bytes: number) => this.#read(offset, bytes),
    } as unknown as RunFile;
    this.row = new BlockRow(this.file);
  }

  /** What the block at an index says of itself. */
  textOf(index: number): string {
    return `run ${this.#number}, block ${index};`;
  }

  #read(offset: number, bytes: number): Block {
    this.reads++;
    return new Block(Buffer.alloc(bytes, this.textOf(offset)), 0);
  }
}

/** Asks for a block as a run does: in the cache, then on the disk. @returns whether the cache had it. */
function ask(cache: BlockCache, run: Run, index: number, bytes = BLOCK_BYTES): boolean {
  const cached = cache.find(run.row, index);
  const block = cached ?? cache.read(run.row, index, index, bytes, blockKind.data);
  const { memory, start } = block;
  const text = run.textOf(index);
  expect(Buffer.from(memory.bytes.buffer, start, text.length).toString()).toBe(text);
  return cached !== undefined;
}

it('hands out what was read at a place, within its bytes, whatever is asked for', () => {
  const random = new SeededRandom(1);
  const counters = new Counters();
  const cache = new BlockCache(CACHE_BYTES, counters);
  let runs = [new Run(0), new Run(1), new Run(2)];
  let hits = 0;
  for (let step = 0; step < 20_000; step++) {
    if (random.chance(0.001)) {
      const gone = runs.shift()!;
      const before = cache.bytes;
      const ofRun = gone.row.cached.filter((cached) => cached !== undefined).length;
      cache.drop(gone.file);
      expect(before - cache.bytes).toBe(ofRun * (BLOCK_BYTES + BESIDES_BYTES));
      expect(gone.row.cached.every((cached) => cached === undefined)).toBe(true);
      runs = [...runs, new Run(step)];
    }
    if (ask(cache, random.pick(runs), random.below(12))) hits++;
    const kept = runs.flatMap(({ row }) => row.cached.filter((cached) => cached !== undefined)).length;
    expect(cache.bytes).toBe(kept * (BLOCK_BYTES + BESIDES_BYTES));
    expect(cache.bytes).toBeLessThanOrEqual(CACHE_BYTES);
  }
  // 20 of 36 blocks have room.
  expect(hits).toBeGreaterThan(20_000 * 0.4);
  expect(counters).toMatchObject({ cacheHits: hits, cacheMisses: 20_000 - hits, readCount: 20_000 - hits });
});

it('keeps what is asked for again and again beside many that are asked for once', () => {
  const cache = new BlockCache(CACHE_BYTES, new Counters());
  const [used, once] = [new Run(1), new Run(2)];
  for (let index = 0; index < 4; index++) ask(cache, used, index);
  for (let index = 0; index < 1000; index++) {
    ask(cache, once, index);
    ask(cache, used, index % 4);
  }
  expect(used.reads).toBe(4);
  expect(once.reads).toBe(1000);
});

it('keeps the blocks of the others when those of a run are dropped', () => {
  const cache = new BlockCache(CACHE_BYTES, new Counters());
  const [stays, goes] = [new Run(1), new Run(2)];
  for (let index = 0; index < 5; index++) for (const run of [stays, goes]) ask(cache, run, index);
  cache.drop(goes.file);
  for (let index = 0; index < 5; index++) {
    expect(ask(cache, stays, index)).toBe(true);
    expect(ask(cache, goes, index)).toBe(false);
  }
});

it('does not keep a block that would push out most of the others', () => {
  const cache = new BlockCache(CACHE_BYTES, new Counters());
  const run = new Run(1);
  for (let index = 0; index < ROOM; index++) ask(cache, run, index);
  const { bytes } = cache;
  expect(ask(cache, run, ROOM, CACHE_BYTES / 8)).toBe(false);
  expect(ask(cache, run, ROOM, CACHE_BYTES / 8)).toBe(false);
  expect(cache.bytes).toBe(bytes);
  expect(ask(cache, run, 0)).toBe(true);
});
