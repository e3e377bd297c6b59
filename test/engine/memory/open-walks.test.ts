/** Memory that moves and goes while walks and scans are open. */
import { describe, expect, it } from 'vitest';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { SeededRandom } from '../../support/random.ts';
import { bytes, deletion, put } from '../contract/changes.ts';
import { verifyIntegrity } from './integrity.ts';

const KEY_COUNT = 1600;
const keyOf = (number: number) => `key ${String(number).padStart(5, '0')}`;

describe('a walk of the memory engine', () => {
  it.each([1, 2, 3])(
    'shows its state once and whole while slabs are emptied and given back (seed %i)',
    (seed) => {
      const random = new SeededRandom(seed);
      const engine = new MemoryEngine({ slabBytesMax: 32 * 1024 });
      let revision = 0;
      const write = (number: number, valueBytes: number): void =>
        engine.apply(put(keyOf(number), ++revision, 'v'.repeat(valueBytes)));
      for (let number = 0; number < KEY_COUNT; number++) write(number, 20 + random.below(100));
      const revisions = Array.from({ length: KEY_COUNT }, (_, number) => number + 1);
      const opened = [0, 1, 2, 3].map((index) => {
        // Each sees another state: some keys are written between.
        for (let count = 0; count < 200 * index; count++) {
          const number = random.below(KEY_COUNT);
          write(number, random.below(200));
          revisions[number] = revision;
        }
        const expected = revisions.map((each, number) => `${keyOf(number)} ${each}`);
        return { walk: engine.openWalk(revision, revision), expected, seen: [] as string[] };
      });
      const [oldest] = opened;
      engine.compact(KEY_COUNT);
      // Every other key goes, wherever it lies, and many values outgrow their places.
      for (let number = 0; number < KEY_COUNT; number += 2) engine.apply(deletion(keyOf(number), ++revision));
      for (let count = 0; count < KEY_COUNT; count++)
        write(1 + 2 * random.below(KEY_COUNT / 2), random.below(400));
      let least = engine.memoryBytes;
      const before = least;
      while (opened.some(({ seen, expected }) => seen.length < expected.length)) {
        for (const { walk, seen } of opened) {
          // They go at their own pace; one has not begun when the others are through their slabs.
          if (
            seen === oldest!.seen &&
            opened.some((other) => other.seen !== seen && other.seen.length < KEY_COUNT)
          )
            continue;
          walk.next(1 + random.below(400), ({ key, revision: at, replacedBy }) => {
            if (replacedBy === 0) seen.push(`${Buffer.from(key).toString()} ${at}`);
          });
        }
        for (let steps = random.below(4); steps > 0; steps--) engine.maintain(true);
        least = Math.min(least, engine.memoryBytes);
        write(1 + 2 * random.below(KEY_COUNT / 2), random.below(400));
      }
      for (const { walk, seen, expected } of opened) {
        while (walk.next(1000, () => true));
        walk.close();
        expect(seen.sort()).toEqual(expected);
      }
      expect(least, 'slabs were given back meanwhile').toBeLessThan(before);
      engine.compact(revision);
      while (engine.maintain(true));
      verifyIntegrity(engine);
    },
  );
});

describe('the memory of an engine in which everything was deleted', () => {
  it.each(['at once', 'while a walk was open', 'by being forgotten'])(
    'is near that of an empty one (%s)',
    (how) => {
      const engine = new MemoryEngine();
      const empty = engine.memoryBytes;
      let revision = 0;
      const count = 8000;
      for (let number = 0; number < count; number++) {
        const value = 'v'.repeat(number % 400 === 0 ? 50_000 : number % 200);
        engine.apply(put(keyOf(number), ++revision, value, { expireTimeMs: number % 3 }));
      }
      for (let number = 0; number < count; number += 5)
        engine.apply(put(keyOf(number), ++revision, 'v'.repeat(number % 2000 === 0 ? 50_000 : 300)));
      expect(engine.memoryBytes).toBeGreaterThan(2_500_000);
      const full = engine.memoryBytes;
      const walk = engine.openWalk(revision, revision);
      if (how !== 'while a walk was open') walk.close();
      if (how === 'by being forgotten') {
        const range = { start: bytes(''), end: undefined };
        while (engine.forget(range, 1000) === 1000) engine.maintain();
      } else for (let number = 0; number < count; number++) engine.apply(deletion(keyOf(number), ++revision));
      if (how === 'while a walk was open') {
        let seen = 0;
        while (walk.next(500, ({ replacedBy }) => (replacedBy === 0 ? seen++ : 0))) engine.maintain(true);
        walk.close();
        expect(seen).toBe(count);
      }
      engine.compact(revision);
      while (engine.maintain(true));
      verifyIntegrity(engine);
      expect(engine.stats()).toEqual({ keyCount: 0, versionCount: 0, dataBytes: 0 });
      expect(engine.nextDeadlineMs()).toBeUndefined();
      // A table of the map for each shard, a chunk of nodes for each tree, and the slab that is being filled.
      expect(engine.memoryBytes - empty).toBeLessThan(600_000 + full / 8);
    },
  );

  it('keeps no nodes for keys that are gone', () => {
    const engine = new MemoryEngine();
    const count = 60_000;
    for (let number = 0; number < count; number++) engine.apply(put(keyOf(number), number + 1));
    while (engine.forget({ start: bytes(''), end: undefined }, 1000) === 1000) engine.maintain();
    while (engine.maintain(true));
    // Their nodes alone took 800,000 bytes.
    expect(engine.memoryBytes).toBeLessThan(700_000);
  });

  it('keeps no slabs of nodes for the few that are left in each', () => {
    const engine = new MemoryEngine();
    const count = 60_000;
    for (let number = 0; number < count; number++) engine.apply(put(keyOf(number), number + 1));
    for (let number = 0; number < count; number += 1000) {
      const range = { start: bytes(keyOf(number + 30)), end: undefined };
      expect(engine.forget(range, 970)).toBe(970);
      engine.maintain();
    }
    while (engine.maintain(true));
    verifyIntegrity(engine);
    expect(engine.memoryBytes).toBeLessThan(500_000);
  });
});
