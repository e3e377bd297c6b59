/** Random commands of HyperLogLogs. */
import type { SeededRandom } from '../../../../support/random.ts';
import type { DrawnCommand } from '../../support/differential.ts';
import type { Word } from '../../support/words.ts';
import { drawBytes, withWrongArity } from '../families/drawn-words.ts';

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

export function drawOfHyperLogLogs(random: SeededRandom): DrawnCommand {
  return { words: withWrongArity(random, drawWords(random)) };
}
