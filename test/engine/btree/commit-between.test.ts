/** A flush is committed by a thread, so also between two statements of a cursor: it goes on with what the rows are then. */
import { expect, test } from 'vitest';
import { DatabaseSync } from 'node:sqlite';
import { deletionOf, PlacedChange, type Change } from '../../../src/engine/version.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { put } from '../contract/changes.ts';
import { ALL, commitAll } from './base-model.ts';
import { openTestBase } from './open-test-base.ts';

const before = 'x'.repeat(10_000);
const after = 'y'.repeat(12_000);

test('a long value that is replaced or deleted behind its head is no damage', async () => {
  const directory = `${await temporaryDirectory()}/base`;
  const base = await openTestBase(directory);
  const keys = ['a', 'b', 'c', 'd'];
  await commitAll(
    base,
    1,
    keys.map((key): Change => put(key, 1, before)),
  );
  const cursor = base.cursor(ALL, false, true);
  const placed = new PlacedChange();
  expect(cursor.next(placed)).toBe(true);
  expect(Buffer.from(placed.value).toString()).toBe(before);
  // The heads of all are read by now.
  await commitAll(base, 2, [put('b', 2, after), deletionOf(Buffer.from('c'), 2)]);
  const rest: string[] = [];
  while (cursor.next(placed))
    rest.push(`${Buffer.from(placed.key).toString()} ${placed.revision} ${placed.value.length}`);
  expect(rest).toEqual(['b 2 12000', 'd 1 10000']);
});

test('one that does not fit its head is damage', async () => {
  const directory = `${await temporaryDirectory()}/base`;
  const base = await openTestBase(directory);
  await commitAll(base, 1, [put('a', 1, before), put('b', 1, before)]);
  const database = new DatabaseSync(`${directory}/kelp.sqlite`);
  database.prepare('UPDATE entries SET value = ? WHERE key = ?').run(Buffer.from(after), Buffer.from('b'));
  database.close();
  const cursor = base.cursor(ALL, false, true);
  const placed = new PlacedChange();
  expect(cursor.next(placed)).toBe(true);
  expect(() => cursor.next(placed)).toThrow(/the row of the key "b" does not fit its checksum/);
});
