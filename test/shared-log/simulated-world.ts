/** A simulated place for shared logs: its time and order are those of a seed. */
import type { Random } from '../../src/clock.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedLogSystem } from '../support/simulated-log-storage.ts';
import { Scheduler } from '../simulation/scheduler.ts';
import type { LogWorld } from './world.ts';

export interface SimulatedWorld extends LogWorld {
  readonly system: SimulatedLogSystem;
  readonly seeded: SeededRandom;
  readonly clock: Scheduler;
}

export function simulatedWorld(seed: number, lostChanges = 0): SimulatedWorld {
  const seeded = new SeededRandom(seed);
  const clock = new Scheduler(seeded);
  const system = new SimulatedLogSystem({ random: seeded, schedule: clock.schedule, lostChanges });
  const random: Random = { bytes: (count) => seeded.bytes(count) };
  let isOver = false;
  const run = clock.runUntil(() => isOver);
  return {
    system,
    seeded,
    clock,
    random,
    losesChanges: lostChanges > 0,
    storage: () => system.open(),
    wipe: async () => {
      system.head = undefined;
      system.records.clear();
    },
    putHead: async (head) => {
      system.head = head;
    },
    removeRecord: async (position) => {
      system.records.delete(position);
    },
    forget: async () => system.forget(),
    close: async () => {
      isOver = true;
      await run;
    },
  };
}
