/**
 * Measures whether the long streams of a client hold up its short calls: all come to one process, over connections of
 * one client. Read the gets beside the watches against the gets alone, and the 99th of 100 rather than the median.
 * These are times by the clock of two processes: they mean something on a machine that does nothing else only.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '../../src/client/client.ts';
import type { KelpClient } from '../../src/client/client.ts';
import { type BenchCase, type CaseContext, operationCount } from '../bench-case.ts';
import { keyOf, Values } from '../load/data.ts';
import { startKelp } from '../load/kelp-server.ts';
import { quantile } from '../load/statistics.ts';
import { openBenchStore } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';

const PAST_PUTS = 50_000;
const PAST_KEYS = 10_000;
const FILL_UNDER_WAY = 256;
const WATCHES = 30;
const QUIET_GETS = 1000;
const PAUSE_MS = 2;

export const servedCatchUp: BenchCase = {
  async prepare(context) {
    const store = await openBenchStore(context, `${context.directory}/data`, 'never');
    const values = new Values();
    await underWay(FILL_UNDER_WAY, pastPuts(context), (index) =>
      store.put(keyOf(index % PAST_KEYS), values.of(index)),
    );
    await store.close();
  },

  async run(context) {
    const server = await startKelp(context, `${context.directory}/data`, 'never');
    const client = createClient({ address: server.ready });
    try {
      await latenciesOfGets(client, operationCount(context, QUIET_GETS), () => false);
      report(
        context,
        'no watches',
        await latenciesOfGets(client, operationCount(context, QUIET_GETS), () => false),
      );
      let isDone = false;
      const startMs = performance.now();
      const caughtUp = Promise.all(Array.from({ length: WATCHES }, () => eventsUntilSynced(client))).finally(
        () => (isDone = true),
      );
      report(context, `${WATCHES} watches`, await latenciesOfGets(client, Infinity, () => isDone));
      const eventCounts = await caughtUp;
      const seconds = (performance.now() - startMs) / 1000;
      if (eventCounts.some((count) => count < pastPuts(context))) throw new Error('a watch missed an event');
      const eventCount = eventCounts.reduce((sum, count) => sum + count, 0);
      context.report({
        name: `${WATCHES} watches: events`,
        unit: 'events/s',
        samples: [eventCount / seconds],
      });
    } finally {
      client.close();
      await server.stop();
    }
  },
};

function pastPuts(context: CaseContext): number {
  return operationCount(context, PAST_PUTS);
}

function report(context: CaseContext, name: string, latencies: readonly number[]): void {
  context.report({ name: `${name}: get, median`, unit: 'ms', samples: [quantile(latencies, 0.5)] });
  context.report({ name: `${name}: get, p99`, unit: 'ms', samples: [quantile(latencies, 0.99)] });
}

/** One get at a time, until there were so many or it is over. */
async function latenciesOfGets(
  client: KelpClient,
  countMax: number,
  isOver: () => boolean,
): Promise<number[]> {
  const latencies: number[] = [];
  while (latencies.length < countMax && !isOver()) {
    const startMs = performance.now();
    await client.get(keyOf(latencies.length % PAST_KEYS));
    latencies.push(performance.now() - startMs);
    await delay(PAUSE_MS);
  }
  return latencies;
}

async function eventsUntilSynced(client: KelpClient): Promise<number> {
  let count = 0;
  for await (const message of client.watch({ startRevision: 1 })) {
    if (message.kind === 'events') count += message.events.length;
    if (message.kind === 'synced') break;
  }
  return count;
}
