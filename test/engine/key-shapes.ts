/** Keys of the shapes that an ordered index meets. */
import { SeededRandom } from '../support/random.ts';

export const KEY_SHAPES = ['shared prefixes', 'zeros', 'random bytes', 'ascending', 'descending'] as const;
export type KeyShape = (typeof KEY_SHAPES)[number];

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
  }
}

function mixed(number: number): string {
  return (Math.imul(number, 0x9e3779b1) >>> 0).toString(36);
}
