/** The engine of stores on a simulated disk, where a test names none: `TEST_ENGINE` is asked for it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { openEngine } from '../../../src/engine/open-engine.ts';
import type { StoreOptions } from '../../../src/store/store-options.ts';
import { engineOfTests, limitsOfEngine } from '../../support/test-engine.ts';

type EngineOptions = Pick<StoreOptions, 'engine' | 'makeEngine' | 'limits'>;

/** For all lives of one store; with the means to remove what they leave on the real disk. */
export interface EngineOfHarness {
  readonly options: EngineOptions;
  remove(): void;
}

/** The same for a store that a test opens once, by itself, on whatever disk. */
export function engineOfStore(given: EngineOptions = {}): EngineOptions {
  const engine = engineOfHarness(given);
  onTestFinished(() => engine.remove());
  return engine.options;
}

export function engineOfHarness(given: EngineOptions): EngineOfHarness {
  const engine = engineOfTests();
  const nothing = { options: given, remove: () => undefined };
  if (engine === undefined || given.engine !== undefined || given.makeEngine !== undefined) return nothing;
  const options = { ...given, engine, limits: { ...limitsOfEngine(), ...given.limits } };
  if (engine !== 'btree') return { ...nothing, options };
  // SQLite has its file on the real disk, while the log is on the simulated one.
  const directory = mkdtempSync(join(tmpdir(), 'kelp-btree-'));
  return {
    options: {
      ...options,
      makeEngine: (place) => openEngine('btree', { ...place, disk: nodeDisk, directory }),
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
