/**
 * What every base does alike (`src/engine/layered/base/base.ts`): a suite that runs over each of them, against a model that is a sorted map.
 *
 * `open` opens the base of a directory of its own for each `place`, empty at first; opened again, it finds what was committed.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineRange } from '../../../src/engine/engine.ts';
import type { Base, BaseFlush } from '../../../src/engine/layered/base/base.ts';
import { deletionOf, PlacedChange, placeChange } from '../../../src/engine/version.ts';
import type { Change } from '../../../src/engine/version.ts';
import { SeededRandom } from '../../support/random.ts';
import { BaseModel, toldOf } from './base-model.ts';
import { testViews } from './view-contract.ts';

/** Opens a base at a place; the one that was opened there before is closed. */
export type OpenBase = (place: string) => Promise<Base>;

const ALL: EngineRange = { start: new Uint8Array(0), end: undefined };
const NOTES = new Uint8Array([1, 2, 3]);

export function testBase(name: string, open: OpenBase): void {
  let placeCount = 0;
  const bases: Base[] = [];

  async function opened(place: string): Promise<Base> {
    const base = await open(place);
    bases.push(base);
    return base;
  }

  async function closed(base: Base): Promise<void> {
    bases.splice(bases.indexOf(base), 1);
    await base.close();
  }

  function newPlace(): string {
    return `place-${++placeCount}`;
  }

  testViews(name, open);

  describe(`the base ${name}`, () => {
    afterEach(async () => {
      for (const base of bases.splice(0)) await base.close();
    });

    it('is empty at first', async () => {
      const base = await opened(newPlace());
      expect(base.revision).toBe(0);
      expect(base.notes).toEqual(new Uint8Array(0));
      expect(keysOf(base, ALL, false)).toEqual([]);
      expect(keysOf(base, ALL, true)).toEqual([]);
      expect(base.find(key('a'), new PlacedChange(), true)).toBe(false);
      expect(base.mayHave(key('a'))).toBe(false);
      expect([...base.leasedKeys()]).toEqual([]);
      expect(base.deadlines(undefined).next()).toBeUndefined();
    });

    it('shows nothing of a flush before its commit, and all of it behind', async () => {
      const base = await opened(newPlace());
      const flush = await base.begin(5);
      await add(flush, [put('a', 3), put('b', 5)]);
      expect(keysOf(base, ALL, false)).toEqual([]);
      await flush.commit(NOTES);
      expect(base.revision).toBe(5);
      expect(base.notes).toEqual(NOTES);
      expect(keysOf(base, ALL, false)).toEqual(['a', 'b']);
      expect(found(base, 'b')).toEqual(toldOf(put('b', 5)));
      expect(base.mayHave(key('a'))).toBe(true);
    });

    it('keeps nothing of a flush that was given up', async () => {
      const place = newPlace();
      const base = await opened(place);
      await commit(base, 1, [put('a', 1)]);
      const flush = await base.begin(5);
      await add(flush, [put('a', 3), put('b', 5)]);
      await flush.abort();
      expect(keysOf(base, ALL, false)).toEqual(['a']);
      await commit(base, 6, [put('c', 6)]);
      await closed(base);
      const again = await opened(place);
      expect(again.revision).toBe(6);
      expect(keysOf(again, ALL, false)).toEqual(['a', 'c']);
      expect(found(again, 'a')).toEqual(toldOf(put('a', 1)));
    });

    it('takes a revision and notes without any change', async () => {
      const place = newPlace();
      const base = await opened(place);
      await commit(base, 1, [put('a', 1)]);
      await (await base.begin(9)).commit(new Uint8Array([9]));
      await closed(base);
      const again = await opened(place);
      expect(again.revision).toBe(9);
      expect(again.notes).toEqual(new Uint8Array([9]));
      expect(keysOf(again, ALL, false)).toEqual(['a']);
    });

    it('takes the changes of its revision once more, for a commit that failed behind its end', async () => {
      const place = newPlace();
      let base = await opened(place);
      await commit(base, 1, [put('a', 1), put('b', 1), put('gone', 1)]);
      const changes = [put('a', 3), put('c', 5), deletionOf(key('gone'), 4)];
      for (let round = 0; round < 3; round++) await commit(base, 5, changes);
      const expectWhole = (): void => {
        expect(base.revision).toBe(5);
        expect(keysOf(base, ALL, false)).toEqual(['a', 'b', 'c']);
        expect(found(base, 'a')).toEqual(toldOf(put('a', 3)));
      };
      expectWhole();
      await base.compactStorage();
      expectWhole();
      await closed(base);
      base = await opened(place);
      expectWhole();
      await commit(base, 6, [put('a', 6)]);
      expect(found(base, 'a')).toEqual(toldOf(put('a', 6)));
      await expect(base.begin(5)).rejects.toThrow(/no lower revision/);
    });

    it('copies what it is given', async () => {
      const base = await opened(newPlace());
      const notes = new Uint8Array([7]);
      const flush = await base.begin(1);
      const change = placeChange(put('key', 1));
      flush.add(change);
      change.keyMemory.bytes.fill(0);
      const committed = flush.commit(notes);
      await committed;
      notes.fill(0);
      expect(keysOf(base, ALL, false)).toEqual(['key']);
      expect(base.notes).toEqual(new Uint8Array([7]));
    });

    it('leaves what it was to fill as it was when a key is not there', async () => {
      const base = await opened(newPlace());
      await commit(base, 1, [put('a', 1), put('b', 1)]);
      await commit(base, 2, [deletionOf(key('b'), 2)]);
      const placed = placeChange(put('x', 77));
      expect(base.find(key('aa'), placed, true)).toBe(false);
      expect(base.find(key('b'), placed, true)).toBe(false);
      expect(toldOf(placed)).toEqual(toldOf(put('x', 77)));
    });

    it('tells the length of a value that it does not read', async () => {
      const base = await opened(newPlace());
      const values = [0, 1, 100, 5000, 20_000, 300_000].map((length) => new Uint8Array(length).fill(1));
      await commit(
        base,
        1,
        values.map((value, index) => ({ ...put(`k${index}`, 1), value })),
      );
      const placed = new PlacedChange();
      for (const [index, value] of values.entries()) {
        expect(base.find(key(`k${index}`), placed, false)).toBe(true);
        expect(placed.valueEnd - placed.valueStart).toBe(value.length);
        expect(base.find(key(`k${index}`), placed, true)).toBe(true);
        expect(Buffer.compare(placed.value, value)).toBe(0);
      }
      const cursor = base.cursor(ALL, false, false);
      for (const value of values) {
        expect(cursor.next(placed)).toBe(true);
        expect(placed.valueEnd - placed.valueStart).toBe(value.length);
      }
      expect(cursor.next(placed)).toBe(false);
    });

    it('takes a flush whose keys begin anew', async () => {
      const place = newPlace();
      const base = await opened(place);
      const flush = await base.begin(3);
      await add(flush, [put('b', 1), put('d', 1)]);
      await flush.beginRun();
      await add(flush, [put('a', 2), put('c', 2)]);
      await flush.beginRun();
      await flush.beginRun();
      await flush.commit(NOTES);
      expect(keysOf(base, ALL, false)).toEqual(['a', 'b', 'c', 'd']);
      await closed(base);
      expect(keysOf(await opened(place), ALL, true)).toEqual(['d', 'c', 'b', 'a']);
    });

    it('hides ranges at once, and forgets them beyond a restart with the flush that says so', async () => {
      const place = newPlace();
      const base = await opened(place);
      await commit(base, 1, [put('a', 1), put('b', 1), put('c', 1)]);
      base.hide({ start: key('b'), end: key('c') });
      expect(keysOf(base, ALL, false)).toEqual(['a', 'c']);
      expect(base.find(key('b'), new PlacedChange(), true)).toBe(false);
      const flush = await base.begin(2);
      flush.forget({ start: key('b'), end: key('c') });
      await flush.commit(NOTES);
      expect(keysOf(base, ALL, false)).toEqual(['a', 'c']);
      await base.compactStorage();
      expect(keysOf(base, ALL, true)).toEqual(['c', 'a']);
      await closed(base);
      const again = await opened(place);
      expect(keysOf(again, ALL, false)).toEqual(['a', 'c']);
      await again.compactStorage();
      expect(keysOf(again, ALL, false)).toEqual(['a', 'c']);
    });

    it('has what was only hidden again after a restart, merged or not', async () => {
      const place = newPlace();
      const base = await opened(place);
      await commit(base, 1, [put('a', 1), put('b', 1), put('b2', 1), put('c', 1)]);
      await commit(base, 2, [put('b', 2), put('d', 2)]);
      base.hide({ start: key('b'), end: key('c') });
      await base.compactStorage();
      expect(keysOf(base, ALL, false)).toEqual(['a', 'c', 'd']);
      expect(base.find(key('b'), new PlacedChange(), true)).toBe(false);
      await commit(base, 3, [put('e', 3)]);
      await base.compactStorage();
      expect(keysOf(base, ALL, true)).toEqual(['e', 'd', 'c', 'a']);
      await closed(base);
      const again = await opened(place);
      expect(keysOf(again, ALL, false)).toEqual(['a', 'b', 'b2', 'c', 'd', 'e']);
      again.hide({ start: key('b'), end: key('c') });
      const flush = await again.begin(4);
      flush.forget({ start: key('b'), end: key('c') });
      await flush.commit(NOTES);
      await again.compactStorage();
      await closed(again);
      expect(keysOf(await opened(place), ALL, false)).toEqual(['a', 'c', 'd', 'e']);
    });

    it('keeps a key that a flush adds though it forgets its range', async () => {
      const place = newPlace();
      const base = await opened(place);
      await commit(base, 1, [put('a', 1), put('b', 1), put('c', 1)]);
      base.hide({ start: key('a'), end: key('c') });
      const flush = await base.begin(2);
      flush.forget({ start: key('a'), end: key('c') });
      await add(flush, [put('b', 2)]);
      await flush.commit(NOTES);
      expect(keysOf(base, ALL, false)).toEqual(['b', 'c']);
      await closed(base);
      const again = await opened(place);
      expect(keysOf(again, ALL, false)).toEqual(['b', 'c']);
      await again.compactStorage();
      expect(keysOf(again, ALL, true)).toEqual(['c', 'b']);
    });

    it('keeps it also when that flush comes once more, for a commit that failed behind its end', async () => {
      const place = newPlace();
      let base = await opened(place);
      await commit(base, 1, [put('a', 1), put('b', 1), put('b2', 1), put('c', 1)]);
      base.hide({ start: key('b'), end: key('c') });
      const expectWhole = async (): Promise<void> => {
        expect(keysOf(base, ALL, false)).toEqual(['a', 'b', 'c']);
        expect(found(base, 'b')).toEqual(toldOf(put('b', 2)));
        const view = await base.view();
        const keys: string[] = [];
        do {
          for (let next = view?.next(); next !== undefined; next = view?.next())
            keys.push(Buffer.from(next.key).toString());
        } while (await view?.read());
        await view?.close();
        if (view !== undefined) expect(keys).toEqual(['a', 'b', 'c']);
      };
      for (let round = 0; round < 3; round++) {
        const flush = await base.begin(2);
        flush.forget({ start: key('b'), end: key('c') });
        await add(flush, [put('b', 2)]);
        await flush.commit(NOTES);
        await expectWhole();
      }
      await closed(base);
      base = await opened(place);
      await expectWhole();
      await base.compactStorage();
      await expectWhole();
    });

    it('tells what it keeps', async () => {
      const base = await opened(newPlace());
      await commit(
        base,
        1,
        Array.from({ length: 1000 }, (_, index) => put(`key-${String(index).padStart(5, '0')}`, 1)),
      );
      const figures = base.figures();
      expect(figures.diskBytes).toBeGreaterThan(0);
      expect(figures.flushedBytes).toBeGreaterThan(0);
      expect(figures.runs.length).toBe(1);
      expect(base.memoryBytes).toBeGreaterThan(0);
      found(base, 'key-00500');
      expect(Number.isInteger(base.readCount)).toBe(true);
    });

    it.each([1, 2, 3, 4])('is like a sorted map (seed %i)', async (seed) => {
      const random = new SeededRandom(seed);
      const place = newPlace();
      let base = await opened(place);
      const model = new BaseModel();
      for (let step = 0; step < 40; step++) {
        const action = random.below(10);
        if (action < 6) {
          const { revision, changes, forgotten } = model.nextFlush(random);
          const notes = random.bytes(random.below(50));
          const flush = await base.begin(revision);
          for (const range of forgotten) flush.forget(range);
          if (random.chance(0.2)) {
            const half = Math.floor(changes.length / 2);
            await add(flush, changes.slice(half));
            await flush.beginRun();
            await add(flush, changes.slice(0, half));
          } else await add(flush, changes);
          if (random.chance(0.15)) {
            await flush.abort();
            model.giveUp(forgotten);
          } else {
            await flush.commit(notes);
            model.commit(revision, notes, changes, forgotten);
          }
        } else if (action === 6) base.hide(model.hideSome(random));
        else if (action === 7) await base.compactStorage();
        else if (action === 8) {
          await closed(base);
          base = await opened(place);
          for (const range of model.pendingHides) base.hide(range);
        }
        checkAll(base, model, random, `seed ${seed}, step ${step}`);
      }
    });
  });
}

function checkAll(base: Base, model: BaseModel, random: SeededRandom, when: string): void {
  expect(base.revision, when).toBe(model.revision);
  expect(Buffer.from(base.notes).toString('hex'), when).toBe(Buffer.from(model.notes).toString('hex'));
  const placed = new PlacedChange();
  for (let round = 0; round < 20; round++) {
    const wanted = model.someKey(random);
    const expected = model.get(wanted);
    expect(base.find(wanted, placed, true), when).toBe(expected !== undefined);
    if (expected === undefined) continue;
    expect(toldOf(placed), when).toEqual(toldOf(expected));
    expect(base.mayHave(wanted), when).toBe(true);
  }
  for (let round = 0; round < 4; round++) {
    const range = round < 2 ? ALL : model.someRange(random);
    const reverse = round % 2 === 1;
    const cursor = base.cursor(range, reverse, true);
    const told: unknown[] = [];
    while (cursor.next(placed)) if (!placed.deleted) told.push(toldOf(placed));
    cursor.close();
    expect(told, when).toEqual(model.inRange(range, reverse).map(toldOf));
  }
  const leased = [...base.leasedKeys()].map(
    ([leaseId, leasedKey]) => `${Buffer.from(leasedKey).toString('hex')} ${leaseId}`,
  );
  expect(leased.sort(), when).toEqual(model.leased());
  const places = model.places();
  const from = random.below(places.length + 1);
  const after = from === 0 ? undefined : places[from - 1];
  const deadlines = base.deadlines(after);
  const told: string[] = [];
  for (let next = deadlines.next(); next !== undefined; next = deadlines.next())
    told.push(`${next.deadlineMs} ${Buffer.from(next.key).toString('hex')}`);
  deadlines.close();
  expect(told, when).toEqual(
    places.slice(from).map((place) => `${place.deadlineMs} ${Buffer.from(place.key).toString('hex')}`),
  );
}

async function commit(base: Base, revision: number, changes: readonly Change[]): Promise<void> {
  const flush = await base.begin(revision);
  await add(flush, changes);
  await flush.commit(NOTES);
}

async function add(flush: BaseFlush, changes: readonly Change[]): Promise<void> {
  for (const change of changes) {
    flush.add(placeChange(change));
    if (flush.isFull) await flush.drain();
  }
}

function key(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function put(text: string, revision: number): Change {
  return {
    ...deletionOf(key(text), revision),
    deleted: false,
    value: key(`value of ${text}`),
    createRevision: 1,
    modRevision: revision,
    version: 1,
  };
}

function found(base: Base, text: string): Record<string, unknown> | undefined {
  const placed = new PlacedChange();
  return base.find(key(text), placed, true) ? toldOf(placed) : undefined;
}

function keysOf(base: Base, range: EngineRange, reverse: boolean): string[] {
  const placed = new PlacedChange();
  const cursor = base.cursor(range, reverse, true);
  const keys: string[] = [];
  while (cursor.next(placed)) if (!placed.deleted) keys.push(new TextDecoder().decode(placed.key));
  cursor.close();
  return keys;
}
