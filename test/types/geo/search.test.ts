/** What a search by place holds, from the first place that it finds to the last that it gives out. */
import { expect, onTestFinished, test } from 'vitest';
import { type FoundLimit, type FoundOrder, GeoSearch } from '../../../src/types/geo/search.ts';
import { scoreOfPosition } from '../../../src/types/geo/geohash.ts';
import { SortedSetEdit } from '../../../src/types/sorted-set/sorted-set-edit.ts';
import { SortedSet } from '../../../src/types/sorted-set/sorted-set.ts';
import { bytesOf, SeamHarness, textOf } from '../../store/seam/seam-harness.ts';

const KEY = bytesOf('places');
const CENTER = { longitude: 10, latitude: 50 };
const COUNT = 100;
const ALL = Array.from({ length: COUNT }, (_, index) => `place:${index}`);

/** Of places in a row to the east, each farther away. */
async function search(order: FoundOrder, limit: FoundLimit) {
  const harness = await SeamHarness.openShared();
  onTestFinished(() => harness.close());
  await harness.decide((view) => {
    const edit = new SortedSetEdit(view, KEY);
    for (const [index, name] of ALL.entries())
      edit.set(bytesOf(name), scoreOfPosition({ ...CENTER, longitude: 10 + (index + 1) / COUNT }));
    edit.finish();
  });
  return harness.store.decide((view) => {
    const set = SortedSet.read(view, KEY);
    if (set === undefined) throw new Error('there is no set');
    const area = { center: CENTER, extent: { by: 'radius', radius: 200 }, unitM: 1000 } as const;
    const found = new GeoSearch(set, area, order, limit);
    const held = [found.heldBytes];
    while (found.step(view, 30)) held.push(found.heldBytes);
    const gathered = found.heldBytes;
    while (found.sort(30));
    const sorted = found.heldBytes;
    const names: string[] = [];
    const left: number[] = [];
    while (found.next(30, ({ member }) => void names.push(textOf(member)))) left.push(found.heldBytes);
    return { held, gathered, sorted, names, left, rest: found.heldBytes, count: found.count };
  }).result;
}

test.each(['asFound', 'nearestFirst', 'farthestFirst'] as const)(
  'what is found is held until it is given out: %s',
  async (order) => {
    const { held, gathered, sorted, names, left, rest, count } = await search(order, {
      count: 0,
      isAny: false,
    });
    expect(held[0]).toBe(0);
    expect(held).toEqual(held.toSorted((a, b) => a - b));
    expect(gathered).toBeGreaterThan(COUNT * 'place:00'.length);
    expect(sorted).toBe(gathered);
    expect(left.length).toBe(3);
    expect([sorted, ...left]).toEqual([sorted, ...left].toSorted((a, b) => b - a));
    expect(left[0]).toBeLessThan(sorted);
    expect([rest, count]).toEqual([0, COUNT]);
    if (order === 'asFound') expect(names.toSorted()).toEqual(ALL.toSorted());
    else expect(names).toEqual(order === 'nearestFirst' ? ALL : ALL.toReversed());
  },
);

test('the nearest ones alone are given out where so many are asked for', async () => {
  const { names, count } = await search('nearestFirst', { count: 45, isAny: false });
  expect(names).toEqual(ALL.slice(0, 45));
  expect(count).toBe(45);
});
