/**
 * The same random commands to Redis and to KelpDB: their replies must be equal. What is drawn depends on the seed alone, which a
 * difference prints with the commands that led to it.
 */
import type { TableRow } from '../../../../src/server/redis/commands/table.ts';
import { SeededRandom } from '../../../support/random.ts';
import { type DecodedReply, showReply } from './decoded-reply.ts';
import { RealRedis } from './real-redis.ts';
import { RedisHarness } from './redis-harness.ts';
import { showWords, type Word } from './words.ts';

export interface DrawnCommand {
  readonly words: readonly Word[];
  /** The reply's elements may be in any order. */
  readonly isUnordered?: boolean;
  /**
   * What the replies are compared by, where that is not all of them (`SPOP`: whether there was one); `near`: numbers may lie a minute
   * apart, in seconds or milliseconds, since both read the clock for themselves; `digits`: the last digits of
   * numbers with a fraction may differ, since they depend on the library of mathematics.
   */
  readonly compare?: 'nothing' | 'near' | 'digits' | 'all';
  /** Leaves out of a reply, as it is shown, what may differ. */
  readonly mask?: (shown: string) => string;
}

export interface DifferentialOptions {
  readonly rows: readonly TableRow[];
  readonly draw: (random: SeededRandom) => DrawnCommand;
  readonly seed: number;
  readonly count: number;
  readonly version?: 2 | 3;
}

const SHOWN_COMMANDS_MAX = 30;

/** Sends them one by one to both; throws at the first difference. SELECT, which needs a connection, is done here. */
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
      const { words, isUnordered = false, compare = 'all', mask = (shown) => shown } = draw(random);
      last.push(showWords(words));
      if (last.length > SHOWN_COMMANDS_MAX) last.shift();
      // Both tell the time alike.
      harness.clock.jump(Date.now() - harness.clock.nowMs());
      const theirReply = await redis.run(...words);
      if (words[0] === 'SELECT') {
        harness.use({ database: Number(words[1]) });
        continue;
      }
      const ourReply = harness.run(...words);
      const theirs = mask(showReply(theirReply, isUnordered));
      const ours = mask(showReply(ourReply, isUnordered));
      const isNear =
        (compare === 'near' && areNear(theirReply, ourReply)) ||
        (compare === 'digits' && areAlike(theirs, ours));
      if (compare !== 'nothing' && ours !== theirs && !isNear) {
        throw new Error(
          `seed ${seed}, command ${index}, RESP${version}\n${last.join('\n')}\nRedis: ${theirs}\nKelpDB: ${ours}`,
        );
      }
    }
  } finally {
    await redis.stop();
  }
}

const FRACTION = /(\d+\.\d+)/;
const DIFFERENCE_MAX = 1e-13;

/** Whether texts are equal but for the last digits of numbers with a fraction. */
function areAlike(a: string, b: string): boolean {
  const parts = b.split(FRACTION);
  const others = a.split(FRACTION);
  return (
    parts.length === others.length &&
    parts.every((part, index) => {
      const other = others[index] ?? '';
      return part === other || Math.abs(Number(part) / Number(other) - 1) < DIFFERENCE_MAX;
    })
  );
}

const NEAR_MS = 60_000;

function areNear(a: DecodedReply, b: DecodedReply): boolean {
  return typeof a === 'number' && typeof b === 'number' && Math.min(a, b) >= 0 && Math.abs(a - b) < NEAR_MS;
}
