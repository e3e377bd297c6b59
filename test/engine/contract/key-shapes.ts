/** Keys of the shapes that an ordered index meets. */
import { SeededRandom } from '../../support/random.ts';

export const KEY_SHAPES = [
  'shared prefixes',
  'zeros',
  'random bytes',
  'ascending',
  'descending',
  'tiny',
  'long',
] as const;
export type KeyShape = (typeof KEY_SHAPES)[number];

const TINY_DIGITS = ['\0', '\x01', '\x7f', '\x80', '\xff'] as const;
/** Lengths about that of a head, and far beyond it. */
const ALIKE_BYTES = [1, 7, 8, 9, 100, 1000, 4000] as const;

/** One of `count` different keys, as a text of a character for each byte. */
export function keyOfShape(shape: KeyShape, number: number, count: number): string {
  switch (shape) {
    case 'shared prefixes':
      return `tenants/${number % 7}/users/${'x'.repeat((number % 3) * 9)}/${mixed(number)}/profile`;
    case 'zeros': {
      // Keys that end where others go on with zeros, over the length of a head.
      const zeros = number % 24;
      return `k${String(Math.floor(number / 24)).padStart(3, '\x01')}${'\0'.repeat(zeros)}`;
    }
    case 'random bytes': {
      const random = new SeededRandom(number);
      return Buffer.from(random.bytes(4 + random.below(12))).toString('latin1');
    }
    case 'ascending':
      return String(number).padStart(9, '0');
    case 'descending':
      return String(count - number).padStart(9, '0');
    case 'tiny': {
      // Every text of one digit, then of two, and so on: most of them begin others.
      let text = '';
      for (let rest = number + 1; rest > 0; rest = Math.floor((rest - 1) / TINY_DIGITS.length))
        text += TINY_DIGITS[(rest - 1) % TINY_DIGITS.length]!;
      return text;
    }
    case 'long':
      return 'q'.repeat(ALIKE_BYTES[number % ALIKE_BYTES.length]!) + mixed(number);
  }
}

function mixed(number: number): string {
  return (Math.imul(number, 0x9e3779b1) >>> 0).toString(36);
}
