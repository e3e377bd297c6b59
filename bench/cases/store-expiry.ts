/**
 * All keys pass the same deadline at once: how fast they are removed, and what that holds up. The longest stall is the
 * longest time in which the event loop served no call until they were gone.
 */
import { systemClock } from '../../src/clock.ts';
import type { Operation, Store } from '../../src/index.ts';
import type { BenchCase } from '../bench-case.ts';
import { keyOf, Values } from '../load/data.ts';
import { longestStallMs } from '../load/stall-meter.ts';
import { openBenchStore } from '../load/store.ts';

const TTL_MS = 1000;
const TXN_PUTS = 500;
const LOOK_MS = 20;

export const storeExpiry: BenchCase = {
  async run(context) {
    const { keyCount } = context;
    // The wall clock stands while the keys are written, so that they share one deadline, and then jumps to it.
    let nowMs = systemClock.nowMs();
    const clock = { ...systemClock, nowMs: () => nowMs };
    const store = await openBenchStore(context, `${context.directory}/${process.pid}`, 'never', { clock });
    await fill(store, keyCount);
    let beganMs = 0;
    const stallMs = await longestStallMs(async () => {
      nowMs += TTL_MS;
      await removed(store, keyCount - 1);
      beganMs = performance.now();
      await removed(store, 0);
    });
    const seconds = (performance.now() - beganMs) / 1000;
    await store.close();
    const head = 'keys that share one deadline';
    context.report({ name: `${head}: removals`, unit: 'operations/s', samples: [keyCount / seconds] });
    context.report({ name: `${head}: longest stall`, unit: 'ms', samples: [stallMs] });
  },
};

async function fill(store: Store, keyCount: number): Promise<void> {
  const values = new Values();
  for (let first = 0; first < keyCount; first += TXN_PUTS) {
    const count = Math.min(TXN_PUTS, keyCount - first);
    const success = Array.from({ length: count }, (_, index): Operation => ({
      kind: 'put',
      key: keyOf(first + index),
      value: values.of(index),
      ttlMs: TTL_MS,
    }));
    await store.txn({ success });
  }
}

/** Waits until so many keys or fewer are left. */
async function removed(store: Store, leftMax: number): Promise<void> {
  while ((await store.status()).keyCount > leftMax) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
