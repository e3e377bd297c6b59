/** What views of every base do alike: each is one durable state, whatever becomes of the base meanwhile. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Base, BaseView } from '../../../src/engine/layered/base/base.ts';
import { deletionOf, placeChange, type Change } from '../../../src/engine/version.ts';
import { SeededRandom } from '../../support/random.ts';
import type { OpenBase } from './base-contract.ts';
import { BaseModel, toldOf } from './base-model.ts';

/** A view that is read bit by bit, and what it must show. */
interface Expected {
  readonly view: BaseView;
  readonly revision: number;
  readonly notes: Uint8Array;
  readonly changes: readonly Change[];
  readonly told: unknown[];
}

export function testViews(name: string, open: OpenBase): void {
  let placeCount = 0;
  const bases: Base[] = [];

  async function opened(): Promise<Base> {
    const base = await open(`view-${++placeCount}`);
    bases.push(base);
    return base;
  }

  describe(`a view of the base ${name}`, () => {
    afterEach(async () => {
      for (const base of bases.splice(0)) await base.close();
    });

    it('of an empty base has nothing', async () => {
      const view = await viewOf(await opened());
      expect(view.revision).toBe(0);
      expect(view.notes).toEqual(new Uint8Array(0));
      expect(await readAll(view)).toEqual([]);
      await view.close();
    });

    it('stays what it is past flushes, merges, deletions and what is hidden', async () => {
      const base = await opened();
      await commit(base, 1, [put('a', 1), put('b', 1), put('c', 1)], new Uint8Array([1]));
      await commit(base, 2, [put('a', 2), deletionOf(key('b'), 2), put('d', 2)], new Uint8Array([2]));
      base.hide({ start: key('c'), end: key('d') });
      const view = await viewOf(base);
      const flush = await base.begin(3);
      flush.forget({ start: key('c'), end: key('d') });
      for (const change of [put('a', 3), put('aa', 3), deletionOf(key('d'), 3)])
        flush.add(placeChange(change));
      await flush.commit(new Uint8Array([3]));
      await base.compactStorage();
      const newer = await viewOf(base);
      await commit(base, 4, [put('a', 4), put('z', 4)], new Uint8Array([4]));
      await base.compactStorage();
      expect(view.revision).toBe(2);
      expect(view.notes).toEqual(new Uint8Array([2]));
      // What was hidden alone is there, as it would be behind a crash.
      expect(await readAll(view)).toEqual([put('a', 2), put('c', 1), put('d', 2)].map(toldOf));
      await view.close();
      expect(newer.revision).toBe(3);
      expect(await readAll(newer)).toEqual([put('a', 3), put('aa', 3)].map(toldOf));
      await newer.close();
    });

    it('has nothing more behind its end, and nothing at all once it is closed', async () => {
      const base = await opened();
      await commit(base, 1, [put('a', 1)]);
      const view = await viewOf(base);
      expect(await readAll(view)).toHaveLength(1);
      expect(view.next()).toBeUndefined();
      expect(await view.read()).toBe(false);
      await view.close();
      await view.close();
      expect(() => view.next()).toThrow(expect.objectContaining({ code: 'closed' }));
      await expect(view.read()).rejects.toMatchObject({ code: 'closed' });
    });

    it('is closed with its base, also while it reads, and there is none any more then', async () => {
      const base = await opened();
      await commit(base, 1, [put('a', 1)]);
      const view = await viewOf(base);
      const other = await viewOf(base);
      const reading = view.read().catch(() => false);
      bases.pop();
      await base.close();
      await reading;
      await expect(view.read()).rejects.toMatchObject({ code: 'closed' });
      expect(() => other.next()).toThrow(expect.objectContaining({ code: 'closed' }));
      await expect(base.view()).rejects.toBeInstanceOf(Error);
    });

    it('counts in the memory of the base while it is open', async () => {
      const base = await opened();
      await commit(base, 1, [put('a', 1)]);
      const before = base.memoryBytes;
      const view = await viewOf(base);
      expect(base.memoryBytes).toBeGreaterThan(before);
      await view.close();
      expect(base.memoryBytes).toBe(before);
    });

    it.each([1, 2, 3, 4])('is one state of a sorted map, read at any pace (seed %i)', async (seed) => {
      const random = new SeededRandom(seed);
      const base = await opened();
      const model = new BaseModel();
      const views: Expected[] = [];
      for (let step = 0; step < 60; step++) {
        const when = `seed ${seed}, step ${step}`;
        const action = random.below(10);
        if (action < 4) await flushSome(base, model, random);
        else if (action === 4) base.hide(model.hideSome(random));
        else if (action === 5) await base.compactStorage();
        else if (action === 6 && views.length < 3) views.push(await expectedOf(base, model));
        for (const expected of views.slice()) {
          const isAtEnd = await readSome(expected, random.pick([0, 1, 40, 400]));
          if (!isAtEnd && !random.chance(0.03)) continue;
          check(expected, isAtEnd, when);
          views.splice(views.indexOf(expected), 1);
          await expected.view.close();
        }
      }
      for (const expected of views) check(expected, await readSome(expected, Infinity), `seed ${seed}`);
    });
  });
}

async function flushSome(base: Base, model: BaseModel, random: SeededRandom): Promise<void> {
  const { revision, changes, forgotten } = model.nextFlush(random);
  const notes = random.bytes(random.below(50));
  const flush = await base.begin(revision);
  for (const range of forgotten) flush.forget(range);
  for (const change of changes) {
    flush.add(placeChange(change));
    if (flush.isFull) await flush.drain();
  }
  if (random.chance(0.1)) {
    await flush.abort();
    model.giveUp(forgotten);
    return;
  }
  await flush.commit(notes);
  model.commit(revision, notes, changes, forgotten);
}

async function expectedOf(base: Base, model: BaseModel): Promise<Expected> {
  const { revision, notes } = model;
  return { view: await viewOf(base), revision, notes, changes: model.kept(), told: [] };
}

/** @returns whether it is at its end. */
async function readSome({ view, told }: Expected, count: number): Promise<boolean> {
  for (let left = count; left > 0;) {
    const version = view.next();
    if (version !== undefined) {
      told.push(toldOf(version));
      left--;
    } else if (!(await view.read())) return true;
  }
  return false;
}

function check({ view, revision, notes, changes, told }: Expected, isAtEnd: boolean, when: string): void {
  expect(view.revision, when).toBe(revision);
  expect(Buffer.from(view.notes).toString('hex'), when).toBe(Buffer.from(notes).toString('hex'));
  const shown = isAtEnd ? changes : changes.slice(0, told.length);
  expect(told, when).toEqual(shown.map(toldOf));
}

async function viewOf(base: Base): Promise<BaseView> {
  const view = await base.view();
  if (view === undefined) throw new Error('there is no view');
  return view;
}

async function readAll(view: BaseView): Promise<unknown[]> {
  const told: unknown[] = [];
  do {
    for (let version = view.next(); version !== undefined; version = view.next()) told.push(toldOf(version));
  } while (await view.read());
  return told;
}

async function commit(
  base: Base,
  revision: number,
  changes: readonly Change[],
  notes = new Uint8Array(0),
): Promise<void> {
  const flush = await base.begin(revision);
  for (const change of changes) flush.add(placeChange(change));
  await flush.commit(notes);
}

function key(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function put(text: string, revision: number): Change {
  return {
    ...deletionOf(key(text), revision),
    deleted: false,
    value: key(`value of ${text} at ${revision}`),
    createRevision: 1,
    modRevision: revision,
    version: 1,
  };
}
