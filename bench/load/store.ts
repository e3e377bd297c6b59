/** Stores in this process, and how they get their keys. */
import {
  type FsyncPolicy,
  openStore,
  type Operation,
  type Store,
  type StoreOptions,
} from '../../src/index.ts';
import { operationCount, type CaseContext } from '../bench-case.ts';
import { keyOf, Values } from './data.ts';
import { engineMakers } from './engines.ts';
import { shuffledIndexes } from './random.ts';
import { underWay } from './under-way.ts';

const FILL_SEED = 1;
const FILL_TXN_PUTS = 500;
const FILL_UNDER_WAY = 8;
const WARM_UP_UNDER_WAY = 256;

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

const WARM_UP_KEYS = 100_000;

/**
 * Fills another store and empties it. Compiled code and what the C library keeps for itself are what a process costs, not
 * what its keys do.
 */
export async function warmUpMemory(context: CaseContext, options: Partial<StoreOptions> = {}): Promise<void> {
  const directory = `${context.directory}/${process.pid}-warm-up`;
  const store = await openBenchStore(context, directory, 'never', options);
  const keyCount = operationCount(context, WARM_UP_KEYS);
  await fillStore(store, keyCount);
  await underWay(WARM_UP_UNDER_WAY, keyCount, (index) => store.delete(keyOf(index)));
  await store.close();
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
