/** Random calls of library functions, here and in the Lua of Debian's redis-server: the same values, or the same errors. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rounds } from '../../support/share.ts';
import { SeededRandom } from '../../support/random.ts';
import { hasRealRedis, RealRedis } from '../../server/redis/support/real-redis.ts';
import { drawJsonCall, drawMessagePackCall, drawStructCall } from './drawn/encodings.ts';
import { drawBitCall, drawMathCall } from './drawn/numbers.ts';
import { drawFormatCall, drawPatternCall, drawPlainCall } from './drawn/strings.ts';
import { drawTableCall } from './drawn/tables.ts';
import { Libraries, type LibraryCall, scriptOf, shownByRedis } from './support/library-calls.ts';

const CALLS_MAX = 20_000;

describe.skipIf(!hasRealRedis)('random calls', () => {
  let redis: RealRedis;
  beforeAll(async () => {
    redis = await RealRedis.start();
  });
  afterAll(() => redis.stop());

  it.each<[string, (random: SeededRandom, libraries: Libraries) => LibraryCall]>([
    ['patterns', drawPatternCall],
    ['formats', drawFormatCall],
    ['plain functions of strings', drawPlainCall],
    ['tables', drawTableCall],
    ['math', drawMathCall],
    ['bit', drawBitCall],
    ['JSON', drawJsonCall],
    ['MessagePack', drawMessagePackCall],
    ['struct', drawStructCall],
  ])(
    '%s',
    async (_, draw) => {
      const seed = Number(process.env['TEST_SEED'] ?? Date.now());
      const random = new SeededRandom(seed);
      const libraries = new Libraries();
      for (let index = 0; index < rounds(CALLS_MAX); index++) {
        const call = draw(random, libraries);
        const theirs = await shownByRedis(redis, call);
        // A call may change its table, so it is shown as it was before.
        const script = scriptOf(call);
        expect(libraries.shown(call), `seed ${seed}, call ${index}: ${script}`).toBe(theirs);
      }
    },
    120_000,
  );
});
