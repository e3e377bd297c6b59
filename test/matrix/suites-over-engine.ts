/**
 * The suites that were written for the memory engine, over another one: types, calls and the doors of the server. A few tell the
 * most for what they take; the others are tried by their share (`test/support/share.ts`).
 */
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe } from 'vitest';
import { ENGINE_NAMES, type EngineName } from '../../src/engine-names.ts';
import { isWhole, places } from '../support/share.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** Tried each time. */
const TELLING: readonly string[] = [
  'types/hash/hash.test.ts',
  'kv/range-stream.test.ts',
  'server/services/lease.test.ts',
  'server/services/admin.test.ts',
];

/** All are tried over each engine; of a sample each file over one of them, so that together they are more. */
const PART = isWhole() ? 1 : 1 / 3;

const OF_MEMORY = [
  // What they count is a bound of the memory engine: what a call reads of files is paid on top.
  'server/redis/services/redis-bounds.test.ts',
  // Restores a directory of the memory engine, and snapshots that leave history as it is.
  'client/server.test.ts',
  // Read or compact revisions that a checkpoint may have passed.
  'collections/bounded-reads.test.ts',
  'server/access/audit.test.ts',
  'client/pipelining/pipeline-calls.test.ts',
  // Open the directory of a server in the process of the test, without naming an engine.
  'server/access/safe-start.test.ts',
  'server/access/secrets.test.ts',
];

const SUITES: readonly string[] = globSync(
  [
    'types/**/*.test.ts',
    'kv/*.test.ts',
    'server/services/**/*.test.ts',
    'server/rest/*.test.ts',
    'server/redis/{commands,connection,services}/**/*.test.ts',
    'server/etcd/**/*.test.ts',
    'server/access/*.test.ts',
    'collections/*.test.ts',
    'client/**/*.test.ts',
  ],
  { cwd: ROOT },
)
  .filter((path) => !path.includes('.long.') && ![...TELLING, ...OF_MEMORY].includes(path))
  .toSorted();

/** Declares the tests, which then find the engine in the environment. A file of tests does this for one engine. */
export function declareSuitesOver(engine: Exclude<EngineName, 'memory'>): void {
  process.env['TEST_ENGINE'] = engine;
  const first = ENGINE_NAMES.indexOf(engine);
  const others = [...places(SUITES.length, PART)].map(
    (place) => SUITES[(place + first) % SUITES.length] ?? '',
  );
  for (const path of [...TELLING, ...others]) {
    describe(`${path} over ${engine}`, async () => {
      // What the file declares belongs to this suite.
      await import(/* @vite-ignore */ resolve(ROOT, path));
    });
  }
}
