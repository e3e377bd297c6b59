/** A directory that was restored for an engine on disk: its first start brings the backup into the files of the engine. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../../src/api.ts';
import type { EngineName } from '../../../src/engine-names.ts';
import { openEngine } from '../../../src/engine/open-engine.ts';
import { openStore } from '../../../src/kv/open-store.ts';
import { restore } from '../../../src/offline/restore.ts';
import { allPairs, refused } from '../model/readable.ts';

const KEYS = 500;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'kelp-restored-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function fill(store: Store): Promise<void> {
  await store.grantLease(3_600_000, 7);
  for (let index = 0; index < KEYS; index++) await store.put(`k${index}`, `${index}`);
  await store.put('k1', 'again', { leaseId: 7 });
  await store.put('passing', 'v', { ttlMs: 3_600_000 });
  await store.delete('k2');
  await store.set.add('s', ['a', 'b']);
}

async function restored(engine: EngineName): Promise<{ dataDir: string; pairs: string[] }> {
  const original = await openStore({ dataDir: null });
  await fill(original);
  const pieces: Uint8Array[] = [];
  for await (const piece of original.backup()) pieces.push(piece);
  const pairs = await allPairs(original);
  await original.close();
  const path = join(await folder(), 'kelp.backup');
  await writeFile(path, Buffer.concat(pieces));
  const dataDir = await folder();
  await restore({ backupPath: path, dataDir, engine, logPaths: [] }, () => undefined);
  return { dataDir, pairs };
}

async function check(store: Store, pairs: readonly string[]): Promise<void> {
  expect(await allPairs(store)).toEqual(pairs);
  const { revision, storage, oldestRevision } = await store.status();
  expect(storage?.revision).toBe(revision);
  expect(oldestRevision).toBe(revision);
  expect(await store.getLease(7, { includeKeys: true })).toMatchObject({ keys: ['k1'] });
  expect(await store.set.contains('s', ['a', 'b', 'c'])).toMatchObject({ contained: [true, true, false] });
  expect((await store.count({})).count).toBe(KEYS + 1);
  await refused(store.get('k1', { revision: revision - 1 }), 'revisionCompacted');
}

it.each(['lsm', 'bitcask', 'btree'] as const)(
  'is loaded by %s once, and its snapshot removed',
  { timeout: 60_000 },
  async (engine) => {
    const { dataDir, pairs } = await restored(engine);
    for (let life = 0; life < 2; life++) {
      const store = await openStore({ dataDir, engine });
      await check(store, pairs);
      expect(await readdir(join(dataDir, 'snapshots'))).toEqual([]);
      await store.close();
    }
    const store = await openStore({ dataDir, engine });
    await store.put('k1', 'on it goes');
    await store.close();
    const again = await openStore({ dataDir, engine });
    expect((await again.status()).keyCount).toBe(KEYS + 1);
    await again.close();
  },
);

it('begins anew where it was broken off', { timeout: 60_000 }, async () => {
  const { dataDir, pairs } = await restored('lsm');
  for (let round = 0; round < 2; round++) {
    await expect(
      openStore({
        dataDir,
        engine: 'lsm',
        makeEngine: async (place) => {
          const engine = await openEngine('lsm', place);
          const { durable } = engine;
          const load = durable?.load.bind(durable);
          if (durable !== undefined && load !== undefined) {
            durable.load = (revision) => {
              const begun = load(revision);
              begun.commit = () => Promise.reject(new Error('struck by lightning'));
              return begun;
            };
          }
          return engine;
        },
      }),
    ).rejects.toThrow('struck by lightning');
    expect(await readdir(join(dataDir, 'snapshots'))).toHaveLength(1);
  }
  const store = await openStore({ dataDir, engine: 'lsm' });
  await check(store, pairs);
  await store.close();
});

it('keeps its snapshot while what was loaded may not be durable', { timeout: 60_000 }, async () => {
  const { dataDir, pairs } = await restored('lsm');
  const folder = join(dataDir, 'snapshots');
  const [name = ''] = await readdir(folder);
  const bytes = await readFile(join(folder, name));
  await (await openStore({ dataDir, engine: 'lsm' })).close();
  // As if the life that has loaded it had ended before it removed it.
  await writeFile(join(folder, name), bytes);
  const store = await openStore({
    dataDir,
    engine: 'lsm',
    makeEngine: async (place) => {
      const engine = await openEngine('lsm', place);
      Object.defineProperty(engine.durable, 'unsettled', { value: new Error('the disk is full') });
      return engine;
    },
  });
  await check(store, pairs);
  expect(await readdir(folder)).toEqual([name]);
  await store.close();
  await (await openStore({ dataDir, engine: 'lsm' })).close();
  expect(await readdir(folder)).toEqual([]);
});
