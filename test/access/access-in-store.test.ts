/** Access beside all else in its store: when that is full, or fails, in watches, and in changes at the same time. */
import { expect, it, onTestFinished } from 'vitest';
import { Access } from '../../src/access/access.ts';
import * as records from '../../src/access/records/access-records.ts';
import { makeRoot, setRootPassword } from '../../src/access/root.ts';
import { AccessDraft } from '../../src/access/records/access-draft.ts';
import type { KvStore } from '../../src/kv/kv-store.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import type { StoreOptions } from '../../src/store/store-options.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { engineOfTests } from '../support/test-engine.ts';
import { engineOfStore } from '../store/model/engine-of-harness.ts';
import { refused } from '../store/model/readable.ts';
import { Bases } from '../store/durable/layered-store.ts';

const MiB = 1024 * 1024;

interface Opened {
  readonly access: Access;
  readonly store: KvStore;
  readonly disk: SimulatedDisk;
}

async function opened(options: Partial<StoreOptions>): Promise<Opened> {
  const disk = new SimulatedDisk({ seed: 1 });
  const [clock, random] = [new ManualClock(), new SeededRandom(2)];
  const all = { ...options, ...engineOfStore(options) };
  const store = await openUncheckedStore({ dataDir: '/data', disk, clock, random, ...all });
  onTestFinished(() => store.close().catch(() => undefined));
  return { access: new Access({ store, clock, random, passwordCost: 2 }), store, disk };
}

// Over files a write that finds no room waits for a checkpoint, which makes some.
it.skipIf(engineOfTests() !== undefined)(
  'a store whose memory is full has its access changed as ever',
  async () => {
    const { access, store } = await opened({ memoryBytesMax: 8 * MiB });
    await makeRoot(access, 'a password');
    await access.change((draft) => {
      records.createRole(draft, 'writer');
      records.createUser(draft, 'mallory', { password: undefined, roles: ['writer'], nowMs: 1 });
    });
    const fill = async (value: string): Promise<void> => {
      for (let index = 0; index < 100_000; index++) await store.put(`key ${value.length} ${index}`, value);
    };
    await refused(fill('v'.repeat(10_000)), 'limitReached');
    await refused(fill(''), 'limitReached');

    await access.change((draft) => records.takeRole(draft, 'mallory', 'writer'));
    await setRootPassword(access, 'another password');
    await access.change((draft) => records.createRole(draft, 'reader'));
    expect(access.table.user('mallory')?.roles).toEqual([]);
    await refused(store.put('more', 'v'), 'limitReached');
  },
);

it('values may be shorter than what is kept of a user', async () => {
  const { access } = await opened({ limits: { valueBytesMax: 10 } });
  await makeRoot(access, 'a password');
  expect(access.table.isClosed).toBe(true);
});

it('a watch of all keys from the beginning has no change of access, and goes on behind them', async () => {
  const { access, store } = await opened({});
  await store.put('a', '1');
  await makeRoot(access, 'a password');
  await access.change((draft) => records.createRole(draft, 'reader'));
  await store.put('b', '2');
  await store.transact((view) => {
    records.deleteRole(new AccessDraft(view), 'reader');
    view.put(Buffer.from('c'), Buffer.from('3'));
  });
  await access.change((draft) => records.createRole(draft, 'another'));
  const told: unknown[] = [];
  for await (const message of store.watch({ startRevision: 1, progressIntervalMs: 100 })) {
    if (message.kind === 'events')
      told.push(
        message.revision,
        ...message.events.map((event) => ('entry' in event ? event.entry.key : event)),
      );
    else told.push(message.kind, message.revision);
    if (message.kind === 'synced') break;
  }
  expect(told).toEqual([1, 'a', 4, 'b', 5, 'c', 'synced', 6]);
  const current: unknown[] = [];
  for await (const message of store.watch({ includeCurrent: true })) {
    if (message.kind === 'current') current.push(...message.entries.map(({ key }) => key));
    if (message.kind === 'synced') break;
  }
  expect(current).toEqual(['a', 'b', 'c']);
});

it('a change that the log fails in the middle of is in effect for nobody, and what was before still is', async () => {
  const { access, store, disk } = await opened({ fsync: 'always' });
  await makeRoot(access, 'a password');
  await access.change((draft) => {
    records.createRole(draft, 'writer');
    records.createUser(draft, 'ann', { password: undefined, roles: ['writer'], nowMs: 1 });
  });
  const { generation } = access.table;
  disk.injectFault({ call: 'sync' });
  const changes = [
    access.change((draft) => records.takeRole(draft, 'ann', 'writer')),
    access.change((draft) => records.deleteUser(draft, 'ann')),
  ];
  for (const change of changes) await refused(change, 'storageFailed');
  await refused(
    access.change((draft) => records.createRole(draft, 'late')),
    'readOnly',
  );
  expect(access.table.user('ann')?.roles).toEqual(['writer']);
  expect(access.table.generation).toBe(generation);
  expect(store.readVisible((view) => records.users(view)).map(([name]) => name)).toEqual(['ann', 'root']);
});

it('changes at the same time are each decided by what those before have left', async () => {
  const { access } = await opened({});
  await makeRoot(access, 'a password');
  const create = (): Promise<void> => access.change((draft) => records.createRole(draft, 'reader'));
  const results = await Promise.allSettled([
    create(),
    create(),
    access.change((draft) =>
      records.createUser(draft, 'ann', { password: undefined, roles: ['reader'], nowMs: 1 }),
    ),
    access.change((draft) => records.deleteRole(draft, 'reader')),
    access.change((draft) => records.giveRole(draft, 'ann', 'reader')),
    access.change((draft) => records.deleteUser(draft, 'ann')),
    access.change((draft) =>
      records.createToken(draft, 'ci', {
        hash: Buffer.alloc(32),
        user: 'ann',
        createTimeMs: 1,
        expireTimeMs: 0,
      }),
    ),
    create(),
  ]);
  expect(
    results.map((result) =>
      result.status === 'fulfilled' ? 'done' : (result.reason as { code: string }).code,
    ),
  ).toEqual(['done', 'nameTaken', 'done', 'done', 'nameNotFound', 'done', 'nameNotFound', 'done']);
  expect(access.table.user('ann')).toBeUndefined();
  expect(access.table.tokenByHash(Buffer.alloc(32).toString('hex'))).toBeUndefined();
});

it('a change is in effect though no file can be read behind it: what has just become visible is in memory', async () => {
  const bases = new Bases();
  const { access, store } = await opened({ engine: 'lsm', makeEngine: bases.makeEngine });
  await makeRoot(access, 'a password');
  await access.change((draft) => {
    records.createRole(draft, 'reader');
    records.createUser(draft, 'ann', { password: undefined, roles: ['reader'], nowMs: 1 });
  });
  await store.snapshot();
  store.seam.onVisible(() => {
    for (const key of bases.newest.keys()) bases.newest.unreadable.add(key);
  });
  await access.change((draft) => records.deleteUser(draft, 'ann'));
  expect(bases.newest.unreadable.size).toBeGreaterThan(0);
  expect(access.table.user('ann')).toBeUndefined();
  // What lies in files can't be read, so it is not changed either.
  await refused(
    access.change((draft) => records.deleteRole(draft, 'reader')),
    'readFailed',
  );
  expect(access.table.role('reader')).toBeDefined();
});
