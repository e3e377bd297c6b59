/**
 * Writes snapshots, with nothing else to do and beside writers. The stall without a snapshot is measured too: what
 * writes alone cause is not the snapshot's doing, so read one against the other.
 */
import type { Store } from '../../src/index.ts';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { keyOf, randomKeys, Values } from '../load/data.ts';
import { longestStallMs } from '../load/stall-meter.ts';
import { withFilledStore } from '../load/store.ts';

const WRITERS = 16;
const KEYS_DRAWN = 10_000;

export const storeSnapshot: BenchCase = {
  async run(context) {
    await withFilledStore(context, 'never', async (store) => {
      await measureAlone(context, store);
      await measureUnderLoad(context, store);
    });
  },
};

async function measureAlone(context: CaseContext, store: Store): Promise<void> {
  const times: number[] = [];
  const stalls: number[] = [];
  for (let repetition = 0; repetition < context.repetitions; repetition++) {
    // A store that has not changed has its snapshot already.
    await store.put(keyOf(0), new Values().of(repetition));
    stalls.push(await longestStallMs(async () => times.push(await secondsOf(() => store.snapshot()))));
  }
  context.report({ name: 'snapshot, no writes: whole time', unit: 's', samples: times });
  context.report({ name: 'snapshot, no writes: longest stall', unit: 'ms', samples: stalls });
}

async function measureUnderLoad(context: CaseContext, store: Store): Promise<void> {
  const load = startWriters(store, context.keyCount);
  const times: number[] = [];
  const stalls: number[] = [];
  const stallsWithout: number[] = [];
  for (let repetition = 0; repetition < context.repetitions; repetition++) {
    let seconds = 0;
    stalls.push(await longestStallMs(async () => (seconds = await secondsOf(() => store.snapshot()))));
    times.push(seconds);
    // For as long again, so that the garbage collector has the same chance to get in between.
    stallsWithout.push(
      await longestStallMs(() => new Promise((resolve) => setTimeout(resolve, seconds * 1000))),
    );
  }
  await load.stop();
  const head = `snapshot, ${WRITERS} writers`;
  context.report({ name: `${head}: whole time`, unit: 's', samples: times });
  context.report({ name: `${head}: longest stall`, unit: 'ms', samples: stalls });
  context.report({
    name: `no snapshot, ${WRITERS} writers: longest stall`,
    unit: 'ms',
    samples: stallsWithout,
  });
}

function startWriters(store: Store, keyCount: number): { stop(): Promise<void> } {
  const values = new Values();
  const keys = randomKeys(KEYS_DRAWN, keyCount, 1);
  const stopping = new AbortController();
  const write = async (first: number): Promise<void> => {
    for (let index = first; !stopping.signal.aborted; index++)
      await store.put(keys[index % keys.length] ?? '', values.of(index));
  };
  const writers = Array.from({ length: WRITERS }, (_, index) => write(index * WRITERS));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(writers);
    },
  };
}

async function secondsOf(run: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await run();
  return (performance.now() - startMs) / 1000;
}
