/** What is not as a flush left it is refused at a start, and says what to do. */
import { copyFile, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { verifyBtree } from '../../../src/engine/btree/verify-btree.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { put } from '../contract/changes.ts';
import { commitAll, rowsOf } from './base-model.ts';
import { openTestBase, STORE_ID } from './open-test-base.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = `${await temporaryDirectory()}/base`;
  path = `${directory}/kelp.sqlite`;
  const base = await openTestBase(directory);
  const changes = Array.from({ length: 500 }, (_, index) => put(`key ${1000 + index}`, 5, 'a value'));
  await commitAll(base, 7, changes, { notes: Uint8Array.of(1, 2, 3) });
  await base.close();
});

/** Changes the database by hand. */
function change(sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

async function expectRefused(message: RegExp, storeId = STORE_ID): Promise<void> {
  const before = await readFile(path).catch(() => undefined);
  await expect(openTestBase(directory, storeId)).rejects.toMatchObject({ code: 'damaged', message });
  await expect(openTestBase(directory, storeId)).rejects.toThrow(path);
  expect(await readFile(path).catch(() => undefined)).toEqual(before);
}

describe('a start is refused for', () => {
  test('a file that is no database', async () => {
    await writeFile(
      path,
      'This is a text, and no database of anything; it is longer than a head.'.repeat(20),
    );
    await expectRefused(/is damaged: .*file is not a database.*; restore a backup into an empty directory/);
  });

  test('a database of another program', async () => {
    await rm(path);
    change('CREATE TABLE songs (title TEXT)');
    await expectRefused(
      /a database of another program, not of KelpDB; move it elsewhere, or restore a backup/,
    );
  });

  test('the database of another store', async () => {
    const other = STORE_ID.map((byte) => byte ^ 1);
    await expectRefused(/belongs to the store 000102.*, and the log to 010003.*; put back the one/, other);
  });

  test.each([
    {
      format: 3,
      what: /has the format 3, and this is 2: a newer version of KelpDB wrote it; use that version/,
    },
    {
      format: 1,
      what: /has the format 1, and this is 2: an older version of KelpDB wrote it; make a backup with that version, and restore it with this one/,
    },
  ])('the format $format', async ({ format, what }) => {
    change(`UPDATE state SET format = ${format}`);
    await expectRefused(what);
  });

  test('tables of an older format, by that and not as damaged', async () => {
    change(`UPDATE state SET format = 1; DROP TABLE entries; DROP TABLE long_values;
      CREATE TABLE entries (key BLOB NOT NULL UNIQUE, deadline INTEGER, lease INTEGER, head BLOB, value BLOB)`);
    await expectRefused(
      /has the format 1, and this is 2: .*; make a backup with that version, and restore it/,
    );
  });

  test.each([
    { sql: 'PRAGMA journal_mode = DELETE; PRAGMA page_size = 4096; VACUUM', what: /are of 4096 bytes/ },
    { sql: 'PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM', what: /auto_vacuum is 0/ },
  ])('pages that are not those of KelpDB', async ({ sql, what }) => {
    change(sql);
    await expectRefused(what);
  });

  test('a missing row of its state', async () => {
    change('DELETE FROM state');
    await expectRefused(/the row of its state is missing; restore/);
  });

  test.each([
    'revision = 8',
    "notes = x'010204'",
    'row_count = 499',
    'checksum = 1',
    "store_id = 'text'",
    'revision = 9007199254740992',
    'revision = -1',
  ])('a row of its state with %s', async (what) => {
    change(`UPDATE state SET ${what}`);
    await expectRefused(/the row of its state (does not fit its checksum|can not be read)/);
  });

  test.each([
    { sql: 'DROP INDEX deadlines', what: /"deadlines" in it is not as KelpDB makes it/ },
    { sql: 'DROP TABLE long_values', what: /"long_values" in it is not as KelpDB makes it/ },
    { sql: 'DROP TABLE state', what: /"state" in it is not as KelpDB makes it/ },
    { sql: 'ALTER TABLE entries ADD COLUMN more', what: /"entries" in it is not as KelpDB makes it/ },
    { sql: 'CREATE TABLE more (a)', what: /there is "more" in it, which is not KelpDB's/ },
  ])('what $sql leaves', async ({ sql, what }) => {
    change(sql);
    await expectRefused(what);
  });

  test('a log without its database', async () => {
    await copyFile(path, `${path}-wal`);
    await rm(path);
    await expectRefused(/it is missing, and its log kelp.sqlite-wal is there; put it back, or restore/);
    expect(await readdir(directory)).toEqual(['kelp.sqlite-wal']);
  });

  test('a database that was cut short', async () => {
    await truncate(path, (await stat(path)).size - 8192);
    await expectRefused(/is damaged: .*malformed/);
  });

  test('a database that can not be opened', async () => {
    await rename(path, `${path}.old`);
    await nodeDisk.makeDirectory(path);
    await expect(openTestBase(directory)).rejects.toMatchObject({ name: 'DiskError' });
  });
});

test('a start that a crash broke off before anything was written begins anew', async () => {
  await writeFile(path, '');
  const base = await openTestBase(directory);
  expect([base.revision, base.notes.length, rowsOf(base)]).toEqual([0, 0, []]);
});

test('a check of all says what there is, and leaves no file', async () => {
  const progress: number[] = [];
  const options = {
    disk: nodeDisk,
    clock: systemClock,
    onProgress: ({ doneKeys = 0 }: { readonly doneKeys?: number }) => void progress.push(doneKeys),
  };
  const report = await verifyBtree(path, options);
  expect(report).toMatchObject({ rowCount: 500, fault: undefined, state: { revision: 7, rowCount: 500 } });
  expect(report.bytes).toBe((await stat(path)).size);
  expect(await readdir(directory)).toEqual(['kelp.sqlite']);

  change("DELETE FROM entries WHERE key = CAST('key 1003' AS BLOB)");
  expect(await verifyBtree(path, options)).toMatchObject({
    rowCount: 499,
    fault: { code: 'damaged', message: expect.stringMatching(/has 499 rows, and says that it has 500/) },
  });
});
