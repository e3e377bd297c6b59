/** Random commands of bitmaps. */
import type { SeededRandom } from '../../../../support/random.ts';
import type { DrawnCommand } from '../../support/differential.ts';
import type { Word } from '../../support/words.ts';
import { drawBytes, drawInteger, withWrongArity } from '../families/drawn-words.ts';

const KEYS = ['a', 'b', 'c', 'set'];
const UNITS = ['BIT', 'BYTE', 'bit', 'x'];

function drawWords(random: SeededRandom): readonly Word[] {
  const key = random.pick(KEYS);
  switch (random.below(13)) {
    case 0:
      return ['SET', key, drawBytes(random)];
    case 1:
      return ['SETBIT', key, drawInteger(random), random.pick(['0', '1', '1', '2', 'x'])];
    case 2:
      return ['GETBIT', key, drawInteger(random)];
    case 3:
    case 4:
      return ['BITCOUNT', key, ...drawRange(random)];
    case 5:
    case 6:
      return ['BITPOS', key, random.pick(['0', '1', '1', '0', '2', 'x']), ...drawRange(random)];
    case 7:
      return [
        'BITOP',
        random.pick(['AND', 'or', 'XOR', 'NOT', 'x']),
        random.pick(KEYS),
        key,
        ...drawKeys(random),
      ];
    case 8:
    case 9:
      return ['BITFIELD', key, ...drawFields(random)];
    case 10:
      return ['BITFIELD_RO', key, ...drawFields(random)];
    case 11:
      return random.below(3) === 0 ? ['SADD', 'set', 'x'] : ['GET', key];
    default:
      return random.below(3) === 0
        ? ['DEL', key]
        : ['SET', key, random.pick(['', 'ÿÿ', '\0\0\0', Buffer.alloc(9, 0xff)])];
  }
}

function drawRange(random: SeededRandom): Word[] {
  const small = (): string => (random.below(5) === 0 ? drawInteger(random) : String(random.below(30) - 15));
  switch (random.below(5)) {
    case 0:
      return [];
    case 1:
      return [small()];
    case 2:
      return [small(), small()];
    default:
      return [small(), small(), random.pick(UNITS)];
  }
}

function drawKeys(random: SeededRandom): Word[] {
  return Array.from({ length: random.below(3) }, () => random.pick(KEYS));
}

function drawFields(random: SeededRandom): Word[] {
  const words: Word[] = [];
  for (let left = random.below(4); left > 0; left--) {
    const type = random.pick([
      'i8',
      'u8',
      'i5',
      'u3',
      'i64',
      'u63',
      'u1',
      'i1',
      'i33',
      'u64',
      'i65',
      'x8',
      'i',
      'u0',
      'U8',
    ]);
    const isGood = random.below(10) > 0;
    const width = isGood ? random.pick(['i8', 'u8', 'i5', 'u3', 'i64', 'u63', 'u1', 'i1', 'i33']) : type;
    const offset = isGood
      ? `${random.pick(['', '#'])}${random.below(60)}`
      : random.pick(['#x', '-1', '#', drawInteger(random)]);
    switch (random.below(5)) {
      case 0:
        words.push('OVERFLOW', random.pick(['WRAP', 'sat', 'FAIL', isGood ? 'SAT' : 'x']));
        break;
      case 1:
        words.push('get', width, offset);
        break;
      case 2:
        words.push('SET', width, offset, drawInteger(random));
        break;
      default:
        words.push('INCRBY', width, offset, drawOperand(random));
    }
  }
  return words;
}

function drawOperand(random: SeededRandom): string {
  return random.below(3) === 0
    ? random.pick([
        '9223372036854775807',
        '-9223372036854775808',
        '4611686018427387904',
        '-4611686018427387904',
      ])
    : drawInteger(random);
}

export function drawOfBitmaps(random: SeededRandom): DrawnCommand {
  return { words: withWrongArity(random, drawWords(random)) };
}
