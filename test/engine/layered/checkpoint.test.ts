/** Checkpoints of a layered engine: what goes down, what a failure leaves, what a start finds; and loads. */
import { describe, expect, it } from 'vitest';
import { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import { REFUSED_LOAD } from '../../../src/engine/engine.ts';
import { PutRow } from '../../../src/engine/put-row.ts';
import { placeChange } from '../../../src/engine/version.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { bytes, deletion, put } from '../contract/changes.ts';
import { ALL_KEYS, NEWEST, asText, scanKeys, textOf } from '../contract/forms.ts';
import { verifyIntegrity } from '../memory/integrity.ts';
import { MapBase } from './map-base.ts';

const NOTES = bytes('of the store');

function engineOver(base: MapBase, loadBytesMax = 1 << 20): LayeredEngine {
  return new LayeredEngine(base, { clock: new ManualClock(), loadBytesMax });
}

/** Seals and commits at a revision below which nothing is read. */
async function checkpoint(engine: LayeredEngine, revision: number): Promise<void> {
  engine.durable.seal(revision);
  engine.compact(revision);
  await engine.durable.commit(NOTES);
}

function keysOf(engine: LayeredEngine): string {
  return scanKeys(engine, {})
    .map(([key]) => key)
    .join(' ');
}

/** What can be asked for of the newest state. */
function stateOf(engine: LayeredEngine) {
  const count = engine.count(ALL_KEYS);
  return {
    entries: scanKeys(engine, {}),
    count,
    keys: Array.from({ length: count }, (_, index) => asText(engine.select(ALL_KEYS, index))),
    due: engine.due(NEWEST, NEWEST).map(asText),
    sums: engine.deadlineSums(0),
    keyCount: engine.stats().keyCount,
  };
}

/** Puts and deletes some of a thousand keys. */
function change(engine: LayeredEngine, random: SeededRandom, from: number, to: number): void {
  for (let revision = from; revision <= to; revision++) {
    const key = `k${random.below(1000)}`;
    if (random.chance(0.3)) engine.apply(deletion(key, revision));
    else engine.apply(put(key, revision, `${revision}`, { expireTimeMs: random.below(3) * revision }));
  }
}

describe('a row of puts', () => {
  it('ends before a key that can not be read, with nothing half done', async () => {
    const base = new MapBase();
    const engine = engineOver(base);
    for (let revision = 1; revision <= 4; revision++) engine.apply(put(`k${revision}`, revision));
    await checkpoint(engine, 4);
    base.damaged.add('k3');
    for (const kind of [0, 1]) {
      const row = new PutRow();
      row.kind = kind;
      row.firstRevision = 5 + 2 * kind;
      for (const key of ['k1', 'k2', 'k3', 'k4']) row.add(bytes(key), bytes('new'));
      expect(engine.putAll(row)).toBe(2);
    }
    expect(() => engine.read(bytes('k3'), NEWEST)).toThrow('does not fit');
    base.damaged.clear();
    const revisions = scanKeys(engine, {}).map(([key, version]) => `${key} ${version?.revision}`);
    expect(revisions).toEqual(['k1 7', 'k2 8', 'k3 3', 'k4 4']);
  });
});

describe('a checkpoint', () => {
  it('brings the newest versions down, and gives the memory of a generation back', async () => {
    const base = new MapBase();
    const engine = engineOver(base);
    change(engine, new SeededRandom(7), 1, 3000);
    const before = stateOf(engine);
    const { unsealedBytes } = engine.durable;
    engine.durable.seal(3000);
    expect([engine.durable.sealedRevision, engine.durable.sealedBytes]).toEqual([3000, unsealedBytes]);
    engine.compact(3000);
    await engine.durable.commit(NOTES);
    expect(engine.durable.sealedBytes).toBe(0);
    expect(engine.durable.unsealedBytes).toBeLessThan(unsealedBytes / 4);
    expect(engine.durable.revision).toBe(3000);
    expect(stateOf(engine)).toEqual(before);
    expect(engine.stats()).toEqual({
      keyCount: base.size,
      versionCount: base.size,
      dataBytes: engine.newestState.dataBytes,
    });
    verifyIntegrity(engine);
  });

  it('brings down a key that was looked for last and not found there', async () => {
    const engine = engineOver(new MapBase());
    engine.apply(put('a', 1));
    await checkpoint(engine, 1);
    expect(engine.readMeta(bytes('a'), 1)?.revision).toBe(1);
  });

  it('is what a start goes on with, and the log above it', async () => {
    const base = new MapBase();
    const engine = engineOver(base);
    const random = new SeededRandom(8);
    change(engine, random, 1, 3000);
    await checkpoint(engine, 3000);
    const atCheckpoint = stateOf(engine);
    const again = await engineOver(base.reopened()).open();
    expect(asText(again.durable.notes)).toBe('of the store');
    expect(stateOf(again)).toEqual(atCheckpoint);
    verifyIntegrity(again);
    expect(again.loader.next(placeChange(put('k1', 3000)))).toBe(REFUSED_LOAD);
    change(engine, new SeededRandom(9), 3001, 4000);
    change(again, new SeededRandom(9), 3001, 4000);
    expect(stateOf(again)).toEqual(stateOf(engine));
    verifyIntegrity(again);
  });

  it('goes on while keys change, and keeps their changes', async () => {
    const base = new MapBase();
    base.fullAfter = 3;
    const engine = engineOver(base);
    for (let revision = 1; revision <= 100; revision++) engine.apply(put(`k${revision}`, revision));
    engine.durable.seal(100);
    engine.compact(100);
    const committed = engine.durable.commit(NOTES);
    await new Promise(setImmediate);
    expect(base.revision).toBe(0);
    engine.apply(deletion('k50', 101));
    engine.apply(put('k7', 102, 'new'));
    await committed;
    expect(base.revision).toBe(100);
    expect(base.size).toBe(100);
    expect(engine.read(bytes('k50'), 102)).toBeUndefined();
    expect(engine.read(bytes('k50'), 100)?.revision).toBe(50);
    expect(textOf(engine.read(bytes('k7'), 102))).toBe('new');
    expect(engine.count(ALL_KEYS)).toBe(99);
    verifyIntegrity(engine);
  });

  it.each(['begin', 'add', 'drain', 'commit'] as const)(
    'that fails at %s leaves all as it was, and can be tried again',
    async (step) => {
      const base = new MapBase();
      base.fullAfter = 10;
      const engine = engineOver(base);
      change(engine, new SeededRandom(3), 1, 500);
      const before = stateOf(engine);
      base.failsAt = step;
      await expect(checkpoint(engine, 500)).rejects.toThrow('the disk is full');
      expect([engine.durable.revision, engine.durable.sealedRevision]).toEqual([0, 500]);
      expect(stateOf(engine)).toEqual(before);
      engine.apply(put('k1', 501, 'meanwhile'));
      const meanwhile = stateOf(engine);
      await engine.durable.commit(NOTES);
      expect(engine.durable.revision).toBe(500);
      expect(stateOf(engine)).toEqual(meanwhile);
      verifyIntegrity(engine);
    },
  );

  it('ends when the engine is closed, and stays in the log', async () => {
    const base = new MapBase();
    base.fullAfter = 3;
    const engine = engineOver(base);
    for (let revision = 1; revision <= 100; revision++) engine.apply(put(`k${revision}`, revision));
    engine.durable.seal(100);
    engine.compact(100);
    const committed = engine.durable.commit(NOTES);
    const failed = expect(committed).rejects.toMatchObject({ code: 'closed' });
    await new Promise(setImmediate);
    await engine.durable.close();
    await failed;
    expect([base.revision, base.isClosed]).toEqual([0, true]);
  });

  it.each([false, true])(
    'that is under way is not looked through for what was forgotten, in reverse: %s',
    (reverse) => {
      const engine = engineOver(new MapBase());
      for (const [index, key] of ['a', 'c', 'd', 'e'].entries()) engine.apply(put(key, index + 1));
      for (let index = 0; index < 2000; index++) {
        engine.apply(put(`b${index}`, 5 + 2 * index));
        engine.apply(put(`d${index}`, 6 + 2 * index));
      }
      engine.durable.seal(5000);
      engine.apply(put('b', 5001));
      engine.forget({ start: bytes('b'), end: bytes('c') }, 4000);
      engine.forget({ start: bytes('d'), end: bytes('e') }, 4000);
      engine.apply(put('f', 5002));
      const budget = new WorkBudget(20);
      const keys: string[] = [];
      const range = { start: bytes('a'), end: bytes('g') };
      engine.scan(range, NEWEST, { reverse, budget }, ({ key }) => keys.push(asText(key)) > 0);
      expect(keys).toEqual(reverse ? ['f', 'e', 'c', 'a'] : ['a', 'c', 'e', 'f']);
      for (const end of ['c', 'bx', 'd', 'dx']) {
        const part = { start: bytes('b1'), end: bytes(end) };
        expect(engine.count(part), end).toBe(end.startsWith('d') ? 1 : 0);
      }
      verifyIntegrity(engine);
    },
  );

  it('has what was forgotten before it go, and counts what was forgotten behind it until that comes again from the log', async () => {
    const base = new MapBase();
    const engine = engineOver(base);
    for (const [index, key] of ['a1', 'a2', 'b1', 'b2', 'c'].entries()) engine.apply(put(key, index + 1));
    await checkpoint(engine, 5);
    engine.apply(put('b3', 6));
    engine.forget({ start: bytes('a'), end: bytes('b') }, 9);
    expect(base.reopened().keys()).toEqual(['a1', 'a2', 'b1', 'b2', 'c']);
    engine.durable.seal(6);
    engine.compact(6);
    expect(engine.forget({ start: bytes('b'), end: bytes('c') }, 9)).toBe(3);
    expect(keysOf(engine)).toBe('c');
    await engine.durable.commit(NOTES);
    expect(keysOf(engine)).toBe('c');
    expect(engine.stats()).toEqual({ keyCount: 1, versionCount: 1, dataBytes: 1 });
    verifyIntegrity(engine);
    // A crash: what was only hidden is there again.
    const again = await engineOver(base.reopened()).open();
    expect(keysOf(again)).toBe('b1 b2 b3 c');
    verifyIntegrity(again);
    expect(again.forget({ start: bytes('b'), end: bytes('c') }, 9)).toBe(3);
    await checkpoint(again, 7);
    expect(base.reopened().keys()).toEqual(['b1', 'b2', 'b3', 'c']);
    verifyIntegrity(again);
  });
});

describe('damage on the disk', () => {
  it('goes to the caller, and leaves nothing half done', async () => {
    const base = new MapBase();
    const engine = engineOver(base);
    for (let number = 0; number < 300; number++) engine.apply(put(`k${number}`, number + 1, 'old'));
    await checkpoint(engine, 300);
    const before = stateOf(engine);
    base.damaged.add('k150');
    for (const ask of [
      () => engine.read(bytes('k150'), 300),
      () => engine.readPlaced(bytes('k150'), 300, () => undefined),
      () => engine.apply(put('k150', 301)),
      () => engine.apply(deletion('k150', 301)),
      () => scanKeys(engine, {}),
      () => engine.rank(ALL_KEYS, bytes('k151')),
      () => engine.forget(ALL_KEYS, 1000),
    ])
      expect(ask).toThrow(expect.objectContaining({ code: 'damaged' }));
    expect(engine.read(bytes('k149'), 300)?.revision).toBe(150);
    // A bucket that has it can't be cut, which is left for later.
    for (let number = 0; number < 200; number++) engine.apply(put(`k150 ${number}`, 301 + number));
    expect(engine.stats().keyCount).toBe(500);
    base.damaged.clear();
    for (let number = 0; number < 200; number++) engine.apply(deletion(`k150 ${number}`, 501 + number));
    expect(stateOf(engine)).toEqual(before);
    verifyIntegrity(engine);
  });
});

describe('a load', () => {
  it.each([1 << 26, 60_000])('fills a state with keys in any order, %i bytes at a time', async (bytesMax) => {
    const base = new MapBase();
    base.fullAfter = 100;
    const engine = engineOver(base, bytesMax);
    const load = engine.durable.load(50_000);
    const entries: [string, number][] = Array.from({ length: 1500 }, (_, index) => [
      `k${(index * 7919) % 1500}`,
      1 + ((index * 31) % 40_000),
    ]);
    let drains = 0;
    for (const [key, revision] of entries) {
      load.add(placeChange(put(key, revision, key, { leaseId: revision % 2, expireTimeMs: revision })));
      if (load.isFull) {
        drains++;
        await load.drain();
      }
    }
    load.add(placeChange(deletion('gone', 49_000)));
    await load.commit(NOTES);
    expect(drains > 0).toBe(bytesMax === 60_000);
    expect(keysOf(engine)).toBe(
      entries
        .map(([key]) => key)
        .sort()
        .join(' '),
    );
    expect(engine.durable.revision).toBe(50_000);
    verifyIntegrity(engine);
    expect([...engine.durable.leasedKeys()].length).toBe(
      entries.filter(([, revision]) => revision % 2 === 1).length,
    );
    // A start takes the census anew, until a checkpoint has kept it.
    const again = await engineOver(base.reopened()).open();
    expect(stateOf(again)).toEqual(stateOf(engine));
    verifyIntegrity(again);
    again.apply(put('next', 50_001));
    await checkpoint(again, 50_001);
    verifyIntegrity(again);
  });

  it('refuses a key that comes twice, and leaves an empty state', async () => {
    const base = new MapBase();
    const engine = engineOver(base);
    const load = engine.durable.load(9);
    for (const revision of [1, 2]) load.add(placeChange(put('a', revision)));
    await expect(load.commit(NOTES)).rejects.toMatchObject({ code: 'damaged' });
    await load.abort();
    expect([base.revision, base.size]).toEqual([0, 0]);
  });
});
