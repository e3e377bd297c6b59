/** The tools that read files know those of a node of a cluster; what `kelp restore` makes of them is a store that is alone. */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { restore } from '../../src/offline/restore.ts';
import { verifyDirectory } from '../../src/offline/verify/verify.ts';
import { allPairs } from '../store/model/readable.ts';
import { SharedBatches } from '../store/replication/shared-batches.ts';
import { TestNode } from '../store/replication/test-node.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { NO_PROGRESS, openFolder } from './folders.ts';
import { DATA_DIR, readFiles } from './small-stores.ts';

interface NodeFiles {
  readonly folder: string;
  readonly dataDir: string;
  readonly backupPath: string;
}

/** The files of a writer, and a backup of the half of what it has written. */
async function filesOfNode(): Promise<NodeFiles> {
  const folder = await temporaryDirectory();
  const node = await TestNode.open(new SharedBatches(), { name: 'node-0', seed: 1 });
  onTestFinished(() => node.close());
  await node.lead();
  await node.kv.grantLease(100_000, 7);
  await node.kv.put('a', '1', { leaseId: 7 });
  const backupPath = join(folder, 'backup');
  const pieces: Uint8Array[] = [];
  for await (const piece of node.store.backup()) pieces.push(piece);
  await writeFile(backupPath, Buffer.concat(pieces));
  await node.kv.put('b', '2');
  await node.store.snapshot();
  await node.kv.put('c', '3');
  await node.close();
  const dataDir = join(folder, 'node');
  for (const [path, bytes] of await readFiles(node.disk)) {
    const to = join(dataDir, path.slice(DATA_DIR.length));
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, bytes);
  }
  return { folder, dataDir, backupPath };
}

test('they are whole', async () => {
  const { dataDir } = await filesOfNode();
  expect(await verifyDirectory(dataDir, NO_PROGRESS)).toMatchObject({
    isWhole: true,
    damages: [],
    recovery: { kind: 'starts', revision: 3 },
  });
});

test.each([
  ['alone', false, ['a=1']],
  ['with the log of the node', true, ['a=1', 'b=2', 'c=3']],
])('a backup is restored %s as a store that is alone', async (_, hasLog, pairs) => {
  const { folder, dataDir, backupPath } = await filesOfNode();
  const restored = join(folder, 'restored');
  const logPaths = hasLog ? [dataDir] : [];
  const { revision } = await restore({ backupPath, dataDir: restored, logPaths }, NO_PROGRESS);
  expect(revision).toBe(pairs.length);
  // A start without a shared log is refused to what belongs to a cluster.
  const { store } = await openFolder(restored);
  expect(await allPairs(store)).toEqual(pairs);
  expect((await store.listLeases()).leases.map(({ leaseId }) => leaseId)).toEqual([7]);
  await store.put('d', '4');
  await store.close();
  await cp(restored, `${restored}-copy`, { recursive: true });
  const { store: again } = await openFolder(`${restored}-copy`);
  expect(await allPairs(again)).toEqual([...pairs, 'd=4']);
});
