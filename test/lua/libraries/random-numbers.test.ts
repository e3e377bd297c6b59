/** `math.random` draws the numbers that Redis draws. */
import { expect, it } from 'vitest';
import { hasRealRedis, RealRedis } from '../../server/redis/support/real-redis.ts';
import { Libraries } from './support/library-calls.ts';

const SEEDS = ['', '', 0, 1, -1, 42, 2 ** 31 - 1, -(2 ** 31), 4_294_967_296];

it.skipIf(!hasRealRedis)('from the beginning, on from script to script, and from a seed', async () => {
  const redis = await RealRedis.start();
  try {
    const libraries = new Libraries();
    for (const seed of SEEDS) {
      const script = `if ARGV[1] ~= '' then math.randomseed(tonumber(ARGV[1])) end
        local drawn = {}
        for i = 1, 50 do drawn[i] = string.format('%.17g', math.random()) end
        for i = 51, 99 do drawn[i] = tostring(math.random(i)) .. ' ' .. tostring(math.random(-i, 2000000000)) end
        return table.concat(drawn, ' ')`;
      const theirs = await redis.run('EVAL', script, 0, seed);
      if (seed !== '') libraries.call('math.randomseed', seed);
      const drawn: unknown[] = [];
      for (let index = 1; index <= 50; index++)
        drawn.push(libraries.call('string.format', '%.17g', ...libraries.call('math.random'))[0]);
      for (let index = 51; index <= 99; index++)
        drawn.push(
          libraries.call('math.random', index)[0],
          libraries.call('math.random', -index, 2_000_000_000)[0],
        );
      expect(drawn.join(' '), `seed ${seed}`).toBe(theirs);
    }
  } finally {
    await redis.stop();
  }
});
