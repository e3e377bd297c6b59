/** The library `math`. */
import type { LuaMachine } from '../machine.ts';
import type { LuaTable } from '../value.ts';
import { type Arguments, argumentError, intArgument, libraryError, numberArgument } from './arguments.ts';
import { libraryTable } from './library-table.ts';
import type { Lrand48 } from './lrand48.ts';

const RADIANS_PER_DEGREE = Math.PI / 180;
const RANDOM_MAX = 2 ** 31 - 1;

/** @param generator what `random` draws from, on from where the script before left it, as Redis does. */
export function openMath(machine: LuaMachine, generator: Lrand48): LuaTable {
  const { budget } = machine;

  /** A function of one number. */
  function unary(name: string, run: (x: number) => number) {
    return (...args: Arguments) => run(numberArgument(budget, args, 1, name));
  }

  function binary(name: string, run: (x: number, y: number) => number) {
    return (...args: Arguments) => {
      // C looks at the second one first.
      const y = numberArgument(budget, args, 2, name);
      return run(numberArgument(budget, args, 1, name), y);
    };
  }

  function extreme(name: string, isBetter: (candidate: number, best: number) => boolean) {
    return (...args: Arguments) => {
      let best = numberArgument(budget, args, 1, name);
      for (let number = 2; number <= args.length; number++) {
        const candidate = numberArgument(budget, args, number, name);
        if (isBetter(candidate, best)) best = candidate;
      }
      return best;
    };
  }

  const table = libraryTable(machine, {
    abs: unary('abs', Math.abs),
    acos: unary('acos', Math.acos),
    asin: unary('asin', Math.asin),
    atan: unary('atan', Math.atan),
    atan2: binary('atan2', Math.atan2),
    ceil: unary('ceil', Math.ceil),
    cos: unary('cos', Math.cos),
    cosh: unary('cosh', Math.cosh),
    deg: unary('deg', (x) => x / RADIANS_PER_DEGREE),
    exp: unary('exp', Math.exp),
    floor: unary('floor', Math.floor),
    fmod: binary('fmod', (x, y) => x % y),
    frexp: (...args) => splitExponent(numberArgument(budget, args, 1, 'frexp')),
    ldexp(...args) {
      const exponent = intArgument(budget, args, 2, 'ldexp');
      return scaleByPower(numberArgument(budget, args, 1, 'ldexp'), exponent);
    },
    log: unary('log', Math.log),
    log10: unary('log10', Math.log10),
    max: extreme('max', (candidate, best) => candidate > best),
    min: extreme('min', (candidate, best) => candidate < best),
    // Lua 5.0's name of `fmod`.
    mod: binary('mod', (x, y) => x % y),
    modf(...args) {
      const x = numberArgument(budget, args, 1, 'modf');
      const whole = Math.trunc(x);
      const fraction = Number.isFinite(x) ? x - whole : x % 1 || 0;
      return [whole, Number.isNaN(x) ? x : withSign(fraction, x)];
    },
    pow: binary('pow', power),
    rad: unary('rad', (x) => x * RADIANS_PER_DEGREE),
    random(...args) {
      const drawn = (generator.next() % RANDOM_MAX) / RANDOM_MAX;
      if (args.length === 0) return drawn;
      if (args.length > 2) throw libraryError('wrong number of arguments');
      const first = intArgument(budget, args, 1, 'random');
      if (args.length === 1) {
        if (first < 1) throw argumentError(1, 'random', 'interval is empty');
        return Math.floor(drawn * first) + 1;
      }
      const last = intArgument(budget, args, 2, 'random');
      if (first > last) throw argumentError(2, 'random', 'interval is empty');
      // C counts in 32 bits.
      return Math.floor(drawn * ((last - first + 1) | 0)) + first;
    },
    randomseed(...args) {
      generator.seed(intArgument(budget, args, 1, 'randomseed'));
      return [];
    },
    sin: unary('sin', Math.sin),
    sinh: unary('sinh', Math.sinh),
    sqrt: unary('sqrt', Math.sqrt),
    tan: unary('tan', Math.tan),
    tanh: unary('tanh', Math.tanh),
  });
  table.set('pi', Math.PI);
  table.set('huge', Number.POSITIVE_INFINITY);
  return table;
}

/** C's `pow`, where 1 to any power is 1, and -1 to an infinite one, too. */
function power(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y;
}

function withSign(magnitude: number, sign: number): number {
  return sign < 0 || Object.is(sign, -0) ? -Math.abs(magnitude) : Math.abs(magnitude);
}

const EXPONENT_OF_SUBNORMALS = 54;

/** `x` as `m × 2^e` with `m` from 0.5 to below 1. */
function splitExponent(x: number): [number, number] {
  if (x === 0 || !Number.isFinite(x)) return [x, 0];
  const isSubnormal = Math.abs(x) < 2 ** -1022;
  double.setFloat64(0, isSubnormal ? x * 2 ** EXPONENT_OF_SUBNORMALS : x);
  const high = double.getUint16(0);
  const exponent = ((high >> 4) & 0x7ff) - 1022;
  double.setUint16(0, (high & 0x800f) | (1022 << 4));
  return [double.getFloat64(0), isSubnormal ? exponent - EXPONENT_OF_SUBNORMALS : exponent];
}

const double = new DataView(new ArrayBuffer(8));

/** `x × 2^exponent`, rounded once. */
function scaleByPower(x: number, exponent: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const [mantissa, own] = splitExponent(x);
  const total = own + exponent;
  if (total > 1024) return withSign(Number.POSITIVE_INFINITY, x);
  if (total < -1100) return withSign(0, x);
  // Both factors are powers of two that doubles have, the last product is what rounds.
  return total > 0 ? mantissa * 2 * 2 ** (total - 1) : mantissa * 2 ** -30 * 2 ** (total + 30);
}
