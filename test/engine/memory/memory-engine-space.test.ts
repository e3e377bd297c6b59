/** What the contract does not ask for: that memory comes and goes with the data. */
import { describe, expect, it, vi } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { bytes, deletion, put } from '../contract/changes.ts';
import { drain } from '../contract/forms.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { verifyIntegrity } from './integrity.ts';

const MB = 1_000_000;
const SMALL = 'v'.repeat(100);

describe('the memory of the engine', () => {
  it('is given back after most keys are deleted, wherever they lie', { timeout: 120_000 }, () => {
    for (const isKept of [(number: number) => number % 20 === 7, (number: number) => number < 7500]) {
      const engine = new MemoryEngine();
      const count = 150_000;
      for (let number = 0; number < count; number++)
        engine.apply(put(keyOf(number), number + 1, 'v'.repeat(60)));
      const full = engine.memoryBytes;
      for (let number = 0; number < count; number++) {
        if (!isKept(number)) engine.apply(deletion(keyOf(number), count + number + 1));
      }
      engine.compact(2 * count);
      drain(engine);
      verifyIntegrity(engine);
      expect(engine.stats().keyCount).toBe(7500);
      // What stays beside the data: places of the key map, nodes of the order and slabs that are not full.
      expect(engine.memoryBytes).toBeLessThan(full / 4);
      expect(keysOf(engine)).toEqual(
        Array.from({ length: count }, (_, number) => number)
          .filter(isKept)
          .map(keyOf)
          .toSorted(),
      );
    }
  });

  it('is given back without moving most of the keys that are to be dropped', () => {
    const engine = new MemoryEngine();
    const count = 50_000;
    for (let number = 0; number < count; number++) engine.apply(put(keyOf(number), number + 1, SMALL));
    for (let number = 0; number < count; number++)
      engine.apply(deletion(keyOf((number * 7919) % count), count + number + 1));
    engine.compact(2 * count);
    const moved = vi.spyOn(engine.keyspace.map, 'replace');
    while (engine.maintain(true));
    expect(moved.mock.calls.length).toBeLessThan(count / 5);
    expect(engine.stats().versionCount).toBe(0);
    expect(engine.memoryBytes).toBeLessThan(MB);
  });

  it('is given back thoroughly when that is asked for, though much must be moved for little', () => {
    const engine = new MemoryEngine();
    const count = 50_000;
    for (let number = 0; number < count; number++)
      engine.apply(put(keyOf(number), number + 1, 'v'.repeat(200)));
    drain(engine);
    const full = engine.memoryBytes;
    // A key in every ten, all over the pages: less than what is moved away by itself.
    for (let number = 0; number < count; number += 10) {
      engine.apply(deletion(keyOf(number), count + number + 1));
    }
    engine.compact(2 * count);
    drain(engine);
    const usual = engine.memoryBytes;
    expect(usual).toBeGreaterThan(0.95 * full);
    while (engine.maintain(true));
    expect(engine.memoryBytes).toBeLessThan(full - 0.05 * full);
    verifyIntegrity(engine);
    expect(keysOf(engine)).toHaveLength(0.9 * count);
  });

  it('counts what a walk keeps, and nothing else, while it is open', () => {
    const engine = new MemoryEngine();
    const count = 50_000;
    for (let number = 0; number < count; number++) engine.apply(put(keyOf(number), number + 1, SMALL));
    drain(engine);
    const before = engine.memoryBytes;
    const walk = engine.openWalk(count, count);
    engine.apply(put('another', count + 1, SMALL));
    expect(drainedSteps(engine)).toBe(1);
    expect(engine.memoryBytes).toBeLessThan(before + 100_000);
    // Nearly all outgrow their places before the walk has come to them.
    for (let number = 0; number < count; number++)
      engine.apply(put(keyOf(number), count + number + 2, `${SMALL}${SMALL}`));
    const kept = engine.memoryBytes;
    const seen: string[] = [];
    while (
      walk.next(
        1000,
        ({ key, replacedBy }) => replacedBy === 0 && seen.push(Buffer.from(key).toString('latin1')),
      )
    );
    expect(seen.sort()).toEqual(Array.from({ length: count }, (_, number) => keyOf(number)));
    walk.close();
    // A bare key of 12 bytes.
    expect(kept - engine.memoryBytes).toBeLessThan(32 * count + 200_000);
    verifyIntegrity(engine);
  });

  it('drops the versions of one key piece by piece, however many there are', () => {
    const engine = new MemoryEngine();
    const count = 20_000;
    for (let revision = 1; revision <= count; revision++)
      engine.apply(put('counter', revision, SMALL, { version: revision }));
    engine.compact(count);
    let before = count;
    for (let isMore = true; isMore; before = engine.stats().versionCount) {
      isMore = engine.maintain();
      expect(before - engine.stats().versionCount).toBeLessThan(5000);
      verifyIntegrity(engine);
    }
    expect(engine.stats().versionCount).toBe(1);
  });

  it('finds a version among a hundred thousand of one key', () => {
    const engine = new MemoryEngine();
    const count = 100_000;
    for (let revision = 1; revision <= count; revision++)
      engine.apply(put('counter', revision, `${revision}`, { version: revision }));
    const revisions = Array.from({ length: 1000 }, (_, index) => 1 + ((index * 7919) % count));
    for (const revision of revisions) expect(engine.read(bytes('counter'), revision)?.version).toBe(revision);
    engine.compact(count / 2);
    drain(engine);
    for (const revision of revisions) {
      if (revision >= count / 2) expect(engine.read(bytes('counter'), revision)?.version).toBe(revision);
    }
    expect(engine.stats().versionCount).toBe(count / 2 + 1);
  });

  it.each([85_000, 90_000, 120_000])(
    'comes to an end with values of %i bytes among small ones',
    (bytesOfBig) => {
      for (const isThorough of [true, false]) {
        const engine = new MemoryEngine();
        const count = 20_000;
        let revision = 0;
        for (let number = 0; number < count; number++) engine.apply(put(keyOf(number), ++revision, SMALL));
        for (let number = 0; number < 10; number++)
          engine.apply(put(`big ${number}`, ++revision, 'v'.repeat(bytesOfBig)));
        for (let number = 0; number < count / 2; number++)
          engine.apply(put(keyOf((number * 7919) % count), ++revision, SMALL));
        engine.compact(revision);
        let steps = 0;
        while (engine.maintain(isThorough)) expect(++steps).toBeLessThan(1000);
        verifyIntegrity(engine);
        expect(engine.memoryBytes).toBeLessThan(1.5 * engine.stats().dataBytes + 2 * MB);
      }
    },
  );

  it.each([
    [65_000, 40, 0],
    [40_000, 60, 0],
    [30_000, 40, 4000],
  ])('comes to an end with keys of %i bytes, %i of them, values of %i', (keyBytes, count, valueBytes) => {
    const engine = new MemoryEngine();
    for (let number = 0; number < count; number++)
      engine.apply(put(keyOf(number).padEnd(keyBytes, 'k'), number + 1, 'v'.repeat(valueBytes)));
    engine.compact(count);
    for (let steps = 0; engine.maintain(true); steps++) expect(steps).toBeLessThan(200);
    verifyIntegrity(engine);
  });

  it('stays near that of the newest versions when all values are replaced again and again', () => {
    const engine = new MemoryEngine();
    const keyCount = 10_000;
    const write = (revision: number) => {
      const value = 'v'.repeat((revision * 7919) % 1000);
      engine.apply(put(keyOf((revision * 31) % keyCount), revision, value));
    };
    let revision = 0;
    while (revision < keyCount) write(++revision);
    const fresh = engine.memoryBytes;
    while (revision < 20 * keyCount) {
      write(++revision);
      if (revision % 100 !== 0) continue;
      engine.compact(revision);
      drain(engine);
    }
    expect(engine.memoryBytes).toBeLessThan(fresh * 1.35 + 1 * MB);
    verifyIntegrity(engine);
  });

  it('is given back when a value with a buffer of its own goes', () => {
    const engine = new MemoryEngine();
    const empty = engine.memoryBytes;
    engine.apply({ ...put('large', 1), value: new Uint8Array(20 * MB) });
    expect(engine.memoryBytes).toBeGreaterThan(20 * MB);
    engine.apply(deletion('large', 2));
    engine.compact(2);
    drain(engine);
    expect(engine.memoryBytes).toBeLessThan(empty + 2 * MB);
    verifyIntegrity(engine);
  });

  it('keeps few bytes for a short key, though the tables of the map left holes as they grew', () => {
    const engine = new MemoryEngine();
    const count = 100_000;
    for (let number = 0; number < count; number++) {
      engine.apply(put(keyOf(number), number + 1));
      engine.maintain();
    }
    while (engine.maintain(true));
    verifyIntegrity(engine);
    // 32 for the block, 10 to 13 in the map, 14 in the order of keys.
    expect(engine.memoryBytes / count).toBeLessThan(60);
  });

  it('takes fewer nodes for keys that come in order', () => {
    const [ascending, descending] = [0, 1].map((isDescending) => {
      const engine = new MemoryEngine();
      const count = 50_000;
      for (let number = 0; number < count; number++)
        engine.apply(put(keyOf(isDescending ? count - number : number), number + 1));
      return engine.memoryBytes;
    }) as [number, number];
    // The nodes of the others are half full, and take 28 bytes for a key, not 14.
    expect(ascending).toBeLessThan(descending - 500_000);
  });

  it.each([2, 4])('keeps the ordered index sound when row %i of five full ones goes', (deletedRow) => {
    const engine = new MemoryEngine();
    let revision = 0;
    // Ascending keys make full leaves; one key in between in each row of them makes the nodes above full too.
    const rowKeys = 62 * 40;
    for (let number = 0; number < 5 * rowKeys; number++) engine.apply(put(keyOf(2 * number), ++revision));
    for (let row = 0; row < 5; row++) engine.apply(put(keyOf(2 * (row * rowKeys + 100) + 1), ++revision));
    verifyIntegrity(engine);
    const isDeleted = (number: number) => Math.floor((number - 10) / rowKeys) === deletedRow;
    for (let number = 0; number < 5 * rowKeys; number++) {
      if (isDeleted(number)) engine.apply(deletion(keyOf(2 * number), ++revision));
      engine.compact(revision);
      engine.maintain();
      if (number % 500 === 0) verifyIntegrity(engine);
    }
    drain(engine);
    verifyIntegrity(engine);
    const expected = Array.from({ length: 5 * rowKeys }, (_, number) => number)
      .filter((number) => !isDeleted(number))
      .map((number) => keyOf(2 * number));
    expect(keysOf(engine).filter((key) => Number(key) % 2 === 0)).toEqual(expected);
  });
});

/** How often the engine is asked for work until there is none. */
function drainedSteps(engine: Engine): number {
  let steps = 1;
  while (engine.maintain()) steps++;
  return steps;
}

function keyOf(number: number): string {
  return `${number}`.padStart(12, '0');
}

function keysOf(engine: Engine): string[] {
  const keys: string[] = [];
  const options = { reverse: false, budget: new WorkBudget(Infinity) };
  engine.scan({ start: bytes(''), end: undefined }, Number.MAX_SAFE_INTEGER, options, ({ key }) => {
    keys.push(Buffer.from(key).toString('latin1'));
    return true;
  });
  return keys;
}
