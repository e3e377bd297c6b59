/** Directories of a read replica and of others: each is opened as what it is. */
import { expect, onTestFinished, test } from 'vitest';
import { openReplica } from '../../../src/cluster/replica/open-replica.ts';
import type { OpenedNode } from '../../../src/cluster/open-node.ts';
import { FollowError } from '../../../src/cluster/replica/followed-server.ts';
import { openStore } from '../../../src/kv/open-store.ts';
import { SharedBatches } from '../../store/replication/shared-batches.ts';
import { TestNode } from '../../store/replication/test-node.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { DATA_DIR, Followed, hasty } from './followed.ts';

const NEVER = new AbortController().signal;

function open(server: Followed, disk: SimulatedDisk, signal = NEVER): Promise<OpenedNode> {
  const store = { dataDir: DATA_DIR, disk, clock: hasty };
  return openReplica({ store, server, address: 'replica' }, signal);
}

async function close({ node, store }: OpenedNode): Promise<void> {
  await node.close();
  await store.close();
}

async function startServer(seed: number): Promise<Followed> {
  const server = new Followed(seed);
  await server.open();
  onTestFinished(() => server.kv.close());
  return server;
}

test('a replica that has followed nothing yet is refused without its server, and with a shared log', async () => {
  const server = await startServer(1);
  const disk = new SimulatedDisk({ seed: 2 });
  await close(await open(server, disk));

  await expect(openStore({ dataDir: DATA_DIR, disk, clock: hasty })).rejects.toThrow(
    'start it with --follow',
  );
  const { storeId } = server.store.head;
  const node = TestNode.open(new SharedBatches(), { name: 'node-0', seed: 1, disk, storeId });
  await expect(node).rejects.toThrow('follows a running server (--follow)');
});

test('the directory of a node of a cluster is refused', async () => {
  const server = await startServer(1);
  const { storeId } = server.store.head;
  const node = await TestNode.open(new SharedBatches(), { name: 'node-0', seed: 1, storeId });
  await node.lead();
  await node.kv.put('a', '1');
  await node.close();
  await expect(open(server, node.disk)).rejects.toThrow('of a node of a cluster (--log)');
});

test('the directory of another server is refused, and that of one which is behind it', async () => {
  const server = await startServer(1);
  await server.kv.put('a', '1');
  const disk = new SimulatedDisk({ seed: 2 });
  const opened = await open(server, disk);
  await opened.node.readBarrier();
  await close(opened);

  const other = await startServer(9);
  await expect(open(other, disk)).rejects.toThrow('of another store');
  server.head = () => Promise.resolve({ ...server.store.head, revision: 0 });
  await expect(open(server, disk)).rejects.toThrow('put back to an earlier state');
});

test('an empty directory waits for its server, for as long as it is wanted', async () => {
  const server = new Followed(1);
  const end = new AbortController();
  const asked = Promise.withResolvers<void>();
  server.head = () => {
    asked.resolve();
    return Promise.reject(new FollowError('unavailable', 'it is down'));
  };
  const opening = open(server, new SimulatedDisk({ seed: 2 }), end.signal);
  await asked.promise;
  end.abort(new Error('no more'));
  await expect(opening).rejects.toThrow('no more');
});
