/** A replica that has begun with a snapshot: its log begins behind that, with the notes that came next. */
import { expect, onTestFinished, test } from 'vitest';
import { openReplica } from '../../../src/cluster/replica/open-replica.ts';
import { NO_NOTES } from '../../../src/store/replication/known-notes.ts';
import { visitRecords } from '../../../src/wal/frames/records.ts';
import { expectSame } from '../../store/replication/same-state.ts';
import type { DurableStore } from '../../../src/store/durable-store.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { DATA_DIR, Followed, hasty } from './followed.ts';

test('can be followed itself from the revision of the snapshot on, notes included', async () => {
  const server = new Followed(1);
  await server.open();
  onTestFinished(() => server.kv.close());
  while (server.store.head.oldestRevision < 5) {
    for (let count = 0; count < 20; count++) await server.kv.put(`key-${count}`, Buffer.alloc(1000));
    await server.store.snapshot();
  }
  const { revision } = server.store.head;
  const events: string[] = [];
  const replica = await openReplica(
    {
      store: { dataDir: DATA_DIR, disk: new SimulatedDisk({ seed: 2 }), clock: hasty },
      server,
      address: 'replica',
      onEvent: ({ kind }) => events.push(kind),
    },
    new AbortController().signal,
  );
  onTestFinished(async () => {
    await replica.node.close();
    await replica.store.close();
  });
  expect(events).toContain('snapshotFetched');

  await server.kv.grantLease(60_000, 7);
  await replica.node.readBarrier();
  const { seam } = replica.store;
  await expectSame(server.store, seam as DurableStore);
  expect(seam.head).toMatchObject({ revision, oldestRevision: revision + 1 });
  const place = { revision, incarnation: seam.incarnationOf(revision), notes: NO_NOTES };
  const feed = seam.records({ ...place, snapshotLife: seam.head.life });
  const { records } = await feed.next();
  await feed.close();
  let count = 0;
  visitRecords(records, 0, records.length, () => count++);
  expect(count).toBe(1);
  // Of another snapshot of that revision, and of its record, it is not known what is in the snapshot here.
  for (const snapshotLife of [undefined, '', 'f'.repeat(32)])
    expect(() => seam.records({ ...place, snapshotLife })).toThrow(/begin with a backup/);
  const before = { ...place, revision: revision - 1, incarnation: '' };
  expect(() => seam.records({ ...before, snapshotLife: seam.head.life })).toThrow(/begin with a backup/);
});
