/** The store as a program opens it: on the machine's own disk, clock and chance. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openStore } from '../../../src/index.ts';
import { allPairs, refused, Watching } from '../model/readable.ts';

it('opens, serves, refuses a second owner and comes back', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'kelp-store-'));
  onTestFinished(() => rm(parent, { recursive: true }));
  const dataDir = join(parent, 'made', 'when', 'missing');
  const store = await openStore({ dataDir });
  onTestFinished(() => store.close());
  await refused(openStore({ dataDir }), 'locked');
  const watching = await Watching.live(store);
  await Promise.all(Array.from({ length: 200 }, (_, index) => store.put(`k${index % 20}`, `${index}`)));
  await store.put('brief', '', { ttlMs: 1 });
  expect(await watching.textsBefore('202: delete brief')).toHaveLength(201);
  await store.snapshot();
  await store.delete('k0');
  const pairs = await allPairs(store);
  await store.close();
  expect((await readdir(dataDir)).sort()).toEqual(['LOCK', 'NEWEST', 'log', 'snapshots']);
  const again = await openStore({ dataDir });
  onTestFinished(() => again.close());
  expect(await allPairs(again)).toEqual(pairs);
  expect((await again.status()).revision).toBe(203);
});
