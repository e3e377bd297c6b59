import { describe, expect, test } from 'vitest';
import type { DiskCall, Fault, FaultEffect } from '../support/simulated-fault.ts';
import type { CrashKind } from './machine.ts';
import { runScript } from './sweep.ts';

const CRASHES: readonly CrashKind[] = ['endProcess', 'losePower'];
/** Calls that change something; when they fail, that may have happened or not. */
const CHANGING_CALLS: readonly DiskCall[] = [
  'write',
  'sync',
  'syncDirectory',
  'create',
  'rename',
  'remove',
  'truncate',
];
const TIMEOUT_MS = 300_000;

const clean = await runScript({ crash: 'endProcess' });

describe('a scripted life of the store', () => {
  test('writes, syncs, renames, removes and reads, so that there is something to break', () => {
    for (const call of ['write', 'sync', 'syncDirectory', 'create', 'rename', 'remove', 'read'] as const) {
      expect(clean.countByCall.get(call), call).toBeGreaterThan(3);
    }
  });

  test.each(CRASHES)(
    'loses nothing that was answered when it ends before or after any call of the disk (%s)',
    async (crash) => {
      for (let endStep = 0; endStep <= clean.stepCount; endStep++) {
        await runScript({ endStep, crash }).catch(during(`step ${endStep}`));
      }
    },
    TIMEOUT_MS,
  );

  test.each([...clean.countByCall.keys()])(
    'stands a fault of every %s',
    async (call) => {
      for (let at = 1; at <= (clean.countByCall.get(call) ?? 0); at++) {
        for (const fault of faultsOf(call, at)) {
          for (const crash of CRASHES) await runScript({ fault, crash }).catch(during(JSON.stringify(fault)));
        }
      }
    },
    TIMEOUT_MS,
  );
});

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
