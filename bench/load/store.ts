/** Stores in this process, and how they get their keys. */
import {
  type FsyncPolicy,
  openStore,
  type Operation,
  type Store,
  type StoreOptions,
} from '../../src/index.ts';
import type { CaseContext } from '../bench-case.ts';
import { keyOf, Values } from './data.ts';
import { engineMakers } from './engines.ts';
import { shuffledIndexes } from './random.ts';
import { underWay } from './under-way.ts';

const FILL_SEED = 1;
const FILL_TXN_PUTS = 500;
const FILL_UNDER_WAY = 8;

export function openBenchStore(
  context: CaseContext,
  dataDir: string,
  fsync: FsyncPolicy,
  options: Partial<StoreOptions> = {},
): Promise<Store> {
  const makeEngine = engineMakers[context.engine];
  return openStore({ dataDir, fsync, ...(makeEngine === undefined ? {} : { makeEngine }), ...options });
}

/** Writes `keyCount` keys in random order, many in one transaction. */
export async function fillStore(store: Store, keyCount: number, values = new Values()): Promise<void> {
  const order = shuffledIndexes(keyCount, FILL_SEED);
  await underWay(FILL_UNDER_WAY, Math.ceil(keyCount / FILL_TXN_PUTS), async (index) => {
    const first = index * FILL_TXN_PUTS;
    const success = Array.from(order.subarray(first, first + FILL_TXN_PUTS), (keyIndex): Operation => ({
      kind: 'put',
      key: keyOf(keyIndex),
      value: values.of(keyIndex),
    }));
    await store.txn({ success });
  });
}

/** Opens an empty store, writes `keyCount` keys, does `run` with it and closes it. */
export async function withFilledStore(
  context: CaseContext,
  fsync: FsyncPolicy,
  run: (store: Store) => Promise<void>,
): Promise<void> {
  const store = await openBenchStore(context, `${context.directory}/${fsync}`, fsync);
  try {
    await fillStore(store, context.keyCount);
    await run(store);
  } finally {
    await store.close();
  }
}
