/** The memory of keys that clients watch is counted, and given back. */
import { expect, test } from 'vitest';
import type { Seam } from '../../../../src/store/seam.ts';
import { WatchedKeys, WatchList } from '../../../../src/server/redis/connection/watched-keys.ts';

test('keys are watched while there is room for those of all clients, and give back what they took', () => {
  let taken = 0;
  const max = 100_000;
  const seam = { onCommitted: () => () => undefined } as unknown as Seam;
  const watched = new WatchedKeys(seam, (bytes) => {
    if (taken + bytes > max) return false;
    taken += bytes;
    return true;
  });
  const lists = Array.from({ length: 3 }, () => new WatchList());
  const keys = Array.from({ length: 100 }, (_, index) => [Buffer.from(`key:${index}`), true] as const);
  expect(() => {
    for (const list of lists) watched.add(list, keys);
  }).toThrow('ERR the keys that clients watch take too much memory');
  // A key that is watched already costs nothing more.
  const before = taken;
  for (const list of lists.slice(0, 1)) watched.add(list, keys);
  expect(taken).toBe(before);
  for (const list of lists) watched.clear(list);
  expect(taken).toBe(0);
});
