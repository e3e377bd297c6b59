/**
 * The suites that were written for the memory engine, over another one (`folders.ts` has which, and what is left out). A few tell the
 * most for what they take; the others are tried by their share (`test/support/share.ts`).
 */
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe } from 'vitest';
import { ENGINE_NAMES, type EngineName } from '../../src/engine-names.ts';
import { partUnlessWhole, places } from '../support/share.ts';
import { TAKEN } from './folders.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** Tried each time. */
const TELLING: readonly string[] = [
  'types/hash/hash.test.ts',
  'kv/range-stream.test.ts',
  'server/services/lease.test.ts',
  'server/services/admin.test.ts',
];

/** All are tried over each engine; of a sample each file over one of them, so that together they are more. */
const PART = partUnlessWhole(1 / 3);

/** SQLite has threads and a file that no simulated machine has. */
const NOT_OVER_BTREE = new Set(['served/served.long.test.ts']);

const SUITES: readonly string[] = globSync(TAKEN, { cwd: ROOT })
  .filter((path) => !TELLING.includes(path))
  .toSorted();

/** Declares the tests, which then find the engine in the environment. A file of tests does this for one engine. */
export function declareSuitesOver(engine: Exclude<EngineName, 'memory'>): void {
  process.env['TEST_ENGINE'] = engine;
  const first = ENGINE_NAMES.indexOf(engine);
  const others = [...places(SUITES.length, PART)].map(
    (place) => SUITES[(place + first) % SUITES.length] ?? '',
  );
  for (const path of [...TELLING, ...others]) {
    if (engine === 'btree' && NOT_OVER_BTREE.has(path)) continue;
    describe(`${path} over ${engine}`, async () => {
      // What the file declares belongs to this suite.
      await import(/* @vite-ignore */ resolve(ROOT, path));
    });
  }
}
