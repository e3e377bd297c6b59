/** What a store must stand in a life that goes by a script: something goes wrong at every place in turn. */
import { describe, expect, test } from 'vitest';
import type { DiskCall, Fault, FaultEffect } from '../support/simulated-fault.ts';
import { partUnlessWhole, places } from '../support/share.ts';
import type { CrashKind } from './machine.ts';
import type { EngineName } from './engines.ts';
import { runScript, type SweptLife } from './sweep.ts';

const CRASHES: readonly CrashKind[] = ['endProcess', 'losePower'];
/** Calls that change something; when they fail, that may have happened or not. */
const CHANGING_CALLS: readonly DiskCall[] = ['write', 'sync', 'syncDirectory', 'create', 'rename', 'remove'];
const TIMEOUT_MS = 1_800_000;

/** @param clean the life in which nothing goes wrong: `runScript({ crash: 'endProcess' }, undefined, engine)`. */
export function testSweep(engine: EngineName, clean: SweptLife): void {
  // The places of the log are the same over each engine.
  const part = engine === 'heap' ? 1 : partUnlessWhole(0.15);
  describe(`a scripted life of the store over the engine ${engine}`, () => {
    test('writes, syncs, renames, removes and reads, so that there is something to break', () => {
      for (const call of ['write', 'sync', 'syncDirectory', 'create', 'rename', 'remove', 'read'] as const) {
        expect(clean.countByCall.get(call), call).toBeGreaterThan(3);
      }
    });

    test.each(CRASHES)(
      'loses nothing that was answered when it ends before or after any call of the disk (%s)',
      async (crash) => {
        for (const endStep of places(clean.stepCount + 1, part)) {
          await runScript({ endStep, crash }, undefined, engine).catch(during(`step ${endStep}`));
        }
      },
      TIMEOUT_MS,
    );

    test.each([...clean.countByCall.keys()])(
      'stands a fault of every %s',
      async (call) => {
        const count = clean.countByCall.get(call) ?? 0;
        const faults = Array.from({ length: count }, (_, index) => faultsOf(call, index + 1)).flat();
        const mishaps = faults.flatMap((fault) => CRASHES.map((crash) => ({ fault, crash })));
        for (const place of places(mishaps.length, part)) {
          const mishap = mishaps[place];
          if (mishap === undefined) continue;
          await runScript(mishap, undefined, engine).catch(during(JSON.stringify(mishap.fault)));
        }
      },
      TIMEOUT_MS,
    );
  });
}

/** An error of the device once, with all that it may have done; and a disk that is full from then on. */
function faultsOf(call: DiskCall, at: number): Fault[] {
  const effects: readonly FaultEffect[] = CHANGING_CALLS.includes(call)
    ? ['none', 'part', 'whole']
    : ['none'];
  return [
    ...effects.map((effect): Fault => ({ call, at, code: 'failed', effect })),
    { call, at, code: 'noSpace', isPermanent: true },
  ];
}

function during(where: string): (error: unknown) => never {
  return (error) => {
    throw new Error(`with ${where}: ${(error as Error).message}`, { cause: error });
  };
}
