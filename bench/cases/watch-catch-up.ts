/**
 * Measures what watches that read the past from the log, as all do after an outage of theirs, cost those who write
 * meanwhile. Read the puts beside the watches against those alone, and the 99th of 100 rather than the longest, which
 * another process may have caused.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Store } from '../../src/index.ts';
import { type BenchCase, type CaseContext, operationCount } from '../bench-case.ts';
import { keyOf, Values } from '../load/data.ts';
import { quantile } from '../load/statistics.ts';
import { openBenchStore } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';

const PAST_PUTS = 300_000;
const PAST_KEYS = 10_000;
const FILL_UNDER_WAY = 256;
const WATCHERS = 10;

/** The steady load does not wait for its answers, so that a store that is late can not slow it down. */
const STEADY_INTERVAL_MS = 5;
const QUIET_PUTS = 400;

export const watchCatchUp: BenchCase = {
  async run(context) {
    const store = await openBenchStore(context, `${context.directory}/data`, 'never');
    const values = new Values();
    const pastPuts = operationCount(context, PAST_PUTS);
    await underWay(FILL_UNDER_WAY, pastPuts, (index) =>
      store.put(keyOf(index % PAST_KEYS), values.of(index)),
    );
    report(context, 'no watchers', await latenciesOfPuts(store, values, QUIET_PUTS));

    let isDone = false;
    const startMs = performance.now();
    const caughtUp = Promise.all(Array.from({ length: WATCHERS }, () => eventsUntilSynced(store))).finally(
      () => (isDone = true),
    );
    const latencies = await latenciesOfPuts(store, values, Infinity, () => isDone);
    const eventCounts = await caughtUp;
    const seconds = (performance.now() - startMs) / 1000;
    if (eventCounts.some((count) => count < pastPuts)) throw new Error('a watcher did not get every event');
    const name = `${WATCHERS} watchers catch up`;
    report(context, name, latencies);
    const eventCount = eventCounts.reduce((sum, count) => sum + count, 0);
    context.report({ name: `${name}: events`, unit: 'events/s', samples: [eventCount / seconds] });
    await store.close();
  },
};

function report(context: CaseContext, name: string, latencies: readonly number[]): void {
  context.report({ name: `${name}: put, median`, unit: 'ms', samples: [quantile(latencies, 0.5)] });
  context.report({ name: `${name}: put, p99`, unit: 'ms', samples: [quantile(latencies, 0.99)] });
  context.report({ name: `${name}: put, longest`, unit: 'ms', samples: [quantile(latencies, 1)] });
}

/** Puts at a steady pace until there were so many, or it is over; each is timed from when it was to begin. */
async function latenciesOfPuts(
  store: Store,
  values: Values,
  countMax: number,
  isOver = () => false,
): Promise<number[]> {
  const startMs = performance.now();
  const latencies: Promise<number>[] = [];
  for (let index = 0; index < countMax && !isOver(); index++) {
    const dueMs = startMs + index * STEADY_INTERVAL_MS;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await delay(waitMs);
    const done = store.put(keyOf(index % PAST_KEYS), values.of(index));
    latencies.push(done.then(() => performance.now() - dueMs));
  }
  return Promise.all(latencies);
}

/** Watches all keys from the first revision on. @returns how many events there were until it had caught up. */
async function eventsUntilSynced(store: Store): Promise<number> {
  let count = 0;
  for await (const message of store.watch({ startRevision: 1 })) {
    if (message.kind === 'synced') break;
    if (message.kind === 'events') count += message.events.length;
  }
  return count;
}
