/** Backups of stores with an engine on disk hold up neither checkpoints nor writes, and hold one state exactly. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Store } from '../../../src/api.ts';
import { openStore } from '../../../src/kv/open-store.ts';
import { restore } from '../../../src/offline/restore.ts';
import { SeededRandom } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { allPairs } from '../model/readable.ts';

const MIB = 1024 * 1024;
const KEYS = 1000;
const VALUE_BYTES = 3000;
const ROUNDS = 12;

it.each(['lsm', 'bitcask', 'btree'] as const)(
  'many times what a checkpoint takes is written with %s while a backup is read slowly',
  { timeout: 120_000 },
  async (engine) => {
    const dataDir = await temporaryDirectory();
    let checkpointCount = 0;
    const random = new SeededRandom(1);
    const store = await openStore({
      dataDir,
      engine,
      fsync: 'never',
      limits: { checkpointBytes: MIB },
      memoryBytesMax: 24 * MIB,
      onEvent: ({ kind }) => {
        if (kind === 'checkpointWritten') checkpointCount++;
      },
    });
    await store.grantLease(3_600_000, 7);
    for (let index = 0; index < KEYS; index++) await store.put(`k${index}`, random.bytes(VALUE_BYTES));
    await store.put('leased', 'v', { leaseId: 7 });
    await store.set.add('set', ['a', 'b']);
    const before = await contentOf(store);

    const backup = store.backup();
    const pieces = [await next(backup)];
    const countBefore = checkpointCount;
    for (let round = 0; round < ROUNDS; round++) {
      // Each put is taken: none is refused.
      for (let index = 0; index < KEYS; index++) await store.put(`k${index}`, random.bytes(VALUE_BYTES));
      await store.delete(`k${round}`);
      if (round === 3) await store.delete('set');
      if (round === 6) await store.compactStorage();
      if (round % 3 === 2) expect((await store.snapshot()).revision).toBe((await store.status()).revision);
      const piece = await next(backup);
      if (piece !== undefined) pieces.push(piece);
    }
    await store.revokeLease(7);
    expect(checkpointCount - countBefore).toBeGreaterThanOrEqual(ROUNDS / 3);
    for await (const piece of backup) pieces.push(piece);
    await store.close();
    if (engine !== 'btree') {
      const manifest = await readFile(join(dataDir, 'base/manifest'), 'utf8');
      const left = (await readdir(join(dataDir, 'base'))).filter((name) => name.endsWith('.run'));
      // The files that only the backup has read are gone.
      for (const name of left) expect(manifest).toContain(`"number": ${Number.parseInt(name, 10)},`);
    }

    const backupPath = join(await temporaryDirectory(), 'kelp.backup');
    await writeFile(backupPath, Buffer.concat(pieces.filter((piece) => piece !== undefined)));
    const restoredTo = await temporaryDirectory();
    await restore({ backupPath, dataDir: restoredTo, engine, logPaths: [] }, () => undefined);
    const again = await openStore({ dataDir: restoredTo, engine });
    expect(await contentOf(again)).toEqual(before);
    await again.close();
  },
);

async function next(backup: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  const step = await backup.next();
  return step.done === true ? undefined : step.value;
}

async function contentOf(store: Store): Promise<unknown> {
  const { revision, keyCount, leaseCount } = await store.status();
  const { keys } = await store.getLease(7, { includeKeys: true });
  const { contained } = await store.set.contains('set', ['a', 'b', 'c']);
  return { pairs: await allPairs(store), revision, keyCount, leaseCount, keys, contained };
}
