import { describe, expect, test } from 'vitest';
import { places } from '../../support/share.ts';
import type { CrashKind } from '../machine.ts';
import { runScript } from '../sweep.ts';
import { deletionScript } from './deletion-script.ts';

const CRASHES: readonly CrashKind[] = ['endProcess', 'losePower'];
const TIMEOUT_MS = 300_000;

describe('a scripted life of collections that are deleted and swept', () => {
  test.each(CRASHES)(
    'leaves no state that lacks elements, when it ends before or after any step (%s)',
    async (crash) => {
      const readStates = { count: 0 };
      const script = deletionScript(readStates);
      const clean = await runScript({ crash }, script);
      const endSteps = [...places(clean.stepCount + 1)];
      for (const endStep of endSteps) {
        await runScript({ endStep, crash }, script).catch((error: unknown) => {
          throw new Error(`at step ${endStep}: ${(error as Error).message}`, { cause: error });
        });
      }
      expect(readStates.count).toBeGreaterThan(endSteps.length);
    },
    TIMEOUT_MS,
  );
});
