/** A store on a simulated disk with its access, on a clock that a test moves. */
import { onTestFinished } from 'vitest';
import { Access } from '../../src/access/access.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import type { KvStore } from '../../src/kv/kv-store.ts';
import { engineOfStore } from '../store/model/engine-of-harness.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';

export interface Opened {
  readonly access: Access;
  readonly store: KvStore;
  readonly clock: ManualClock;
  /** Opens the same directory again. */
  readonly reopen: () => Promise<Opened>;
}

export async function opened(
  disk = new SimulatedDisk({ seed: 1 }),
  clock = new ManualClock(),
  engine = engineOfStore(),
): Promise<Opened> {
  const random = new SeededRandom(2);
  const store = await openUncheckedStore({ dataDir: '/data', disk, clock, random, ...engine });
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await store.close();
    isOpen = false;
  };
  onTestFinished(close);
  const reopen = async (): Promise<Opened> => {
    await close();
    return opened(disk, clock, engine);
  };
  return { access: new Access({ store, clock, random, passwordCost: 2 }), store, clock, reopen };
}
