/** What clients watch: its memory is counted, and given back; and what touches it. `watch-beside-redis.test.ts` has the commands. */
import { expect, test } from 'vitest';
import type { Seam } from '../../../../src/store/seam.ts';
import { redisRows, sessionRows } from '../../../../src/server/redis/redis-rows.ts';
import { WatchedKeys, WatchList } from '../../../../src/server/redis/connection/watched-keys.ts';
import { showReply } from '../support/decoded-reply.ts';
import { DoorHarness } from '../support/door-harness.ts';

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

test('a transaction of another door touches what it changes, and not what it leaves as it was', async () => {
  const harness = await DoorHarness.open({
    rows: redisRows.filter(({ name }) => !sessionRows.some((row) => row.name === name)),
    fsync: 'never',
  });
  const { store } = harness.seam;
  const client = harness.connect();
  const key = Buffer.from('x');
  const replies = async (): Promise<string[]> => {
    await harness.settled();
    return client.replies().map((reply) => showReply(reply));
  };
  for (const [leaves, outcome] of [
    [false, '[+PONG]'],
    [true, '(nil)'],
  ] as const) {
    client.send('WATCH', 'x');
    store.decide((view) => {
      view.put(key, Buffer.from('1'));
      if (!leaves) view.delete(key);
    });
    client.pipeline(['MULTI'], ['PING'], ['EXEC']);
    expect((await replies()).at(-1)).toBe(outcome);
  }
});
