/** Values that are drawn for calls of library functions. */
import { JSON_NULL } from '../../../../src/lua/libraries/json/settings.ts';
import type { LuaValue } from '../../../../src/lua/value.ts';
import type { SeededRandom } from '../../../support/random.ts';
import type { Libraries } from '../support/library-calls.ts';

const EDGES: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.1,
  0.5,
  1.5,
  2.5,
  -2.5,
  3.25159,
  10,
  99.995,
  127,
  128,
  255,
  256,
  -32,
  -33,
  -128,
  -129,
  32767,
  32768,
  65535,
  65536,
  -32769,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 62,
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
  1e14,
  1e15,
  1e16,
  123456789012345,
  10000000000000.5,
  1e21,
  1e-5,
  1e-4,
  5e-324,
  1.7976931348623157e308,
  Infinity,
  -Infinity,
  Number.NaN,
  0.1 + 0.2,
  1 / 3,
  1e100,
];

export function drawNumber(random: SeededRandom): number {
  if (random.chance(0.4)) return random.pick(EDGES);
  if (random.chance(0.3)) return random.between(-20, 20);
  if (random.chance(0.3))
    return (random.between(-1_000_000, 1_000_000) + random.below(2) / 2) / 10 ** random.below(8);
  if (random.chance(0.5)) return random.uint32() * random.pick([1, -1, 2 ** 20, 2 ** -20]);
  const bits = Buffer.from(random.bytes(8));
  const number = bits.readDoubleBE();
  // What is no number is written as 0/0, whose bits are others.
  return Number.isNaN(number) ? Number.NaN : number;
}

const SPECIAL = [
  '',
  '"',
  '\\',
  '/',
  '\n',
  '\r',
  '\t',
  '\b',
  '\f',
  '\0',
  '\x01',
  '\x7f',
  '\x80',
  '\xff',
  'é',
  ' ',
];
const NUMERALS = ['10', '0x1F', ' 7 ', '1e3', '-2.5', 'inf', '1x', '0x'];

export function drawString(random: SeededRandom): string {
  if (random.chance(0.1)) return random.pick(NUMERALS);
  if (random.chance(0.05)) return 'x'.repeat(random.pick([31, 32, 99, 100, 255, 256, 70_000]));
  let text = '';
  for (let left = random.below(8); left > 0; left--)
    text += random.chance(0.3) ? random.pick(SPECIAL) : String.fromCharCode(random.between(97, 101));
  return text;
}

/** No table. */
export function drawScalar(random: SeededRandom): LuaValue {
  const kind = random.below(10);
  if (kind < 4) return drawNumber(random);
  if (kind < 8) return drawString(random);
  if (kind === 8) return random.chance(0.5);
  return random.chance(0.3) ? JSON_NULL : undefined;
}

/**
 * A list, or a table of one field: the order of fields is none in Lua, and texts of several would differ.
 */
export function drawValue(random: SeededRandom, libraries: Libraries, depth = 0): LuaValue {
  if (depth > 3 || random.chance(0.5)) return drawScalar(random);
  const table = libraries.machine.newTable();
  const kind = random.below(5);
  if (kind < 3) {
    for (let index = 1; index <= random.below(5); index++)
      table.set(index, drawValue(random, libraries, depth + 1) ?? false);
  } else if (kind === 3) {
    const place = random.pick([1, 2, 3, 9, 10, 11, 30, 3_000_000_000, -1, 1.5]);
    table.set(place, drawValue(random, libraries, depth + 1));
  } else {
    const key = drawScalar(random);
    if (key !== undefined && !Number.isNaN(key)) table.set(key, drawValue(random, libraries, depth + 1));
  }
  return table;
}
