/** Sets against a model: members, moves, what is chosen by chance, and combinations of several, in pieces of any length. */
import { describe, expect, it } from 'vitest';
import type { ReadView, View } from '../../../src/store/views/view.ts';
import { visitElements } from '../../../src/types/collections/element-table.ts';
import { Combination, type CombinationPlace, storeCombination } from '../../../src/types/set/combination.ts';
import {
  countMembers,
  editSet,
  moveMember,
  popMember,
  popMembers,
  readSet,
  setType,
} from '../../../src/types/set/set.ts';
import { ALL, bytesOf, SeamHarness, textOf } from '../../store/seam/seam-harness.ts';
import { SeededRandom } from '../../support/random.ts';
import { KEPT_HISTORY, placeVisitsOfEngine } from '../../support/test-engine.ts';

const KEYS = ['a', 'b', 'c', 'd'];
const COMBININGS = ['intersection', 'union', 'difference'] as const;

type Model = Map<string, Set<string>>;

describe('random changes of sets leave what the model has, at old revisions too', () => {
  it.each([1, 2, 3, 4])('seed %i', { timeout: 60_000 }, async (seed) => {
    const random = new SeededRandom(seed);
    const harness = await SeamHarness.open({ seed, limits: KEPT_HISTORY });
    const now: Model = new Map();
    const states: { revision: number; state: Model }[] = [];
    for (let round = 0; round < 120; round++) {
      harness.store.decide((view) => {
        for (let count = random.between(1, 3); count > 0; count--) change(view, random, now);
        for (const key of KEYS) expect(readAll(view, key)).toEqual(sorted(now.get(key)));
        checkCombinations(view, random, now);
      });
      await harness.durable();
      if (round % 10 === 0) {
        const state = new Map([...now].map(([key, members]) => [key, new Set(members)]));
        states.push({ revision: harness.store.visibleRevision, state });
      }
    }
    for (const { revision, state } of states) {
      harness.store.readAt({ revision, instantMs: 0 }, (view) => {
        for (const key of KEYS)
          expect(readAll(view, key), `revision ${revision}`).toEqual(sorted(state.get(key)));
        checkCombinations(view, random, state);
      });
    }
  });
});

function change(view: View, random: SeededRandom, now: Model): void {
  const key = random.pick(KEYS);
  const members = now.get(key) ?? new Set<string>();
  const keep = (): void => {
    if (members.size === 0) now.delete(key);
    else now.set(key, members);
  };
  const chance = (): number => random.uint32() / 2 ** 32;
  const pick = (): string => (random.chance(0.05) ? '' : `member-${random.below(key < 'c' ? 15 : 120)}`);
  switch (random.below(7)) {
    case 0: {
      const other = random.pick(KEYS);
      const member = pick();
      const isThere = members.has(member);
      const { result, isEmptied } = moveMember(view, bytesOf(key), bytesOf(other), bytesOf(member));
      if (key === other) {
        expect(result).toBe(isThere ? 'sameSet' : 'notThere');
        return;
      }
      const others = now.get(other) ?? new Set<string>();
      const expected = !isThere ? 'notThere' : others.has(member) ? 'wasInBoth' : 'moved';
      expect(result).toBe(expected);
      if (!isThere) return;
      members.delete(member);
      now.set(other, others.add(member));
      expect(isEmptied).toBe(members.size === 0);
      keep();
      return;
    }
    case 1: {
      const set = readSet(view, bytesOf(key));
      if (set === undefined) return;
      const edit = editSet(view, bytesOf(key));
      const popped =
        random.chance(0.5) || members.size === 1
          ? [popMember(edit, chance)]
          : popMembers(view, set, edit, random.between(1, members.size - 1), chance);
      edit.save();
      for (const member of popped) expect(members.delete(textOf(member))).toBe(true);
      keep();
      return;
    }
    case 2: {
      const keys = several(random);
      const combining = random.pick(COMBININGS);
      const expected = combined(now, combining, keys);
      const combination = Combination.read(view, combining, keys.map(bytesOf));
      const { count, isDeleted } = storeCombination(view, combination, bytesOf(key));
      expect(count).toBe(expected.size);
      expect(isDeleted).toBe(expected.size === 0 && now.has(key));
      if (expected.size === 0) now.delete(key);
      else now.set(key, expected);
      return;
    }
    default: {
      const edit = editSet(view, bytesOf(key));
      const isRemoving = random.chance(0.4);
      for (let count = random.chance(0.2) ? 50 : random.between(1, 4); count > 0; count--) {
        const member = pick();
        if (isRemoving) expect(edit.remove(bytesOf(member))).toBe(members.delete(member));
        else {
          expect(edit.add(bytesOf(member))).toBe(!members.has(member));
          members.add(member);
        }
      }
      expect(edit.count).toBe(members.size);
      edit.save();
      keep();
    }
  }
}

function several(random: SeededRandom): string[] {
  return Array.from({ length: random.between(1, 4) }, () => random.pick(KEYS));
}

function combined(
  model: Model,
  combining: (typeof COMBININGS)[number],
  keys: readonly string[],
): Set<string> {
  const sets = keys.map((key) => model.get(key) ?? new Set<string>());
  const [first = new Set<string>(), ...others] = sets;
  if (combining === 'union') return new Set(sets.flatMap((set) => [...set]));
  const isIntersection = combining === 'intersection';
  return new Set([...first].filter((member) => others.every((set) => set.has(member) === isIntersection)));
}

/** Each in pieces of a few members, as slices of a reply are. */
function checkCombinations(view: ReadView, random: SeededRandom, model: Model): void {
  const keys = several(random);
  for (const combining of COMBININGS) {
    const combination = Combination.read(view, combining, keys.map(bytesOf));
    const members: string[] = [];
    let place: CombinationPlace | undefined;
    do {
      place = combination.visit(view, place, random.between(1, 20), (member) => {
        members.push(textOf(member));
        return random.chance(0.9);
      });
    } while (place !== undefined);
    expect(members.sort()).toEqual([...combined(model, combining, keys)].sort());
  }
}

function readAll(view: ReadView, key: string): string[] | undefined {
  const version = readSet(view, bytesOf(key));
  if (version === undefined) return undefined;
  const members: string[] = [];
  let start: Uint8Array | undefined;
  do {
    let left = 7;
    start = visitElements(view, version, setType, start, (member) => {
      members.push(textOf(member));
      return --left > 0;
    });
  } while (start !== undefined);
  expect(countMembers(version)).toBe(members.length);
  return members.sort();
}

function sorted(members: ReadonlySet<string> | undefined): string[] | undefined {
  return members && [...members].sort();
}

it('where a set lies: packed in its metadata, spread under a key for each member', async () => {
  const harness = await SeamHarness.open();
  add(harness, ['one', '']);
  expect(dump(harness)).toEqual(['73 kind 3: 00 03 6f6e65 00']);
  add(
    harness,
    Array.from({ length: 63 }, (_, index) => String.fromCharCode(48 + index)),
  );
  const spread = dump(harness);
  expect(spread).toHaveLength(66);
  expect(spread.slice(0, 3)).toEqual([
    '73 kind 3 of 1: 01 41',
    'fa 0000000000000001 6d kind 0:',
    'fa 0000000000000001 6d 30 kind 0:',
  ]);
});

it('members of any bytes are told apart', async () => {
  const harness = await SeamHarness.open();
  const members = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte, 255 - byte));
  add(harness, members);
  harness.store.readAt({ revision: 0, instantMs: 0 }, (view) => expect(readAll(view, 's')).toBeUndefined());
  harness.store.decide((view) => expect(readAll(view, 's')).toEqual([...members].sort()));
});

describe('what a change of a large set, and a choice by chance, cost', () => {
  it.each([1000, 20_000])('is bounded, with %i members', async (size) => {
    const harness = await SeamHarness.open();
    const random = new SeededRandom(size);
    for (let start = 0; start < size; start += 1000) {
      add(
        harness,
        Array.from({ length: 1000 }, (_, index) => `member ${start + index}`),
      );
    }
    const cost = (run: (view: View) => void): number =>
      harness.store.decide((view) => {
        const before = view.budget.visitsLeft;
        run(view);
        return before - view.budget.visitsLeft;
      }).result;
    expect(cost((view) => change1(view, 'new'))).toBeLessThanOrEqual(6);
    expect(cost((view) => change1(view, 'member 7'))).toBeLessThanOrEqual(3);
    const pop = (view: View): void => {
      const edit = editSet(view, bytesOf('s'));
      popMember(edit, () => random.uint32() / 2 ** 32);
      edit.save();
    };
    expect(cost(pop)).toBeLessThanOrEqual(8 + placeVisitsOfEngine());
  });
});

function change1(view: View, member: string): void {
  const edit = editSet(view, bytesOf('s'));
  edit.add(bytesOf(member));
  edit.save();
}

function add(harness: SeamHarness, members: readonly string[]): void {
  harness.store.decide((view) => {
    const edit = editSet(view, bytesOf('s'));
    for (const member of members) edit.add(bytesOf(member));
    edit.save();
  });
}

/** Keys and values in hexadecimal, the parts of a key apart. */
function dump(harness: SeamHarness): string[] {
  return harness.store.decide((view) => {
    const lines: string[] = [];
    view.scan(ALL, false, (shown) => {
      const key = Buffer.from(shown.key).toString('hex');
      const value = Buffer.from(shown.value).toString('hex');
      const [, id, tag, sub = ''] = /^fa(.{16})(..)(.*)$/.exec(key) ?? [];
      const parts = id === undefined ? key : `fa ${id} ${tag}${sub === '' ? '' : ` ${sub}`}`;
      const of = shown.collectionId === 0 ? '' : ` of ${shown.collectionId}`;
      const items =
        id === undefined
          ? ` ${value.replace('00036f6e6500', '00 03 6f6e65 00').replace('0141', '01 41')}`
          : value;
      lines.push(`${parts} kind ${shown.kind}${of}:${items}`);
      return true;
    });
    return lines;
  }).result;
}
