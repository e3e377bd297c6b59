/** Random commands with SORT, and of what it sorts. */
import type { SeededRandom } from '../../../../support/random.ts';
import type { DrawnCommand } from '../../support/differential.ts';
import type { Word } from '../../support/words.ts';

const SOURCES = ['list', 'set', 'zset', 'stored', 'missing', 'text'];
const PATTERNS = ['w_*', 'h_*->f', '*->f', 'h_*->', '#', 'none', 'w_*_x', '*', 'h_*->g', 'x*y*'];

/** No number out of range: after one, Redis 7.0 refuses empty text, which it takes for 0 else. */
function drawElement(random: SeededRandom): Word {
  if (random.chance(0.02)) return random.pick(['', ' 1', 'abc', 'inf', '-inf', '0x10', 'nan', '1.5']);
  return random.between(-20, 40);
}

export function drawOfSorts(random: SeededRandom): DrawnCommand {
  const some = (): Word[] => Array.from({ length: random.between(1, 3) }, () => drawElement(random));
  switch (random.below(14)) {
    case 0:
      return { words: ['RPUSH', 'list', ...some()] };
    case 1:
      return { words: ['LPOP', 'list', random.below(6)] };
    case 2:
      return { words: ['SADD', 'set', ...some()] };
    case 3:
      return { words: ['ZADD', 'zset', random.between(-3, 3), drawElement(random)] };
    case 4:
      return { words: ['SET', `w_${random.between(-20, 40)}`, drawElement(random)] };
    case 5:
      return {
        words: ['HSET', `h_${random.between(-20, 40)}`, random.pick(['f', 'g']), drawElement(random)],
      };
    case 6:
      return {
        words: random.pick([
          ['SET', 'text', 'x'],
          ['LRANGE', 'stored', 0, -1],
        ]),
      };
    case 7:
      return { words: [random.pick(['SREM', 'SREM', 'ZREM']), 'set', ...some()] };
    default:
      return drawSort(random);
  }
}

function drawSort(random: SeededRandom): DrawnCommand {
  const source = random.pick(random.chance(0.9) ? SOURCES.slice(0, 3) : SOURCES);
  const words: Word[] = [random.chance(0.2) ? 'SORT_RO' : random.pick(['SORT', 'sort']), source];
  let isAlpha = false;
  let by: string | undefined;
  let hasLimit = false;
  let isStored = false;
  for (let left = random.below(5); left > 0; left--) {
    switch (random.below(9)) {
      case 0:
        words.push(random.pick(['ASC', 'DESC', 'desc']));
        break;
      case 1:
      case 2:
        words.push('ALPHA');
        isAlpha = true;
        break;
      case 3:
        words.push('LIMIT', random.between(-2, 20), random.chance(0.03) ? 'x' : random.between(-2, 20));
        hasLimit = true;
        break;
      case 4:
        by = random.pick(PATTERNS);
        words.push('BY', by);
        break;
      case 5:
      case 6:
        words.push('GET', random.pick(PATTERNS));
        break;
      case 7:
        words.push('STORE', 'stored');
        isStored = true;
        break;
      default:
        if (random.chance(0.05)) words.push('OTHER');
    }
  }
  // Where Redis' own order is that of its hash table, or of a sort that is not stable.
  const isUnsortedSet = source === 'set' && (words.includes('none') || words.includes('#'));
  const hasTies = isAlpha && by !== undefined;
  const isUndefined = (isUnsortedSet && !isStored) || hasTies;
  if (isUndefined && (isStored || hasLimit || words.includes('GET')))
    return { words: ['LRANGE', 'list', 0, -1] };
  return { words, isUnordered: isUndefined };
}
