/**
 * Random pipelines of all families to Redis and to KelpDB over sockets: replies must be equal. `REDIS_SEED=7 REDIS_COMMANDS=1000000`
 * begins elsewhere, and goes on for longer; a difference prints its seed and the shortest run that shows it.
 */
import { expect, test } from 'vitest';
import { SeededRandom } from '../../../support/random.ts';
import { hasRealRedis } from '../support/real-redis.ts';
import { showWords } from '../support/words.ts';
import { type DrawnPipeline, drawPipeline } from './drawn-pipelines.ts';
import { shortestRun } from './shortest-run.ts';
import { TwoServers } from './two-servers.ts';

const { REDIS_SEED = '1', REDIS_COMMANDS = '40000' } = process.env;
/** One seed has so many, and begins with empty servers. */
const COMMANDS_PER_SEED = 10_000;
const PIPELINE_COMMANDS_MAX = 400;

test.runIf(hasRealRedis)(
  'random pipelines are answered as by Redis',
  { timeout: 120_000 + Number(REDIS_COMMANDS) * 10 },
  async () => {
    const servers = await TwoServers.start();
    try {
      let left = Number(REDIS_COMMANDS);
      for (let seed = Number(REDIS_SEED); left > 0; seed++) {
        await servers.begin();
        left -= await runSeed(servers, seed, Math.min(left, COMMANDS_PER_SEED));
      }
    } finally {
      await servers.stop();
    }
  },
);

async function runSeed(servers: TwoServers, seed: number, count: number): Promise<number> {
  const random = new SeededRandom(seed);
  const run: DrawnPipeline[] = [];
  for (let done = 0; done < count;) {
    const pipeline = drawPipeline(random, PIPELINE_COMMANDS_MAX);
    run.push(pipeline);
    done += pipeline.commands.length;
    const difference = await servers.run(pipeline);
    if (difference === undefined) continue;
    const shortest = await shortestRun(servers, run);
    const { redis, kelp } = shortest?.difference ?? difference;
    const seen = [
      ...run.slice(-3, -1),
      { ...pipeline, commands: pipeline.commands.slice(0, difference.index + 1) },
    ];
    const told = (shortest?.pipelines ?? seen).flatMap(({ client, commands }) =>
      commands.map(({ words }) => `${client}: ${showWords(words)}`),
    );
    const how = shortest === undefined ? 'not seen again; the last pipelines' : 'the shortest run';
    expect.fail(`REDIS_SEED=${seed}, ${how}:\n${told.join('\n')}\nRedis: ${redis}\nKelpDB: ${kelp}`);
  }
  return count;
}
