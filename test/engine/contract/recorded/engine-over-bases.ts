/**
 * The suites of engines over bases on disk. They are synchronous, and a base writes in promises; so each test is made with a model
 * (`HeapEngine`), what it calls is recorded, and behind the test all of it is made again over each base, beside the model (`replay.ts`).
 *
 * What is not tried so: what a scan pays (reads of files come on top), of `stats` all but the count of keys, and the order in which walks
 * show versions; each is the base's own affair. Walks over more than one revision are not for engines that are durable.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../../../src/engine/engine.ts';
import { isWhole, places, timeLimitMs } from '../../../support/share.ts';
import type { BasePlace } from '../../layered/base-places.ts';
import { testEngineContract } from '../engine-contract.ts';
import { testEngineHistories } from '../engine-histories.ts';
import type { EngineForm } from '../forms.ts';
import { HeapEngine } from '../heap-engine.ts';
import { RecordingEngine } from './recording-engine.ts';
import { Replay } from './replay.ts';

const SEED = Number(process.env['REPLAY_SEED'] ?? 1);
const FORM: EngineForm = { walksOneRevision: true };

export interface TriedBase {
  readonly name: string;
  readonly newPlace: () => Promise<BasePlace>;
  /** Steps of checkpoints beside all calls of a test, roughly, when all is tried. */
  readonly stepsMax: number;
  /** Of the engines of a test that makes many. */
  readonly part: number;
}

export function testEngineOverBases(bases: readonly TriedBase[]): void {
  const names = bases.map(({ name }) => name).join(', ');
  describe(`an engine over ${names}, seed ${SEED}`, () => {
    let recorded: RecordingEngine[] = [];
    let testCount = 0;
    const counts = { commits: 0, restarts: 0, merges: 0 };

    afterEach(async ({ task }) => {
      const engines = recorded;
      recorded = [];
      if (task.result?.state === 'fail') return;
      // Of a sample each test over one of them, in turn.
      const turn = testCount++ % bases.length;
      for (const base of isWhole() ? bases : bases.slice(turn, turn + 1)) {
        for (const index of places(engines.length, base.part)) {
          const calls = engines[index]?.calls ?? [];
          await replayOver(base, calls, SEED * 1_000_000 + index, counts).catch((error: unknown) => {
            const what = `engine ${index} of the test over ${base.name}, seed ${SEED}`;
            throw new Error(`${what}: ${String(error)}`, { cause: error });
          });
        }
      }
    }, timeLimitMs(300_000));

    const create = (): Engine => {
      const engine = new RecordingEngine(new HeapEngine());
      recorded.push(engine);
      return engine;
    };
    testEngineContract('the engine', create, FORM);
    testEngineHistories('the engine', create, FORM);

    it('was at checkpoints, starts and merges meanwhile', () => {
      expect(counts.commits).toBeGreaterThan(50);
      expect(counts.restarts).toBeGreaterThan(50);
      expect(counts.merges).toBeGreaterThan(0);
    });
  });
}

async function replayOver(
  { newPlace, stepsMax }: TriedBase,
  calls: RecordingEngine['calls'],
  seed: number,
  counts: { commits: number; restarts: number; merges: number },
): Promise<void> {
  const place = await newPlace();
  try {
    const replay = await Replay.start(place, seed);
    try {
      await replay.run(calls, isWhole() ? stepsMax : stepsMax / 5);
    } finally {
      await replay.end();
    }
    for (const what of ['commits', 'restarts', 'merges'] as const) counts[what] += replay.counts[what];
  } finally {
    await place.remove();
  }
}
