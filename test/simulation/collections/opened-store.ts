/** A store as clients have it, and the parts of it that doors have: those reach collections. */
import type { Clock, Random } from '../../../src/clock.ts';
import type { Store } from '../../../src/api.ts';
import { CheckedStore } from '../../../src/kv/checked-store.ts';
import { KvStore } from '../../../src/kv/kv-store.ts';
import type { DurableStore } from '../../../src/store/durable-store.ts';
import { openDurableStore } from '../../../src/store/open-durable-store.ts';
import type { StoreOptions } from '../../../src/store/store-options.ts';
import { typeHooks } from '../../../src/types/type-hooks.ts';
import type { GivenIds } from './given-ids.ts';

export interface StoreParts {
  readonly kv: KvStore;
  readonly durable: DurableStore;
  /** Those that it has given out. */
  readonly ids: GivenIds;
}

const partsByStore = new WeakMap<Store, StoreParts>();

/** As `openStore` does. */
export async function openWithParts(
  ids: GivenIds,
  options: StoreOptions & { readonly clock: Clock; readonly random: Random },
): Promise<Store> {
  const durable = await openDurableStore(options, typeHooks);
  const kv = new KvStore({ store: durable, clock: options.clock, random: options.random });
  const store = new CheckedStore(kv);
  partsByStore.set(store, { kv, durable, ids });
  return store;
}

export function partsOf(store: Store): StoreParts {
  const parts = partsByStore.get(store);
  if (parts === undefined) throw new Error('the store was opened in another way');
  return parts;
}
