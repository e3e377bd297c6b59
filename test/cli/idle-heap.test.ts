/** What a server that rests does with V8's heap. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Collection, type HeapBytes, V8Heap, keepHeapSmall } from '../../src/cli/process/idle-heap.ts';
import type { Timer } from '../../src/clock.ts';
import { serverFixed } from '../../src/limits.ts';
import { ManualClock } from '../support/manual-clock.ts';

const MIB = 1024 * 1024;
const { idleHeapCheckMs, idleBusyShareMax, idleYoungBytesMax, idleHeapGrowthBytes, idleHeapUsedBytesMax } =
  serverFixed;

/** A server whose heap and work a test decides on. */
class Stage {
  readonly clock = new ManualClock();
  readonly collections: string[] = [];
  share = 0;
  heapBytes: HeapBytes = { young: 0, old: 20 * MIB, oldUsed: 15 * MIB };
  /** What the heap is once it was collected; left out: what it was. */
  afterwards: HeapBytes | undefined;
  readonly #keeper: Timer;

  constructor() {
    this.#keeper = keepHeapSmall({
      heap: { bytes: () => this.heapBytes, collect: (collection) => this.#collect(collection) },
      clock: this.clock,
      busyShare: () => this.share,
    });
  }

  /** Lets the keeper look once. @returns what it has collected. */
  look(): string[] {
    this.clock.advance(idleHeapCheckMs);
    return this.collections.splice(0);
  }

  stop(): void {
    this.#keeper.cancel();
  }

  #collect(collection: Collection): void {
    this.collections.push(collection);
    this.heapBytes = this.afterwards ?? this.heapBytes;
  }
}

describe('a server that rests', () => {
  test('collects what its start has left, once', () => {
    const stage = new Stage();
    expect(stage.look()).toEqual(['major']);
    expect(stage.look()).toEqual([]);
  });

  test('collects the young generation when it is large, as often as it is', () => {
    const stage = new Stage();
    stage.look();
    stage.heapBytes = { ...stage.heapBytes, young: idleYoungBytesMax };
    expect(stage.look()).toEqual([]);
    stage.heapBytes = { ...stage.heapBytes, young: idleYoungBytesMax + 1 };
    expect(stage.look()).toEqual(['minor']);
    expect(stage.look()).toEqual(['minor']);
  });

  test('collects all when the heap has grown since it took least', () => {
    const stage = new Stage();
    stage.look();
    stage.heapBytes = { young: 0, old: 20 * MIB + idleHeapGrowthBytes, oldUsed: 15 * MIB };
    expect(stage.look()).toEqual([]);
    stage.heapBytes = { ...stage.heapBytes, old: 20 * MIB + idleHeapGrowthBytes + 1 };
    expect(stage.look()).toEqual(['major']);
    // V8 collects by itself, too.
    stage.heapBytes = { ...stage.heapBytes, old: 10 * MIB };
    expect(stage.look()).toEqual([]);
    stage.heapBytes = { ...stage.heapBytes, old: 10 * MIB + idleHeapGrowthBytes + 1 };
    expect(stage.look()).toEqual(['major']);
  });

  test('has V8 release what it holds once much has become free, at the next look at which it rests', () => {
    const stage = new Stage();
    stage.look();
    stage.afterwards = stage.heapBytes;
    stage.heapBytes = { ...stage.heapBytes, young: idleHeapGrowthBytes };
    expect(stage.look()).toEqual(['minor']);
    expect(stage.look()).toEqual([]);
    stage.heapBytes = { ...stage.heapBytes, young: idleYoungBytesMax + 1 };
    expect(stage.look()).toEqual(['minor']);
    stage.share = 1;
    expect(stage.look()).toEqual([]);
    stage.share = 0;
    expect(stage.look()).toEqual(['release']);
    expect(stage.look()).toEqual([]);
  });

  test('leaves a heap to V8 that would take long', () => {
    const stage = new Stage();
    stage.look();
    const old = 2 * idleHeapUsedBytesMax;
    stage.heapBytes = { young: 0, old, oldUsed: idleHeapUsedBytesMax + 1 };
    expect(stage.look()).toEqual([]);
    stage.heapBytes = { young: idleYoungBytesMax + 1, old, oldUsed: idleHeapUsedBytesMax + 1 };
    expect(stage.look()).toEqual(['minor']);
  });
});

test('a server that works collects nothing, and what it has left once it rests', () => {
  const stage = new Stage();
  stage.share = idleBusyShareMax * 1.01;
  stage.heapBytes = { young: 100 * MIB, old: 60 * MIB, oldUsed: 50 * MIB };
  expect(stage.look()).toEqual([]);
  expect(stage.look()).toEqual([]);
  stage.share = idleBusyShareMax;
  expect(stage.look()).toEqual(['major']);
});

test('a server that has stopped is left alone', () => {
  const stage = new Stage();
  stage.stop();
  expect(stage.look()).toEqual([]);
});

describe("V8's heap", () => {
  /** Filled by a test, and empty behind it. */
  let garbage: object[] = [];
  afterEach(() => {
    garbage = [];
  });

  test('holds no garbage once all of it was collected', () => {
    const heap = new V8Heap();
    heap.collect('major');
    const before = heap.bytes();
    for (let index = 0; index < 500_000; index++) garbage.push({ index });
    const full = heap.bytes();
    expect(full.young + full.old - before.young - before.old).toBeGreaterThan(8 * MIB);
    garbage = [];
    heap.collect('major');
    expect(heap.bytes().oldUsed - before.oldUsed).toBeLessThan(2 * MIB);
  });

  test('shrinks its young generation when that is collected and little was allocated', async () => {
    const heap = new V8Heap();
    for (let index = 0; index < 500_000; index++) garbage.push({ index });
    garbage = [];
    expect(heap.bytes().young).toBeGreaterThan(idleYoungBytesMax);
    // V8 looks at what was allocated in the time before.
    await vi.waitFor(
      () => {
        heap.collect('minor');
        expect(heap.bytes().young).toBeLessThanOrEqual(idleYoungBytesMax);
      },
      { timeout: 20_000, interval: 100 },
    );
  });

  test('leaves its collector to no other code', () => {
    new V8Heap().collect('minor');
    expect(Object.hasOwn(globalThis, 'gc')).toBe(false);
  });
});
