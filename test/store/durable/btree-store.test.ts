/** A store with the engine btree: on a real disk, and with none. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openStore } from '../../../src/kv/open-store.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { contentOfBackup } from '../model/backup-content.ts';
import { allPairs } from '../model/readable.ts';

test('is the same behind a start, from its checkpoint and the log above it', async () => {
  const dataDir = await temporaryDirectory();
  let store = await openStore({ dataDir, engine: 'btree' });
  for (let index = 0; index < 200; index++) await store.put(`k${index % 50}`, `${index}`);
  expect((await store.snapshot()).revision).toBe(200);
  expect((await stat(`${dataDir}/base/kelp.sqlite`)).mode & 0o777).toBe(0o600);
  for (let index = 0; index < 20; index++) await store.delete(`k${index * 2}`);
  const before = await allPairs(store);
  expect((await store.status()).storage).toMatchObject({ revision: 200, runs: [{ recordCount: 50 }] });
  await store.close();
  expect(await readdir(`${dataDir}/base`)).toEqual(['kelp.sqlite']);

  store = await openStore({ dataDir, engine: 'btree' });
  expect(await allPairs(store)).toEqual(before);
  expect(before).not.toHaveLength(0);
  await store.close();
});

test("with an older database, as without SQLite's log, applies the log of the store again, or refuses the gap", async () => {
  const dataDir = await temporaryDirectory();
  const options = {
    dataDir,
    engine: 'btree',
    limits: { segmentBytes: 64 * 1024, logRetentionBytes: 0 },
  } as const;
  const database = `${dataDir}/base/kelp.sqlite`;
  let store = await openStore(options);
  await store.put('k', 'first');
  await store.snapshot();
  await store.close();
  const older = await readFile(database);

  // The log reaches back.
  store = await openStore(options);
  await store.put('k', 'second');
  await store.snapshot();
  await store.close();
  await writeFile(database, older);
  store = await openStore(options);
  expect(await allPairs(store)).toEqual(['k=second']);

  // Its older segments are gone behind the next checkpoint.
  for (let index = 0; index < 8; index++) await store.put(`l${index}`, 'v'.repeat(32 * 1024));
  await store.snapshot();
  expect((await store.status()).oldestSegmentId).toBeGreaterThan(1);
  await store.close();
  await writeFile(database, older);
  await expect(openStore(options)).rejects.toMatchObject({
    code: 'damaged',
    message: /what was written between is missing/,
  });
});

test('is in memory where there is no directory', async () => {
  const store = await openStore({ dataDir: null, engine: 'btree' });
  await store.put('k', '1');
  expect((await store.snapshot()).revision).toBe(1);
  const status = await store.status();
  expect(status.storage).toMatchObject({ revision: 1, diskBytes: 0, runs: [{ recordCount: 1 }] });
  await store.put('l', '2');
  expect(await allPairs(store)).toHaveLength(2);
  // Its files can't be viewed: there are none.
  expect(await contentOfBackup(store.backup())).toMatchObject({ revision: 2, pairs: ['k=1', 'l=2'] });
  await store.close();
});

test('that is closed beside a compaction of its files says so', async () => {
  const store = await openStore({ dataDir: await temporaryDirectory(), engine: 'btree' });
  await store.put('k', '1');
  await store.snapshot();
  const compacted = store.compactStorage();
  const closed = store.close();
  await expect(compacted).rejects.toMatchObject({ code: 'closed' });
  await closed;
});

test.each([
  { how: 'writes to', sql: 'BEGIN IMMEDIATE' },
  { how: 'has locked', sql: 'PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT' },
])(
  'a start while another program $how its database says so, and what to do',
  { timeout: 30_000 },
  async ({ sql }) => {
    const dataDir = await temporaryDirectory();
    await (await openStore({ dataDir, engine: 'btree' })).close();
    const path = `${dataDir}/base/kelp.sqlite`;
    const other = new DatabaseSync(path);
    other.exec(sql);
    const refusal = await openStore({ dataDir, engine: 'btree' }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'storageFailed' });
    expect(String(refusal)).toMatch(`the data directory ${dataDir} can not be used: ${path}: `);
    expect(String(refusal)).toMatch(
      /another program reads it or writes to it, .* has to end first.*; then start again$/,
    );
    other.close();
    await (await openStore({ dataDir, engine: 'btree' })).close();
  },
);
