/** Calls of `math` and `bit`. */
import type { LuaValue } from '../../../../src/lua/value.ts';
import type { SeededRandom } from '../../../support/random.ts';
import type { Libraries, LibraryCall } from '../support/library-calls.ts';
import { drawNumber, drawValue } from './values.ts';

/** Those whose every bit is fixed; what is computed by series may differ in the last. */
const EXACT = ['abs', 'ceil', 'floor', 'fmod', 'frexp', 'max', 'min', 'mod', 'modf', 'rad', 'deg', 'sqrt'];

export function drawMathCall(random: SeededRandom, libraries: Libraries): LibraryCall {
  const args = drawArguments(random, libraries, random.between(1, 3));
  if (random.chance(0.1))
    return { name: 'math.ldexp', args: [args[0], random.pick([0, 1, -1, 10, 1000, -1074, -1100, 3000])] };
  // Of the others the errors alone are compared.
  if (random.chance(0.1))
    return {
      name: `math.${random.pick(['pow', 'atan2', 'sin', 'exp'])}`,
      args: [libraries.list(), ...args.slice(1)],
    };
  return { name: `math.${random.pick(EXACT)}`, args };
}

const BITS = [
  'tobit',
  'bnot',
  'band',
  'bor',
  'bxor',
  'lshift',
  'rshift',
  'arshift',
  'rol',
  'ror',
  'bswap',
  'tohex',
];

export function drawBitCall(random: SeededRandom, libraries: Libraries): LibraryCall {
  return { name: `bit.${random.pick(BITS)}`, args: drawArguments(random, libraries, random.between(0, 3)) };
}

function drawArguments(random: SeededRandom, libraries: Libraries, count: number): LuaValue[] {
  const args: LuaValue[] = [];
  for (let left = count; left > 0; left--)
    args.push(random.chance(0.03) ? drawValue(random, libraries) : drawNumber(random));
  return args;
}
