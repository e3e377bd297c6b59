/** `kelp verify` of the engine btree, whose database is on the real disk. */
import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openStore } from '../../src/kv/open-store.ts';
import { verifyDirectory } from '../../src/offline/verify/verify.ts';
import type { VerifyReport } from '../../src/offline/verify/verify-report.ts';
import { temporaryDirectory } from '../support/test-server.ts';

const VALUE = 'a value that can be found in the file';

const verify = (dataDir: string): Promise<VerifyReport> => verifyDirectory(dataDir, () => undefined);

/** A checkpoint of twelve revisions, and one more in the log. */
async function written(): Promise<string> {
  const dataDir = await temporaryDirectory();
  const store = await openStore({ dataDir, engine: 'btree' });
  await store.grantLease(60_000, 7);
  for (let index = 1; index <= 12; index++) await store.put(`key${index}`, VALUE);
  await store.snapshot();
  await store.put('key13', VALUE);
  await store.close();
  return dataDir;
}

test('a database is found whole, with what is in it', async () => {
  const dataDir = await written();

  expect(await verify(dataDir)).toMatchObject({
    isWhole: true,
    wholeRevision: 13,
    engine: 'btree',
    base: { isWhole: true, revision: 12, leaseCount: 1 },
    damages: [],
    recovery: { kind: 'starts', revision: 13, baseRevision: 12, isBaseDamaged: false },
  });
});

test('a value that is not as it was written is damage, and so is a head that is none', async () => {
  const dataDir = await written();
  const file = `${dataDir}/base/kelp.sqlite`;
  const bytes = await readFile(file);
  for (const place of [bytes.indexOf(VALUE), 0]) {
    expect(place).toBeGreaterThanOrEqual(0);
    const harmed = Buffer.from(bytes);
    harmed[place] = (harmed[place] ?? 0) ^ 1;
    await writeFile(file, harmed);

    const report = await verify(dataDir);

    expect(report).toMatchObject({ isWhole: false, engine: 'btree', base: { isWhole: false } });
    expect(report.damages.map((damage) => damage.file)).toEqual([file]);
  }
  await writeFile(file, bytes);
  expect((await verify(dataDir)).isWhole).toBe(true);
});
