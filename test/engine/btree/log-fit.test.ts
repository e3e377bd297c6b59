/** A database and a log of SQLite that are not of one copy are refused, whichever of them is the older one; what a crash leaves never is. */
import { copyFile, mkdir, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { readRevision } from '../../../src/engine/btree/read-revision.ts';
import { verifyBtree } from '../../../src/engine/btree/verify-btree.ts';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { isStoreError } from '../../../src/errors.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { commitAll, hex, rowsOf, textOf } from './base-model.ts';
import { changesOf, NOTES_OF, rowsAt } from './loop-state.ts';
import { openTestBase } from './open-test-base.ts';

const DATABASE = 'kelp.sqlite';
const LOG = 'kelp.sqlite-wal';

let parent: string;
let directory: string;
let base: Base;
let copyCount: number;

beforeEach(async () => {
  parent = await temporaryDirectory();
  directory = `${parent}/base`;
  base = await openTestBase(directory);
  copyCount = 0;
});

async function commit(revision: number): Promise<void> {
  await commitAll(base, revision, changesOf(revision), { notes: NOTES_OF(revision) });
}

/** The files as a killed process would leave them now. */
async function copy(): Promise<string> {
  const folder = `${parent}/copy ${copyCount++}`;
  await mkdir(folder);
  for (const name of [DATABASE, LOG]) await copyFile(`${directory}/${name}`, `${folder}/${name}`);
  return folder;
}

/** The database of one copy with the log of another. */
async function paired(databaseOf: string, logOf: string): Promise<string> {
  const folder = `${parent}/pair ${copyCount++}`;
  await mkdir(folder);
  await copyFile(`${databaseOf}/${DATABASE}`, `${folder}/${DATABASE}`);
  await copyFile(`${logOf}/${LOG}`, `${folder}/${LOG}`);
  return folder;
}

const verified = (folder: string): ReturnType<typeof verifyBtree> =>
  verifyBtree(`${folder}/${DATABASE}`, {
    disk: nodeDisk,
    clock: systemClock,
    onProgress: () => undefined,
  });

/** @returns the revision of the state that a start finds, which is whole; `undefined`: it is refused. */
async function started(folder: string): Promise<number | undefined> {
  const { fault } = await verified(folder);
  const opened = await openTestBase(folder).catch((error: unknown) => {
    if (!isStoreError(error, 'damaged')) throw error;
    return error;
  });
  if (opened instanceof Error) {
    expect(fault).toMatchObject({ code: 'damaged' });
    await expect(readRevision(folder, nodeDisk)).rejects.toMatchObject({ code: 'damaged' });
    return undefined;
  }
  const { revision } = opened;
  expect(fault).toBeUndefined();
  expect(hex(opened.notes)).toBe(hex(NOTES_OF(revision)));
  const rows = [...rowsAt(revision).values()].sort((left, right) => Buffer.compare(left.key, right.key));
  expect(rowsOf(opened)).toEqual(rows.map(textOf));
  await opened.close();
  return revision;
}

/** A log that is not copied into the database, since something reads what was before it. */
async function keepLog(): Promise<() => Promise<void>> {
  const view = await base.view();
  return async () => view?.close();
}

test('an older database beside the log of a newer one is refused, and nothing of it is changed', async () => {
  await commit(1);
  const old = await copy();
  await commit(2);
  const close = await keepLog();
  await commit(3);
  const newer = await copy();
  await close();

  const folder = await paired(old, newer);
  const before = await readFile(`${folder}/${DATABASE}`);
  await expect(openTestBase(folder)).rejects.toMatchObject({
    code: 'damaged',
    message: `${folder}/${DATABASE} is damaged: it does not fit its log ${LOG}: the database is of commit 1, and the log has the commits 3 to 3; put all files of ${folder} back from one copy, or restore a backup into an empty directory`,
  });
  expect((await verified(folder)).fault?.message).toMatch('it does not fit its log');
  expect(await readFile(`${folder}/${DATABASE}`)).toEqual(before);
  expect(await started(newer)).toBe(3);
});

test(
  'of each database with each log of a life, one is either refused or the state of a commit',
  { timeout: 180_000 },
  async () => {
    const copies: string[] = [];
    await commit(1);
    copies.push(await copy());
    let close = await keepLog();
    for (const revision of [2, 3]) {
      await commit(revision);
      copies.push(await copy());
    }
    await close();
    // Some of the log is copied, and the log goes on.
    close = await keepLog();
    await commit(4);
    copies.push(await copy());
    await base.compactStorage();
    copies.push(await copy());
    await close();
    await commit(5);
    copies.push(await copy());
    await base.close();
    base = await openTestBase(directory);
    close = await keepLog();
    await commit(6);
    copies.push(await copy());
    await close();

    const found: (number | undefined)[][] = [];
    for (const database of copies) {
      const row: (number | undefined)[] = [];
      for (const log of copies) row.push(await started(await paired(database, log)));
      found.push(row);
    }
    // Each is as it was where both are of one copy.
    expect(copies.map((_, index) => found[index]?.[index])).toEqual([1, 2, 3, 4, 4, 5, 6]);
    // Some are neither of one copy nor fit.
    expect(found.flat().filter((revision) => revision === undefined).length).toBeGreaterThan(10);
  },
);

test('without its log a database has the whole state of the commit up to which that was copied', async () => {
  await commit(1);
  let close = await keepLog();
  await commit(2);
  await commit(3);
  const nothingCopied = await copy();
  await close();
  close = await keepLog();
  await commit(4);
  const someCopied = await copy();
  await close();
  await commit(5);
  const allCopied = await copy();

  const found: (number | undefined)[] = [];
  for (const folder of [nothingCopied, someCopied, allCopied]) {
    await rm(`${folder}/${LOG}`);
    found.push(await started(folder));
  }
  // The store's log is applied above that revision, or the gap is refused where it does not reach back so far.
  expect([found[0], found[2]]).toEqual([1, 5]);
  expect(found[1]).toBeGreaterThanOrEqual(1);
  expect(found[1]).toBeLessThanOrEqual(4);
});

test('a database that is newer than the log beside it is refused', async () => {
  await commit(1);
  const close = await keepLog();
  await commit(2);
  const old = await copy();
  await close();
  await commit(3);
  const newer = await copy();
  expect(await started(await paired(newer, old))).toBeUndefined();
  expect(await started(old)).toBe(2);
});

test('a log whose end is damaged behind what was copied of it is refused, and a torn end is none of it', async () => {
  await commit(1);
  const close = await keepLog();
  await commit(2);
  const { size } = await stat(`${directory}/${LOG}`);
  await commit(3);
  const whole = await copy();
  await close();
  const torn = await paired(whole, whole);
  await truncate(`${torn}/${LOG}`, (await stat(`${torn}/${LOG}`)).size - 100);
  expect(await started(await paired(whole, torn))).toBe(2);
  const garbled = await paired(whole, whole);
  const file = await open(`${garbled}/${LOG}`, 'r+');
  await file.write(Buffer.from('not what was written'), 0, 20, size + 5000);
  await file.close();
  expect(await started(garbled)).toBe(2);

  // All of it is copied into the database.
  const database = new DatabaseSync(`${whole}/${DATABASE}`);
  database.exec('PRAGMA wal_checkpoint(PASSIVE)');
  const copied = await paired(whole, torn);
  database.close();
  expect(await started(copied)).toBeUndefined();
});

test('a database that is cut to nothing beside a log is refused', async () => {
  await commit(1);
  const close = await keepLog();
  await commit(2);
  const copied = await copy();
  await close();
  await writeFile(`${copied}/${DATABASE}`, '');
  await expect(openTestBase(copied)).rejects.toMatchObject({
    code: 'damaged',
    message: expect.stringMatching(/the database has no header, and the log has the commits 2 to 2/),
  });
});

test('a database and a log of an older version of KelpDB are used, which count no commits', async () => {
  await commit(1);
  const close = await keepLog();
  await base.close();
  await close();
  const old = new DatabaseSync(`${directory}/${DATABASE}`);
  onTestFinished(() => {
    if (old.isOpen) old.close();
  });
  old.exec('PRAGMA user_version = 0; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0');
  // Neither has page 1.
  old.exec('UPDATE state SET format = format + 1; UPDATE state SET format = format - 1');
  const copied = await copy();
  old.close();
  expect((await stat(`${copied}/${LOG}`)).size).toBeGreaterThan(0);
  expect(await started(copied)).toBe(1);
  base = await openTestBase(copied);
  await commit(2);
  await base.close();
  expect(await started(copied)).toBe(2);
});
