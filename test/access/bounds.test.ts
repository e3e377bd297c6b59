/** Access at the bounds of its store: who may do what can be changed when nothing else can be written. */
import { expect, it, onTestFinished } from 'vitest';
import { Access } from '../../src/access/access.ts';
import * as records from '../../src/access/records/access-records.ts';
import { makeRoot, setRootPassword } from '../../src/access/root.ts';
import type { Limits } from '../../src/limits.ts';
import type { KvStore } from '../../src/kv/kv-store.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { refused } from '../store/model/readable.ts';

const MiB = 1024 * 1024;

async function opened(options: { limits?: Partial<Limits>; memoryBytesMax?: number }): Promise<KvStore> {
  const disk = new SimulatedDisk({ seed: 1 });
  const store = await openUncheckedStore({
    dataDir: '/data',
    disk,
    clock: new ManualClock(),
    random: new SeededRandom(2),
    ...options,
  });
  onTestFinished(() => store.close());
  return store;
}

function accessOf(store: KvStore): Access {
  return new Access({ store, clock: new ManualClock(), random: new SeededRandom(3), passwordCost: 2 });
}

it('a store whose memory is full has its access changed as ever', async () => {
  const store = await opened({ memoryBytesMax: 8 * MiB });
  const access = accessOf(store);
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
});

it('values may be shorter than what is kept of a user', async () => {
  const access = accessOf(await opened({ limits: { valueBytesMax: 10 } }));
  await makeRoot(access, 'a password');
  expect(access.table.isClosed).toBe(true);
});
