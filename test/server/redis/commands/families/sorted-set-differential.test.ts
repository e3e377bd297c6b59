/** Sorted sets beside Redis: the same commands by chance to both, in both versions of the protocol. */
import { describe, test } from 'vitest';
import { setCommands } from '../../../../../src/server/redis/commands/families/set.ts';
import { differential } from '../../support/differential.ts';
import { hasRealRedis } from '../../support/real-redis.ts';
import { otherTypes } from './other-types.ts';
import { sortedSetRows } from './sorted-set-rows.ts';
import { DrawnSortedSets } from '../drawn/sorted-sets.ts';

const rows = [...sortedSetRows, ...setCommands, ...otherTypes];
const COUNT = Number(process.env['REDIS_COMMANDS'] ?? 4000);
const SEED = Number(process.env['REDIS_SEED'] ?? 15);

describe.skipIf(!hasRealRedis)('sorted sets beside Redis', () => {
  for (const version of [2, 3] as const) {
    for (const memberCount of [12, 200]) {
      test(`answer alike in RESP${version} with ${memberCount} members`, { timeout: 120_000 }, async () => {
        let drawing: DrawnSortedSets | undefined;
        await differential({
          rows,
          seed: SEED + version * memberCount,
          count: COUNT,
          version,
          draw: (random) => (drawing ??= new DrawnSortedSets(random, memberCount)).command(),
        });
      });
    }
  }
});
