/** What the opening of a store after a crash must stand: something goes wrong at every place of it in turn. */
import { describe, expect, test } from 'vitest';
import type { Fault } from '../support/simulated-fault.ts';
import { partUnlessWhole, places } from '../support/share.ts';
import type { CrashKind } from './machine.ts';
import type { EngineName } from './engines.ts';
import { runRecovery, type SweptLife } from './sweep.ts';

/** The script is broken off at so many places, spread evenly. */
const PLACES = 6;
const TIMEOUT_MS = 1_800_000;

/** @param clean the life in which nothing goes wrong: `runScript({ crash: 'endProcess' }, undefined, engine)`. */
export function testRecoverySweep(engine: EngineName, clean: SweptLife): void {
  // The places of the log are the same over each engine.
  const part = engine === 'heap' ? 1 : partUnlessWhole(0.15);
  const endSteps = Array.from({ length: PLACES }, (_, index) =>
    Math.round((clean.stepCount * (index + 0.5)) / PLACES),
  );

  describe.each(['endProcess', 'losePower'] as const)(
    `an opening over the engine ${engine} after a crash (%s)`,
    (crash) => {
      test(
        'may be broken off at any step',
        async () => {
          for (const endStep of endSteps) {
            const { stepCount } = await opened(endStep, crash);
            for (const recoverySteps of places(stepCount, part)) {
              const secondCrash = recoverySteps % 2 === 0 ? 'losePower' : 'endProcess';
              await runRecovery({ endStep, crash, recoverySteps, secondCrash }, engine).catch(
                during(`a crash at step ${endStep} and one ${recoverySteps} steps into the recovery`),
              );
            }
          }
        },
        TIMEOUT_MS,
      );

      test(
        'stands a fault of every call of the disk',
        async () => {
          for (const endStep of endSteps) {
            const { countByCall } = await opened(endStep, crash);
            const callCount = [...countByCall.values()].reduce((sum, count) => sum + count, 0);
            const faults = Array.from({ length: callCount }, (_, index) => faultsAt(index + 1)).flat();
            for (const place of places(faults.length, part)) {
              const fault = faults[place];
              if (fault === undefined) continue;
              const mishap = { endStep, crash, fault, secondCrash: 'losePower' } as const;
              await runRecovery(mishap, engine).catch(
                during(`a crash at step ${endStep} and ${JSON.stringify(fault)}`),
              );
            }
          }
        },
        TIMEOUT_MS,
      );
    },
  );

  test(`an opening over the engine ${engine} after a crash reads, writes and flushes, so that there is something to break`, async () => {
    const counts = await opened(clean.stepCount >> 1, 'losePower');
    for (const call of ['read', 'write', 'sync', 'syncDirectory', 'open'] as const) {
      expect(counts.countByCall.get(call), call).toBeGreaterThan(0);
    }
  });

  /** The opening without a mishap. */
  function opened(endStep: number, crash: CrashKind): Promise<SweptLife> {
    return runRecovery({ endStep, crash, secondCrash: 'endProcess' }, engine);
  }
}

function faultsAt(at: number): Fault[] {
  return [
    { call: 'any', at, effect: 'none' },
    { call: 'any', at, effect: 'part' },
    { call: 'any', at, effect: 'whole' },
    { call: 'any', at, code: 'noSpace', isPermanent: true },
  ];
}

function during(where: string): (error: unknown) => never {
  return (error) => {
    throw new Error(`after ${where}: ${(error as Error).message}`, { cause: error });
  };
}
