/** Ids in their order, beside a sorted array. */
import { expect, test } from 'vitest';
import { SortedIds } from '../../../src/client/mirror/sorted-ids.ts';
import { SeededRandom } from '../../support/random.ts';

function fill(ids: SortedIds, count: number): string[] {
  const added = Array.from({ length: count }, (_, index) => String(index).padStart(6, '0'));
  for (const id of added) ids.add(id);
  return added;
}

test.each([1, 2, 3])('answers like a sorted array, over many chunks (seed %i)', (seed) => {
  const random = new SeededRandom(seed);
  const ids = new SortedIds();
  const model = new Set<string>();
  for (let step = 0; step < 20_000; step++) {
    const id = String(random.below(8000));
    if (model.has(id) === random.chance(0.6)) {
      if (model.delete(id)) ids.delete(id);
    } else if (!model.has(id)) {
      model.add(id);
      ids.add(id);
    }
    if (step % 2000 !== 1999) continue;
    const sorted = [...model].sort();
    expect([...ids.between('', undefined)]).toEqual(sorted);
    const [start = '', end = ''] = [String(random.below(8000)), String(random.below(8000))].sort();
    expect([...ids.between(start, end)]).toEqual(sorted.filter((each) => each >= start && each < end));
  }
});

test('a walk goes on behind where it is when ids come and go', () => {
  const ids = new SortedIds();
  const added = fill(ids, 5000);
  const seen: string[] = [];
  for (const id of ids.between('', undefined)) {
    seen.push(id);
    // Its own goes, and one comes before it: neither is met again, nor is another passed over.
    ids.delete(id);
    ids.add(`${id.slice(0, 5)}!${id.slice(5)}`.padStart(1, '0'));
    if (seen.length > added.length) break;
  }
  expect(seen).toEqual(added);
});

test('none is left when all are gone', () => {
  const ids = new SortedIds();
  for (const id of fill(ids, 3000)) ids.delete(id);
  expect([...ids.between('', undefined)]).toEqual([]);
  ids.add('a');
  expect([...ids.between('', undefined)]).toEqual(['a']);
});
