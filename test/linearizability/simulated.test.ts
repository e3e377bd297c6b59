/**
 * Histories of clients of a store on a simulated machine, over crashes and losses of power, and now and then with a disk
 * that fails. LINEARIZABILITY_ROUNDS makes it so many times as many schedules, LINEARIZABILITY_SEED is the first seed.
 */
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { HeapEngine } from '../engine/contract/heap-engine.ts';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import { openStore } from '../../src/kv/open-store.ts';
import type { Store } from '../../src/api.ts';
import { Scheduler } from '../simulation/scheduler.ts';
import { simulateCompression } from '../simulation/simulated-compression.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { calledInProcess } from './called-store.ts';
import { findFault } from './find-fault.ts';
import { type Call, HistoryRecorder } from './history.ts';
import { makeCall } from './make-call.ts';
import { Workload } from './workload.ts';

const ROUNDS = Number(process.env['LINEARIZABILITY_ROUNDS'] ?? 1);
const FIRST_SEED = Number(process.env['LINEARIZABILITY_SEED'] ?? 1);
const LIVES = 4;
const CALLS_PER_LIFE = 15;
/** Enough for all calls of a life. */
const STEPS_MAX = 20_000;

describe('a simulated store that crashes is linearizable', () => {
  test.each([
    { name: 'HeapEngine', schedules: ROUNDS * 100, makeEngine: (): Engine => new HeapEngine() },
    { name: 'MemoryEngine', schedules: ROUNDS * 10, makeEngine: (): Engine => new MemoryEngine() },
  ])(
    'on the $name, in $schedules schedules',
    async ({ schedules, makeEngine }) => {
      let callCount = 0;
      for (let seed = FIRST_SEED; seed < FIRST_SEED + schedules; seed++) {
        const calls = await recordHistory(seed, makeEngine);
        callCount += calls.length;
        expect(findFault(calls), `seed ${seed}`).toBeUndefined();
      }
      expect(callCount).toBeGreaterThan(schedules * CALLS_PER_LIFE);
    },
    ROUNDS * 120_000,
  );
});

/** Some lives of one store, each with clients at work when it ends. */
async function recordHistory(seed: number, makeEngine: () => Engine): Promise<Call[]> {
  const random = new SeededRandom(seed);
  const scheduler = new Scheduler(random);
  const workload = new Workload(random);
  const recorder = new HistoryRecorder();
  const clientCount = random.between(2, 5);
  const snapshotLogBytes = random.pick([2000, 1_000_000]);
  const restore = simulateCompression(scheduler.schedule);
  let disk = new SimulatedDisk({ seed, schedule: scheduler.schedule });
  try {
    for (let life = 1; life <= LIVES; life++) {
      const opening = openStore({
        dataDir: '/data',
        limits: { segmentBytes: 4096, snapshotLogBytes },
        disk,
        clock: scheduler,
        random,
        makeEngine,
      });
      const store = await outcomeOf(opening, STEPS_MAX);
      if (store === undefined) throw new Error('the store does not open');
      if (life < LIVES && random.chance(0.2)) {
        disk.injectFault({ call: random.pick(['write', 'sync']), at: random.between(1, 20) });
      }
      const clients = Promise.all(
        Array.from({ length: clientCount }, (_, client) => runClient(store, client)),
      );
      await outcomeOf(clients, life === LIVES ? STEPS_MAX : random.below(400));
      disk = random.chance(0.5) ? disk.losePower() : disk.endProcess();
      scheduler.restart();
    }
  } finally {
    restore();
  }
  return recorder.calls;

  async function runClient(store: Store, client: number): Promise<void> {
    for (let count = 0; count < CALLS_PER_LIFE; count++) {
      await makeCall(calledInProcess(store), client, workload, recorder);
      // Writes of one turn of the event loop share a flush; some shall come later.
      if (random.chance(0.5)) await scheduler.pause();
    }
  }

  /** @returns what the promise gives, unless so many steps pass before. */
  async function outcomeOf<Value>(promise: Promise<Value>, steps: number): Promise<Value | undefined> {
    const settled: { value?: Value; error?: Error } = {};
    promise.then(
      (value) => (settled.value = value),
      (error: unknown) => (settled.error = error as Error),
    );
    const endsAt = scheduler.stepCount + steps;
    await scheduler.runUntil(
      () => settled.value !== undefined || settled.error !== undefined || scheduler.stepCount >= endsAt,
    );
    if (settled.error !== undefined) throw settled.error;
    return settled.value;
  }
}
