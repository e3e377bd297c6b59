/** Opens a store with its calls. */
import type { Store } from '../api.ts';
import { systemClock, systemRandom } from '../clock.ts';
import { openDurableStore } from '../store/open-durable-store.ts';
import type { StoreOptions } from '../store/store-options.ts';
import { typeHooks } from '../types/type-hooks.ts';
import { CheckedStore } from './checked-store.ts';
import { KvStore } from './kv-store.ts';

/**
 * Opens the store of a data directory, or makes a new one.
 *
 * Rejects with a `StoreError`: `invalidArgument` when an option can't be used, or the directory is neither empty nor a
 * store's; `locked` when another process (or another store of this one) has the directory, `damaged` when what lies there
 * is not whole, `storageFailed` when the disk does not let it.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  return new CheckedStore(await openUncheckedStore(options));
}

/** Like `openStore`, without the checks of arguments: the server has made them by the time that it calls. */
export async function openUncheckedStore(options: StoreOptions): Promise<KvStore> {
  const store = await openDurableStore(options, typeHooks);
  const { clock = systemClock, random = systemRandom } = options;
  return new KvStore({ store, clock, random });
}
