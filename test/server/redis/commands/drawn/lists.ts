/** Random commands of lists. */
import type { SeededRandom } from '../../../../support/random.ts';
import type { DrawnCommand } from '../../support/differential.ts';
import type { Word } from '../../support/words.ts';

const KEYS = ['one', 'two', 'three', 'text', 'missing'];
const NUMBERS = [
  'x',
  '',
  '1.5',
  '-0',
  ' 1',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
];

function drawKey(random: SeededRandom): string {
  return random.pick(random.chance(0.85) ? KEYS.slice(0, 3) : KEYS);
}

function drawElement(random: SeededRandom): Word {
  if (random.chance(0.02)) return random.bytes(random.between(0, 40));
  if (random.chance(0.02)) return 'L'.repeat(random.between(240, 700));
  if (random.chance(0.5)) return 'abc'.charAt(random.below(3));
  return 'x'.repeat(random.below(30)) + random.below(20);
}

function drawNumber(random: SeededRandom, from: number, to: number): Word {
  return random.chance(0.04) ? random.pick(NUMBERS) : random.between(from, to);
}

function drawEnd(random: SeededRandom): string {
  return random.chance(0.03) ? 'MIDDLE' : random.pick(['LEFT', 'RIGHT', 'left', 'Right']);
}

/** Redis alone would wait: so each call has a list to pop from, or fails. */
const FAILING_TIMEOUTS = ['x', '-1', 'inf', '-inf', 'nan', '', '1e300', '0x'];

export function drawOfLists(random: SeededRandom): DrawnCommand {
  const words = drawWords(random);
  if (words[0] === 'SET') return { words };
  if (random.chance(0.02)) words.push('more');
  if (random.chance(0.02)) words.pop();
  return { words };
}

function drawWords(random: SeededRandom): Word[] {
  const key = drawKey(random);
  switch (random.below(20)) {
    case 0:
    case 1:
    case 2: {
      const name = random.pick(['LPUSH', 'RPUSH', 'rpush', 'LPUSHX', 'RPUSHX']);
      const count = random.chance(0.1) ? random.between(20, 120) : random.between(1, 4);
      return [name, key, ...Array.from({ length: count }, () => drawElement(random))];
    }
    case 3:
    case 4: {
      const name = random.pick(['LPOP', 'RPOP']);
      return random.chance(0.5) ? [name, key] : [name, key, drawNumber(random, -1, 30)];
    }
    case 5:
      return ['LLEN', key];
    case 6:
    case 7:
      return ['LRANGE', key, drawNumber(random, -150, 150), drawNumber(random, -150, 150)];
    case 8:
      return ['LINDEX', key, drawNumber(random, -100, 100)];
    case 9:
      return ['LSET', key, drawNumber(random, -100, 100), drawElement(random)];
    case 10:
    case 11:
      return [
        'LINSERT',
        key,
        random.pick(['BEFORE', 'AFTER', 'after', 'BESIDE']),
        drawElement(random),
        drawElement(random),
      ];
    case 12:
    case 13:
      return ['LREM', key, drawNumber(random, -4, 4), drawElement(random)];
    case 14:
      return random.chance(0.3)
        ? ['LTRIM', key, drawNumber(random, -60, 10), drawNumber(random, -20, 90)]
        : ['LTRIM', key, drawNumber(random, 0, 3), drawNumber(random, -3, -1)];
    case 15: {
      const words: Word[] = ['LPOS', key, drawElement(random)];
      for (let left = random.below(4); left > 0; left--)
        words.push(random.pick(['RANK', 'COUNT', 'MAXLEN', 'maxlen', 'OTHER']), drawNumber(random, -3, 9));
      return words;
    }
    case 16:
    case 17: {
      const other = drawKey(random);
      return random.chance(0.3)
        ? ['RPOPLPUSH', key, other]
        : ['LMOVE', key, other, drawEnd(random), drawEnd(random)];
    }
    case 18: {
      const keys = Array.from({ length: random.between(1, 3) }, () => drawKey(random));
      const words: Word[] = ['LMPOP', drawNumber(random, keys.length, keys.length), ...keys, drawEnd(random)];
      if (random.chance(0.05)) words[1] = random.between(-1, 5);
      if (random.chance(0.6))
        words.push(random.pick(['COUNT', 'count', 'COUNTED']), drawNumber(random, 0, 6));
      return words;
    }
    default: {
      const timeout = random.pick(FAILING_TIMEOUTS);
      switch (random.below(4)) {
        case 0:
          return ['SET', 'text', 'plain'];
        case 1:
          return [random.pick(['BLPOP', 'BRPOP']), key, drawKey(random), timeout];
        case 2:
          return ['BLMOVE', key, drawKey(random), drawEnd(random), drawEnd(random), timeout];
        default:
          return ['BLMPOP', timeout, 1, key, drawEnd(random)];
      }
    }
  }
}
