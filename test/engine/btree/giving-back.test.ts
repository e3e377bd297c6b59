/** Compaction gives free pages back to the file system in steps, between which others write, and at each of which it may end. */
import { stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { verifyBtree } from '../../../src/engine/btree/verify-btree.ts';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { deletionOf } from '../../../src/engine/version.ts';
import { NO_BYTES } from '../../../src/wire/bytes.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { put } from '../contract/changes.ts';
import { commitAll, rowsOf, textOf } from './base-model.ts';
import { openTestBase } from './open-test-base.ts';

/** Of many steps: some 30 MB. */
const ROWS = 15_000;
const KEPT = 1000;
const VALUE = 'x'.repeat(1900);

const keys = Array.from({ length: ROWS }, (_, index) => `key ${100_000 + index}`);
/** The last ones: their pages have to move to the front. */
const kept = keys.slice(-KEPT).map((key) => put(key, 1, VALUE));

let directory: string;
let path: string;
let base: Base;

beforeEach(async () => {
  directory = `${await temporaryDirectory()}/base`;
  path = `${directory}/kelp.sqlite`;
  base = await openTestBase(directory);
  await commitAll(
    base,
    1,
    keys.map((key) => put(key, 1, VALUE)),
  );
  const gone = keys.slice(0, -KEPT).map((key) => deletionOf(Buffer.from(key), 2));
  await commitAll(base, 2, gone);
});

async function verified(): Promise<unknown> {
  return verifyBtree(path, { disk: nodeDisk, clock: systemClock, onProgress: () => undefined });
}

test('the file is as short as its rows then', async () => {
  const before = base.figures().diskBytes;
  await base.compactStorage();
  const { diskBytes, liveBytes, mergedBytes } = base.figures();
  expect(before).toBeGreaterThan(25_000_000);
  expect(diskBytes).toBeLessThan(1.3 * KEPT * VALUE.length);
  expect(liveBytes).toBe(diskBytes);
  expect(mergedBytes).toBeGreaterThan(0);
  expect((await stat(path)).size).toBe(diskBytes);
  expect(rowsOf(base)).toEqual(kept.map(textOf));
  await base.close();
  expect(await verified()).toMatchObject({ fault: undefined, rowCount: KEPT });
});

test('flushes and views go on between its steps', async () => {
  const order: string[] = [];
  const compacted = base.compactStorage().then(() => order.push('compacted'));
  const flush = await base.begin(3);
  order.push('begun');
  const view = await base.view();
  const before = base.figures().diskBytes;
  await flush.commit(Buffer.from('notes'));
  order.push('committed');
  await compacted;
  expect(order).toEqual(['begun', 'committed', 'compacted']);
  expect(base.figures().diskBytes).toBeLessThan(before);
  let rowCount = 0;
  do while (view?.next() !== undefined) rowCount++;
  while ((await view?.read()) === true);
  expect([view?.revision, rowCount]).toEqual([2, KEPT]);
  await view?.close();
  expect(Buffer.from(base.notes).toString()).toBe('notes');
  expect(rowsOf(base)).toEqual(kept.map(textOf));
});

test('a close ends it behind a step, and what is left is given back later', async () => {
  const before = base.figures().diskBytes;
  const refusal = expect(base.compactStorage()).rejects.toMatchObject({ code: 'closed' });
  const flush = await base.begin(3);
  const { diskBytes } = base.figures();
  // A step is over.
  expect(diskBytes).toBeLessThan(before);
  base.stopMerging();
  await flush.commit(NO_BYTES);
  await refusal;
  await base.close();
  expect((await stat(path)).size).toBe(diskBytes);
  expect(await verified()).toMatchObject({ fault: undefined, rowCount: KEPT });
  base = await openTestBase(directory);
  await base.compactStorage();
  expect(base.figures().diskBytes).toBeLessThan(1.3 * KEPT * VALUE.length);
});

test('one that waits for a flush is given up when the base is to be closed', async () => {
  const flush = await base.begin(3);
  const refusal = expect(base.compactStorage()).rejects.toMatchObject({ code: 'closed' });
  base.stopMerging();
  await flush.commit(NO_BYTES);
  await refusal;
  expect(base.figures().mergedBytes).toBe(0);
});

test('one that begins while the base is closed behind a flush is told so', async () => {
  const flush = await base.begin(3);
  const closed = base.close();
  const refusal = expect(base.compactStorage()).rejects.toMatchObject({ code: 'closed' });
  await flush.commit(NO_BYTES);
  await closed;
  await refusal;
});

test('two at once are one', async () => {
  await Promise.all([base.compactStorage(), base.compactStorage()]);
  const { mergedBytes } = base.figures();
  await base.compactStorage();
  expect(base.figures().mergedBytes).toBe(mergedBytes);
});

test('a step that fails tells why, and the next compaction goes on', async () => {
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  await expect(base.compactStorage()).rejects.toMatchObject({ code: 'busy' });
  other.close();
  await base.compactStorage();
  expect(base.figures().diskBytes).toBeLessThan(1.3 * KEPT * VALUE.length);
}, 30_000);
