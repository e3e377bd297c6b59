/** Damage of rows and of the file: nothing of what does not fit its checksum is shown, and a check of all finds it. */
import { copyFile, open, stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { verifyBtree } from '../../../src/engine/btree/verify-btree.ts';
import { isStoreError } from '../../../src/errors.ts';
import { SeededRandom } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { bytes, put } from '../contract/changes.ts';
import type { Change } from '../../../src/engine/version.ts';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { commitAll, deadlinesOf, found, headsOf, rowsOf, textOf } from './base-model.ts';
import { openTestBase } from './open-test-base.ts';

const SEED = Number(process.env['BTREE_SEED'] ?? 1);
const FLIPS = 60;

let directory: string;
let path: string;
const changes: Change[] = Array.from({ length: 300 }, (_, index) =>
  put(`key ${1000 + index}`, 5, `value ${index} `.repeat(index % 20 === 0 ? 600 : 3), {
    leaseId: index % 3 === 0 ? index + 1 : 0,
    expireTimeMs: index % 4 === 0 ? 1_000_000 + index : 0,
  }),
);
const rows = changes.map(textOf);

beforeEach(async () => {
  directory = `${await temporaryDirectory()}/base`;
  path = `${directory}/kelp.sqlite`;
  const base = await openTestBase(directory);
  await commitAll(base, 7, changes);
  await base.close();
});

function change(sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

const verified = (): ReturnType<typeof verifyBtree> =>
  verifyBtree(path, { disk: nodeDisk, clock: systemClock, onProgress: () => undefined });

const of = (name: string): string => `WHERE key = CAST('${name}' AS BLOB)`;

/** Of the key that has a long value. */
const ofLong = `WHERE id = (SELECT value FROM entries ${of('key 1020')})`;

const flipFirst = (column: string, at: number): string =>
  `${column} = CAST(substr(${column}, 1, ${at - 1}) || x'00' || substr(${column}, ${at + 1}) AS BLOB)`;

describe('a row of which was changed', () => {
  test.each([
    { what: 'a byte of the value', sql: flipFirst('value', 3), isOfValue: true },
    { what: 'the length of the value', sql: "value = x''", isOfValue: true },
    { what: 'the type of the value', sql: 'value = 7', isOfValue: true },
    { what: 'the checksum of the value', sql: flipFirst('head', 5), isOfValue: false },
    { what: 'the checksum of the head', sql: flipFirst('head', 1), isOfValue: false },
    { what: 'the length of its key', sql: flipFirst('head', 9), isOfValue: false },
    { what: 'its revision', sql: flipFirst('head', 11), isOfValue: false },
    { what: 'the length of its head', sql: "head = x'0102030405'", isOfValue: false },
    { what: 'the key', sql: "key = CAST('key 1007a' AS BLOB)", isOfValue: false, name: 'key 1007a' },
  ])('$what is not shown', async ({ sql, isOfValue, name = 'key 1007' }) => {
    change(`UPDATE entries SET ${sql} ${of('key 1007')}`);
    const base = await openTestBase(directory);
    const message = expect.stringMatching(`${path} is damaged: .*"?key 10`) as string;
    const damaged = expect.objectContaining({ code: 'damaged', message }) as Error;
    expect(() => found(base, bytes(name))).toThrow(damaged);
    expect(() => rowsOf(base)).toThrow(damaged);
    if (!isOfValue) expect(() => headsOf(base)).toThrow(damaged);
    expect(found(base, bytes('key 1008'))).toBe(rows[8]);
    expect((await verified()).fault).toEqual(damaged);
  });

  test.each([
    { what: 'a byte of a long value', sql: `UPDATE long_values SET ${flipFirst('value', 5000)} ${ofLong}` },
    {
      what: 'the length of a long value',
      sql: `UPDATE long_values SET value = CAST(substr(value, 2) AS BLOB) ${ofLong}`,
    },
    { what: 'a long value that is not there', sql: `DELETE FROM long_values ${ofLong}` },
    { what: 'the long value of another key', sql: `UPDATE entries SET value = value + 1 ${of('key 1020')}` },
  ])('$what is not shown', async ({ sql }) => {
    change(sql);
    const base = await openTestBase(directory);
    const damaged = expect.objectContaining({ code: 'damaged' }) as Error;
    expect(() => found(base, bytes('key 1020'))).toThrow(damaged);
    expect(() => rowsOf(base)).toThrow(damaged);
    expect((await verified()).fault).toEqual(damaged);
  });

  test.each([
    { column: 'deadline', read: deadlinesOf },
    { column: 'lease', read: (base: Base) => [...base.leasedKeys()] },
  ])('the $column is not shown', async ({ column, read }) => {
    change(`UPDATE entries SET ${column} = 77 ${of('key 1001')}`);
    const message = expect.stringMatching(
      /the index \w+s has 77 for the key "key 1001", and its row has not/,
    );
    const damaged = expect.objectContaining({ code: 'damaged', message }) as Error;
    const base = await openTestBase(directory);
    expect(() => read(base)).toThrow(damaged);
    expect((await verified()).fault).toEqual(damaged);
  });
});

test('a row whose deadline or lease is missing from the index is found by a check of all', async () => {
  for (const column of ['deadline', 'lease']) {
    change(`UPDATE entries SET ${column} = 0 ${of('key 1012')}`);
    expect((await verified()).fault?.message).toMatch(`the index ${column}s has`);
    change(`UPDATE entries SET ${column} = ${column === 'lease' ? 13 : 1_000_012} ${of('key 1012')}`);
  }
  expect((await verified()).fault).toBeUndefined();
});

test('a long value that is of no key is found by a check of all', async () => {
  change("INSERT INTO long_values (value) VALUES (x'01')");
  expect((await verified()).fault?.message).toMatch('it has 16 long values, and 15 rows that have one');
});

test(`any bit of the file may flip, seed ${SEED}`, { timeout: 120_000 }, async () => {
  const random = new SeededRandom(SEED);
  const whole = `${directory}/../whole`;
  await copyFile(path, whole);
  const { size } = await stat(path);
  let foundCount = 0;
  for (let flip = 0; flip < FLIPS; flip++) {
    await copyFile(whole, path);
    const at = random.below(size);
    const file = await open(path, 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ (1 << random.below(8));
    await file.write(byte, 0, 1, at);
    await file.close();
    const report = await verified();
    const shown = await shownOr(() => openTestBase(directory).then(readAndClose));
    if (report.fault !== undefined) foundCount++;
    // What the check calls whole is whole; and a scan shows what was written, or fails.
    else expect(shown, `seed ${SEED}, flip ${flip} at ${at}`).toEqual(rows);
    if (shown !== undefined) {
      const others = shown.filter((row) => !rows.includes(row));
      expect(others, `seed ${SEED}, flip ${flip} at ${at}`).toEqual([]);
    }
  }
  expect(foundCount).toBeGreaterThan(FLIPS / 4);
});

async function readAndClose(base: Base): Promise<string[]> {
  try {
    return rowsOf(base);
  } finally {
    await base.close();
  }
}

/** @returns `undefined` where it was damaged. */
async function shownOr(read: () => Promise<string[]>): Promise<string[] | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isStoreError(error, 'damaged')) throw error;
    return undefined;
  }
}
