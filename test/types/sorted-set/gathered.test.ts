/** What a combination that is told holds, from its first member to its last. */
import { expect, test } from 'vitest';
import { Gathered } from '../../../src/types/sorted-set/gathered.ts';
import { bytesOf, textOf } from '../../store/seam/seam-harness.ts';

test('what is gathered is held until it is given out', () => {
  const gathered = new Gathered('sum');
  expect(gathered.heldBytes).toBe(0);
  for (let index = 0; index < 100; index++) gathered.add(bytesOf(`member:${index}`), index % 7);
  const heldBytes = gathered.heldBytes;
  expect(heldBytes).toBeGreaterThan(100 * 'member:00'.length);
  // Once more, to be added up: it is there already.
  for (let index = 0; index < 100; index++) gathered.add(bytesOf(`member:${index}`), 1);
  while (gathered.sort(30));
  expect(gathered.heldBytes).toBe(heldBytes);
  expect(gathered.count).toBe(100);
  const told: [number, string][] = [];
  const held: number[] = [];
  const tell = (member: Uint8Array, score: number): void => void told.push([score, textOf(member)]);
  while (gathered.next(30, tell)) held.push(gathered.heldBytes);
  expect(held.length).toBe(3);
  expect(held).toEqual(held.toSorted((a, b) => b - a));
  expect(held[0]).toBeLessThan(heldBytes);
  expect(gathered.heldBytes).toBe(0);
  expect(gathered.count).toBe(100);
  const expected = Array.from({ length: 100 }, (_, index): [number, string] => [
    (index % 7) + 1,
    `member:${index}`,
  ]);
  expect(told).toEqual(expected.toSorted(([a, name], [b, other]) => a - b || (name < other ? -1 : 1)));
});
