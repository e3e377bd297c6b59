/**
 * The same random commands to Redis and to KelpDB: their replies must be equal. What is drawn depends on the seed alone, which a
 * difference prints with the commands that led to it.
 */
import type { TableRow } from '../../../../src/server/redis/commands/table.ts';
import { SeededRandom } from '../../../support/random.ts';
import { showReply } from './decoded-reply.ts';
import { RealRedis } from './real-redis.ts';
import { RedisHarness } from './redis-harness.ts';
import { showWords, type Word } from './words.ts';

export interface DrawnCommand {
  readonly words: readonly Word[];
  /** The reply's elements may be in any order. */
  readonly isUnordered?: boolean;
  /** What the replies are compared by, where that is not all of them (`SPOP`: whether there was one). */
  readonly compare?: 'nothing' | 'all';
}

export interface DifferentialOptions {
  readonly rows: readonly TableRow[];
  readonly draw: (random: SeededRandom) => DrawnCommand;
  readonly seed: number;
  readonly count: number;
  readonly version?: 2 | 3;
}

const SHOWN_COMMANDS_MAX = 30;

/** Sends them one by one to both; throws at the first difference. */
export async function differential(options: DifferentialOptions): Promise<void> {
  const { rows, draw, seed, count, version = 2 } = options;
  const random = new SeededRandom(seed);
  const harness = await RedisHarness.open(rows);
  const redis = await RealRedis.start();
  const last: string[] = [];
  try {
    if (version === 3) await redis.run('HELLO', 3);
    harness.use({ version });
    for (let index = 0; index < count; index++) {
      const { words, isUnordered = false, compare = 'all' } = draw(random);
      last.push(showWords(words));
      if (last.length > SHOWN_COMMANDS_MAX) last.shift();
      // Both tell the time alike.
      harness.clock.jump(Date.now() - harness.clock.nowMs());
      const theirs = showReply(await redis.run(...words), isUnordered);
      const ours = showReply(harness.run(...words), isUnordered);
      if (compare === 'all' && ours !== theirs) {
        throw new Error(
          `seed ${seed}, command ${index}, RESP${version}\n${last.join('\n')}\nRedis: ${theirs}\nKelpDB: ${ours}`,
        );
      }
    }
  } finally {
    await redis.stop();
  }
}
