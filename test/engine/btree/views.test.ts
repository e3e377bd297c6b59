/** Views of the database: connections of their own, behind which the log grows, and is cut when they are closed. */
import { readdir, readlink, stat } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { deletionOf, placeChange } from '../../../src/engine/version.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { openTestBase } from './open-test-base.ts';

it('keeps the log of SQLite as long as it is open, and the next flush behind it cuts that', async () => {
  const directory = `${await temporaryDirectory()}/base`;
  const logBytes = async (): Promise<number> => (await stat(`${directory}/kelp.sqlite-wal`)).size;
  const base = await openTestBase(directory);
  await flush(base, 1);
  expect(await logBytes()).toBe(0);
  const view = await base.view();
  await flush(base, 2);
  const first = await logBytes();
  expect(first).toBeGreaterThan(100_000);
  await flush(base, 3);
  expect(await logBytes()).toBeGreaterThan(first);
  await view?.close();
  await flush(base, 4);
  expect(await logBytes()).toBe(0);
});

it('has what a flush writes counted once, however long the log is', async () => {
  const base = await openTestBase(`${await temporaryDirectory()}/base`);
  const flushed = async (revision: number): Promise<number> => {
    const before = base.figures().flushedBytes;
    await flush(base, revision);
    return base.figures().flushedBytes - before;
  };
  await flushed(1);
  const alone = await flushed(2);
  let view = await base.view();
  for (let revision = 3; revision <= 8; revision++)
    expect((await flushed(revision)) / alone).toBeCloseTo(1, 0);
  // The log goes on behind another view, and is cut behind that.
  await view?.close();
  view = await base.view();
  for (let revision = 9; revision <= 11; revision++)
    expect((await flushed(revision)) / alone).toBeCloseTo(1, 0);
  await view?.close();
  expect((await flushed(12)) / alone).toBeCloseTo(1, 0);
});

it(
  'leaves no more files open than were at a time, and none behind the base',
  { skip: process.platform !== 'linux' },
  async () => {
    const directory = `${await temporaryDirectory()}/base`;
    const base = await openTestBase(directory);
    await flush(base, 1);
    const before = await openCount(directory);
    for (let round = 0; round < 5; round++) {
      const views = [await base.view(), await base.view()];
      for (const view of views) view?.next();
      expect(await openCount(directory)).toBeGreaterThan(before);
      await flush(base, 2 + round);
      for (const view of views) await view?.close();
    }
    // To close a file drops all locks that the process has on it: SQLite keeps those of closed connections, for the next ones.
    expect(await openCount(directory)).toBeLessThanOrEqual(before + 2);
    await base.view();
    await base.close();
    expect(await openCount(directory)).toBe(0);
  },
);

it('is none where the database is in memory alone', async () => {
  const base = await openTestBase(undefined);
  await flush(base, 1);
  expect(await base.view()).toBeUndefined();
});

async function flush(base: Base, revision: number): Promise<void> {
  const begun = await base.begin(revision);
  for (let index = 0; index < 100; index++) {
    const key = Buffer.from(`k${String(index).padStart(3, '0')}`);
    const value = Buffer.alloc(2000, String(revision));
    const numbers = { createRevision: 1, modRevision: revision, version: 1 };
    begun.add(placeChange({ ...deletionOf(key, revision), deleted: false, value, ...numbers }));
  }
  await begun.commit(new Uint8Array(0));
}

/** How many descriptors this process has of files in a folder. */
async function openCount(directory: string): Promise<number> {
  const paths = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return paths.filter((path) => path.startsWith(directory)).length;
}
