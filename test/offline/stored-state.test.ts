/** What `kelp log` says of the files of an engine on disk, since these are why its log need not have everything. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../src/kv/open-store.ts';
import { Kelp } from '../cli/kelp.ts';
import { temporaryDirectory } from '../support/test-server.ts';

const offline = new Kelp('127.0.0.1:1');

/** A store with a checkpoint of revision 20, and 5 revisions behind it. */
async function storeOf(engine: 'btree' | 'lsm' | 'bitcask'): Promise<string> {
  const dataDir = join(await temporaryDirectory(), 'data');
  const limits = { segmentBytes: 4096, logRetentionBytes: 0, historyRevisionsMax: 1 };
  const store = await openStore({ dataDir, engine, limits });
  for (let index = 0; index < 20; index++) await store.put(`key-${index}`, Buffer.alloc(1000));
  await store.snapshot();
  for (let index = 0; index < 5; index++) await store.put(`late-${index}`, 'v');
  await store.close({ snapshotMsMax: 0 });
  return dataDir;
}

test.each(['btree', 'lsm', 'bitcask'] as const)(
  'the log of %s is told with the revision of its files',
  async (engine) => {
    const dataDir = await storeOf(engine);
    const { code, stdout, stderr } = await offline.run(['log', dataDir, '--json']);
    expect(code).toBe(0);
    const first = Number(/"revision":(\d+)/.exec(stdout)?.[1]);
    expect(first).toBeGreaterThan(1);
    expect(stderr).toContain(`the log begins at revision ${first}\n`);
    expect(stderr).toContain(`the files of the engine ${engine} hold all up to revision 20: a start reads`);
    const behind = await offline.run(['log', dataDir, '--from', '26']);
    expect(behind).toMatchObject({ code: 0, stdout: '' });
    expect(behind.stderr).toContain('the log ends at revision 25\n');
    // A folder of segments has no files of an engine.
    expect((await offline.run(['log', join(dataDir, 'log')])).stderr).not.toContain('the files');
  },
);

test('files that are empty, or damaged, are told of, too, and the log is printed all the same', async () => {
  const empty = join(await temporaryDirectory(), 'data');
  const store = await openStore({ dataDir: empty, engine: 'lsm' });
  await store.put('k', 'v');
  await store.close({ snapshotMsMax: 0 });
  const told = await offline.run(['log', empty]);
  expect(told.stdout).toMatch(/put +k /);
  expect(told.stderr).toContain('the files of the engine lsm are empty: no checkpoint yet\n');

  for (const [engine, name] of [
    ['lsm', 'manifest'],
    ['btree', 'kelp.sqlite'],
  ] as const) {
    const dataDir = await storeOf(engine);
    const path = join(dataDir, 'base', name);
    await writeFile(path, (await readFile(path)).fill(0, 0, 200));
    const { code, stdout, stderr } = await offline.run(['log', dataDir]);
    expect(code, engine).toBe(0);
    expect(stdout).toMatch(/late-4/);
    expect(stderr).toContain(`the files of the engine ${engine} are damaged: kelp verify says more\n`);
  }
});
