/** Commands of HyperLogLogs, beside Redis' own: their bytes too. */
import { describe, expect, it } from 'vitest';
import { hyperLogLogCommands } from '../../../../../src/server/redis/commands/families/hyperloglog.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings.ts';
import type { SeededRandom } from '../../../../support/random.ts';
import { differential } from '../../support/differential.ts';
import { hasRealRedis } from '../../support/real-redis.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import type { Word } from '../../support/words.ts';
import { drawBytes, otherCommands, withWrongArity } from './drawn-words.ts';

const rows = [...hyperLogLogCommands, ...stringCommands, ...otherCommands];
const KEYS = ['a', 'b', 'c', 'd', 'set'];

function drawWords(random: SeededRandom): readonly Word[] {
  const key = random.pick(KEYS);
  switch (random.below(14)) {
    case 0:
      return ['PFADD', key, ...Array.from({ length: random.below(4) }, () => drawBytes(random, 30))];
    case 1:
    case 2:
    case 3:
      return ['PFADD', key, ...drawElements(random, random.below(40))];
    case 4:
      // Enough of these make one dense.
      return ['PFADD', key, ...drawElements(random, random.below(800))];
    case 5:
    case 6:
      return ['PFCOUNT', key];
    case 7:
      return ['PFCOUNT', key, ...drawKeys(random)];
    case 8:
      return ['PFMERGE', key, ...drawKeys(random)];
    case 9:
    case 10:
      return ['GET', key];
    case 11:
      return random.below(4) === 0 ? ['SADD', 'set', 'x'] : ['GETRANGE', key, '0', '15'];
    case 12:
      return random.below(6) === 0 ? ['SET', key, drawBytes(random)] : ['STRLEN', key];
    default:
      return random.below(4) === 0 ? ['DEL', key] : damage(random);
  }
}

function drawElements(random: SeededRandom, count: number): Word[] {
  return Array.from({ length: count }, () => String(random.below(20_000)));
}

function drawKeys(random: SeededRandom): Word[] {
  return Array.from({ length: random.below(4) }, () => random.pick(KEYS));
}

function drawString(random: SeededRandom): Word {
  const head = Buffer.from([
    ...Buffer.from('HYLL'),
    random.below(3),
    0,
    0,
    0,
    ...Array.from({ length: 8 }, () => 0),
  ]);
  return random.pick([
    drawBytes(random),
    head,
    Buffer.concat([head, Buffer.of(0x7f, 0xff)]),
    Buffer.concat([head, Buffer.of(0x7f, 0xfe)]),
  ]);
}

/** What adds to a damaged one fails halfway: Redis keeps what was done by then, a transaction here does not. */
function damage(random: SeededRandom): Word[] {
  const key = 'damaged';
  switch (random.below(4)) {
    case 0:
      return ['SET', key, drawString(random)];
    case 1:
      return ['SETRANGE', key, String(4 + random.below(30)), Buffer.of(random.below(256))];
    case 2:
      return ['PFMERGE', 'd', key];
    default:
      return ['PFCOUNT', key, ...(random.below(2) === 0 ? [] : ['a'])];
  }
}

describe.skipIf(!hasRealRedis)('beside Redis', () => {
  it.each([2, 3] as const)(
    'RESP%i: random commands have equal replies',
    { timeout: 60_000 },
    async (version) => {
      const draw = (random: SeededRandom) => ({ words: withWrongArity(random, drawWords(random)) });
      await differential({ rows, draw, seed: 40 + version, count: 3000, version });
    },
  );
});

describe('a HyperLogLog', () => {
  it('knows how many elements it was given to 2 %, from a few to 100,000', async () => {
    const redis = await RedisHarness.open(rows);
    let added = 0;
    for (const count of [10, 100, 1000, 10_000, 100_000]) {
      while (added < count) {
        const elements = Array.from(
          { length: Math.min(500, count - added) },
          (_, index) => `element ${added + index}`,
        );
        added += elements.length;
        redis.run('PFADD', 'h', ...elements);
      }
      const counted = Number(redis.run('PFCOUNT', 'h'));
      expect(Math.abs(counted - count) / count).toBeLessThan(0.02);
    }
  });

  it('keeps its deadline while it is added to, counted and merged', async () => {
    const redis = await RedisHarness.open(rows);
    redis.run('PFADD', 'h', 'a');
    const bytes = redis.run('GET', 'h');
    if (typeof bytes !== 'string') throw new Error('a HyperLogLog is a string');
    redis.run('SET', 'h', Buffer.from(bytes, 'latin1'), 'PX', '100');
    redis.events();
    redis.run('PFADD', 'h', 'a', 'b');
    redis.run('PFADD', 'h', 'b');
    redis.run('PFCOUNT', 'h');
    redis.run('PFMERGE', 'h', 'none');
    expect(redis.events()).toEqual(['$ pfadd h', '$ pfadd h']);
    redis.clock.advance(100);
    expect(redis.run('PFCOUNT', 'h')).toBe(0);
  });
});
