/** Random commands of strings. */
import type { SeededRandom } from '../../../../support/random.ts';
import type { DrawnCommand } from '../../support/differential.ts';
import type { Word } from '../../support/words.ts';
import { drawBytes, drawFloat, drawInteger, withWrongArity } from '../families/drawn-words.ts';

const KEYS = ['a', 'b', 'c', 'dd', 'é', 'set'];

/** Its deadlines are counted from the present, which is not the same millisecond for both; it is not asked for them. */
const RELATIVE = 'c';

function drawOptions(random: SeededRandom, key: string, words: readonly string[]): Word[] {
  const options: Word[] = [];
  for (let left = random.below(4); left > 0; left--) {
    const word = random.pick(words);
    options.push(random.below(2) === 0 ? word : word.toLowerCase());
    if (/^(?:EX|PX)/.test(word) && random.below(12) > 0) options.push(drawTime(random, key, word));
  }
  return options;
}

function drawTime(random: SeededRandom, key: string, word: string): string {
  const isRelative = !word.endsWith('AT');
  if (random.below(3) > 0 && (!isRelative || key === RELATIVE)) {
    if (isRelative) return random.pick(['1000', '50000', '999000000']);
    return word === 'EXAT' ? random.pick(['2000000000', '1', '2100000000']) : '2000000000000';
  }
  // Of a deadline that is beyond 100 years the store makes one in 100 years.
  if (word === 'PXAT') return random.pick(['0', '-1', 'x', '9223372036854775808']);
  return random.pick(['0', '-1', '9223372036854775807', '-9223372036854775808', 'x', '', '1.5']);
}

function drawWords(random: SeededRandom): readonly Word[] {
  const key = random.pick(KEYS);
  const other = random.pick(KEYS);
  switch (random.below(26)) {
    case 0:
    case 1:
      return ['SET', key, drawInteger(random)];
    case 2:
      return ['SET', key, drawBytes(random)];
    case 3:
    case 4:
      return [
        'SET',
        key,
        drawBytes(random),
        ...drawOptions(random, key, [
          'NX',
          'XX',
          'GET',
          'KEEPTTL',
          'EX',
          'PX',
          'EXAT',
          'PXAT',
          'PERSIST',
          'JUNK',
        ]),
      ];
    case 5:
      return ['GETEX', key, ...drawOptions(random, key, ['EX', 'EXAT', 'PXAT', 'PERSIST', 'KEEPTTL', 'NX'])];
    case 6:
      return [random.pick(['GETDEL', 'GET', 'STRLEN', 'INCR', 'DECR']), key];
    case 7:
      return ['GETSET', key, drawBytes(random)];
    case 8:
      return ['APPEND', key, random.below(3) === 0 ? String(random.below(100)) : drawBytes(random)];
    case 9:
      return ['SETRANGE', key, drawInteger(random), drawBytes(random)];
    case 10:
    case 11:
      return [random.pick(['GETRANGE', 'SUBSTR']), key, drawInteger(random), drawInteger(random)];
    case 12:
    case 13:
      return [random.pick(['INCRBY', 'DECRBY']), key, drawInteger(random)];
    case 14:
    case 15:
      return ['INCRBYFLOAT', key, drawFloat(random)];
    case 16:
      return ['MGET', key, other, random.pick(KEYS)];
    case 17:
      return [random.pick(['MSET', 'MSETNX']), key, drawBytes(random), other, drawInteger(random)];
    case 18:
      return ['LCS', key, other, ...drawLcsOptions(random)];
    case 19:
      return ['SETEX', key, drawTime(random, key, 'EX'), drawBytes(random)];
    case 20:
      return ['SETNX', key, drawFloat(random)];
    case 21:
      return ['EXPIRETIME', key === RELATIVE ? 'a' : key];
    case 22:
      return ['DEL', key];
    case 23:
      return ['SADD', 'set', 'x'];
    case 24:
      return ['SET', key, drawFloat(random)];
    default:
      return [
        'PSETEX',
        key,
        random.pick(['5000000', '0', '-1', 'x', '9223372036854775807']),
        drawBytes(random),
      ];
  }
}

function drawLcsOptions(random: SeededRandom): Word[] {
  const options: Word[] = [];
  for (let left = random.below(4); left > 0; left--) {
    const word = random.pick(['LEN', 'IDX', 'idx', 'MINMATCHLEN', 'WITHMATCHLEN', 'JUNK']);
    options.push(word);
    if (word === 'MINMATCHLEN') options.push(drawInteger(random));
  }
  return options;
}

export function drawOfStrings(random: SeededRandom): DrawnCommand {
  const words = withWrongArity(random, drawWords(random));
  return { words };
}
