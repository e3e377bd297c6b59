/** Hashes against a model: packed, spread, and on the way from one to the other. */
import { describe, expect, it } from 'vitest';
import type { ReadView, View } from '../../../src/store/views/view.ts';
import {
  countElements,
  findElement,
  hasElement,
  visitElements,
} from '../../../src/types/collections/element-table.ts';
import { changeField, editHash, hashType, incrementField, readHash } from '../../../src/types/hash/hash.ts';
import { ALL, bytesOf, SeamHarness, textOf } from '../../store/seam/seam-harness.ts';
import { SeededRandom } from '../../support/random.ts';
import { KEPT_HISTORY } from '../../support/test-engine.ts';

type Model = ReadonlyMap<string, string>;

const KEYS = ['a', 'b', 'c'];

describe('random changes of hashes leave what the model has, at old revisions too', () => {
  it.each([1, 2, 3, 4])('seed %i', { timeout: 60_000 }, async (seed) => {
    const random = new SeededRandom(seed);
    const harness = await SeamHarness.open({ seed, limits: KEPT_HISTORY });
    const now = new Map<string, Map<string, string>>();
    const states: { revision: number; state: Map<string, Model> }[] = [];
    for (let round = 0; round < 150; round++) {
      harness.store.decide((view) => {
        for (let count = random.between(1, 3); count > 0; count--) change(view, random, now);
        for (const key of KEYS) expect(readAll(view, key)).toEqual(now.get(key));
      });
      await harness.durable();
      if (round % 10 === 0) {
        const state = new Map([...now].map(([key, fields]) => [key, new Map(fields)]));
        states.push({ revision: harness.store.visibleRevision, state });
      }
    }
    for (const { revision, state } of states) {
      harness.store.readAt({ revision, instantMs: 0 }, (view) => {
        for (const key of KEYS) expect(readAll(view, key), `revision ${revision}`).toEqual(state.get(key));
      });
    }
    await harness.reopen();
    harness.store.readVisible((view) => {
      for (const key of KEYS) expect(readAll(view, key)).toEqual(now.get(key));
    });
  });
});

function change(view: View, random: SeededRandom, now: Map<string, Map<string, string>>): void {
  const key = random.pick(KEYS);
  const fields = now.get(key) ?? new Map<string, string>();
  if (random.chance(0.03)) {
    view.delete(bytesOf(key));
    now.delete(key);
    return;
  }
  const edit = editHash(view, bytesOf(key));
  const isRemoving = random.chance(0.4);
  const wide = random.chance(0.5) ? 12 : 90;
  for (let count = random.chance(0.2) ? 40 : random.between(1, 4); count > 0; count--) {
    const field = random.chance(0.05) ? '' : `field-${random.below(wide)}`;
    const value = 'v'.repeat(random.chance(0.05) ? 600 : random.below(12));
    if (isRemoving) expect(edit.remove(bytesOf(field))).toBe(fields.delete(field));
    else {
      expect(edit.set(bytesOf(field), bytesOf(value))).toBe(!fields.has(field));
      fields.set(field, value);
    }
    const got = edit.get(bytesOf(field));
    expect(got && textOf(got)).toBe(fields.get(field));
  }
  expect(edit.count).toBe(fields.size);
  expect(edit.isEmpty).toBe(fields.size === 0);
  edit.save();
  if (fields.size === 0) now.delete(key);
  else now.set(key, fields);
}

function readAll(view: ReadView, key: string): Model | undefined {
  const version = readHash(view, bytesOf(key));
  if (version === undefined) return undefined;
  const fields = new Map<string, string>();
  let start: Uint8Array | undefined;
  do {
    let left = 7;
    start = visitElements(view, version, hashType, start, (name, value) => {
      expect(fields.has(textOf(name))).toBe(false);
      fields.set(textOf(name), textOf(value));
      return --left > 0;
    });
  } while (start !== undefined);
  expect(countElements(version, hashType)).toBe(fields.size);
  const [first] = fields;
  expect(first).toBeDefined();
  const [name = '', value = ''] = first ?? [];
  expect(hasElement(view, version, hashType, bytesOf(name))).toBe(true);
  expect(textOf(findElement(view, version, hashType, bytesOf(name)) ?? bytesOf('none'))).toBe(value);
  expect(findElement(view, version, hashType, bytesOf('none'))).toBeUndefined();
  return fields;
}

describe('where a hash lies', () => {
  it('packed: in its metadata, as long as it is short', async () => {
    const harness = await SeamHarness.open();
    set(harness, ['name', 'Ada', '', 'x']);
    expect(dump(harness)).toEqual(['68 kind 1: 00 04 6e616d65 03 416461 00 01 78'.replaceAll(' ', '')]);
  });

  it('spread: a key for each field, from 65 fields or 513 bytes on', async () => {
    const harness = await SeamHarness.open();
    const names = Array.from({ length: 64 }, (_, index) => [String.fromCharCode(48 + index), '']).flat();
    set(harness, names);
    expect(dump(harness)).toHaveLength(1);
    set(harness, ['~', '!']);
    const spread = dump(harness);
    expect(spread).toHaveLength(66);
    expect(spread[0]).toBe('68kind1of1:0141');
    expect(spread[1]).toBe('fa00000000000000016630kind0:');
    expect(spread.at(-1)).toBe('fa0000000000000001667ekind0:21');
    expect(
      removeAll(
        harness,
        names.filter((_, index) => index % 2 === 0),
      ),
    ).toBe(64);
    // What was spread stays so.
    expect(dump(harness)).toEqual(['68kind1of1:0101', 'fa0000000000000001667ekind0:21']);
    harness.store.decide((view) => view.delete(bytesOf('h')));
    set(harness, ['a', 'v'.repeat(507)]);
    expect(dump(harness)[0]).toMatch(/^68kind1:0001 ?61fb03/);
    set(harness, ['a', 'v'.repeat(508)]);
    expect(dump(harness)[0]).toBe('68kind1of2:0101');
  });
});

it('a hash keeps its time to live and its lease when it changes, spread or not', async () => {
  const harness = await SeamHarness.open();
  harness.store.decide((view) => {
    view.grantLease(7, 10_000);
    set(harness, ['a', '1'], view);
    const { value, kind } = view.read(bytesOf('h')) ?? { value: bytesOf(''), kind: 0 };
    view.put(bytesOf('h'), value, { kind, ttlMs: 5000, leaseId: 7 });
  });
  for (const value of ['2', 'v'.repeat(600), '3']) {
    harness.clock.advance(100);
    set(harness, ['a', value]);
    harness.store.decide((view) => {
      const version = view.read(bytesOf('h'));
      expect([version?.ttlMs, version?.leaseId]).toEqual([5000, 7]);
      expect(version?.expireTimeMs).toBeLessThan(view.instantMs + 5000);
    });
  }
});

it('a hash of another type is refused', async () => {
  const harness = await SeamHarness.open();
  harness.store.decide((view) => view.put(bytesOf('h'), bytesOf('x')));
  expect(() => set(harness, ['a', '1'])).toThrow('the key holds plain bytes, not a hash');
});

it('a number in a field is added to', async () => {
  const harness = await SeamHarness.open();
  const add = (delta: bigint): bigint =>
    harness.store.decide((view) => incrementField(view, bytesOf('h'), bytesOf('n'), delta)).result;
  expect(add(5n)).toBe(5n);
  expect(add(-7n)).toBe(-2n);
  expect(() => add(-(2n ** 63n))).toThrow('does not fit');
  for (const text of ['', '01', '-0', '+1', ' 1', '9223372036854775808']) {
    harness.store.decide((view) => changeField(view, bytesOf('h'), bytesOf('n'), () => bytesOf(text)));
    expect(() => add(1n), text).toThrow('not the decimal text');
  }
});

describe('what a change of a large hash costs', () => {
  it.each([1000, 20_000])('is bounded, with %i fields', async (size) => {
    const harness = await SeamHarness.open();
    for (let start = 0; start < size; start += 1000) {
      const names = Array.from({ length: 1000 }, (_, index) => [`field ${start + index}`, 'v']).flat();
      set(harness, names);
    }
    const visits = harness.store.decide((view) => {
      const before = view.budget.visitsLeft;
      set(harness, ['field 77', 'w', 'new', 'x'], view);
      removeAll(harness, ['field 5'], view);
      return before - view.budget.visitsLeft;
    }).result;
    expect(visits).toBeLessThanOrEqual(16);
  });
});

function set(harness: SeamHarness, pairs: readonly string[], view?: View): void {
  if (view === undefined) {
    harness.store.decide((newView) => set(harness, pairs, newView));
    return;
  }
  const edit = editHash(view, bytesOf('h'));
  for (let index = 0; index < pairs.length; index += 2) {
    edit.set(bytesOf(pairs[index] ?? ''), bytesOf(pairs[index + 1] ?? ''));
  }
  edit.save();
}

function removeAll(harness: SeamHarness, names: readonly string[], view?: View): number {
  if (view === undefined) return harness.store.decide((newView) => removeAll(harness, names, newView)).result;
  const edit = editHash(view, bytesOf('h'));
  let count = 0;
  for (const name of names) if (edit.remove(bytesOf(name))) count++;
  edit.save();
  return count;
}

/** Keys and values in hexadecimal, without the marks of what is to be swept. */
function dump(harness: SeamHarness): string[] {
  return harness.store.decide((view) => {
    const lines: string[] = [];
    view.scan(ALL, false, (shown) => {
      const [key, value] = [shown.key, shown.value].map((bytes) => Buffer.from(bytes).toString('hex'));
      const of = shown.collectionId === 0 ? '' : `of${shown.collectionId}`;
      const isOld =
        key?.startsWith('fb') ||
        (key?.startsWith('fa') && lines[0] !== undefined && !key.startsWith(`fa${idOf(lines[0])}`));
      if (!isOld) lines.push(`${key}kind${shown.kind}${of}:${value}`);
      return true;
    });
    return lines;
  }).result;
}

function idOf(line: string): string {
  return (/of(\d+)/.exec(line)?.[1] ?? '').padStart(16, '0');
}
