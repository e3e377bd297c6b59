import { describe, expect, test } from 'vitest';
import { LuaLimitError } from '../../src/lua/budget.ts';
import { LuaError } from '../../src/lua/value.ts';
import { SeededRandom } from '../support/random.ts';
import { rounds, timeLimitMs } from '../support/share.ts';
import { drawnProgram } from './support/drawn-program.ts';
import { protectedMachine } from './support/shown-result.ts';

const ROUNDS = rounds(40_000);
const TIMEOUT = timeLimitMs(120_000);
const LIMITS = { steps: 20_000, bytes: 1 << 20 };

/** What JavaScript knows and Lua does not. */
const NAMES = (
  'constructor __proto__ prototype toString valueOf this arguments eval globalThis Function process require import await yield let const ' +
  'class new delete typeof void null undefined NaN Infinity R B C NONE floor l t t1 va d e f1 i1 a1 $1 hasOwnProperty call apply bind length name'
).split(' ');
const TOKENS = [
  ...'and break do else elseif end false for function if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
  ...'+ - * / % ^ # == ~= <= >= < > = ( ) { } [ ] ; : , . .. ...'.split(' '),
  '1',
  '0x1F',
  '1e3',
  '"s"',
  "'q'",
  '[[l]]',
  '"\\65"',
  '\n',
  '--c\n',
  '`',
  '${1}',
  '//',
  '/*',
  '*/',
  '\\u0061',
  '"*/"',
  '"\\"+alert(1)+\\""',
  ...NAMES,
];

/** Compiles and runs it: a result, or an error of the script or its limits. Anything else is thrown. */
function run(source: string): void {
  const machine = protectedMachine();
  machine.globals.isReadOnly = false;
  machine.budget.begin(LIMITS);
  try {
    machine.run(machine.compile(source, '@user_script'));
  } catch (error) {
    if (!(error instanceof LuaError) && !(error instanceof LuaLimitError))
      throw new Error(`It broke out: ${JSON.stringify(source)}`, { cause: error });
  }
}

const GLOBALS = Reflect.ownKeys(globalThis);
const prototypes = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  String.prototype,
  Number.prototype,
  Map.prototype,
];
const PROTOTYPE_KEYS = prototypes.map((prototype) => Reflect.ownKeys(prototype).length);

function expectUntouched(): void {
  expect(Reflect.ownKeys(globalThis)).toEqual(GLOBALS);
  expect(prototypes.map((prototype) => Reflect.ownKeys(prototype).length)).toEqual(PROTOTYPE_KEYS);
}

describe('whatever stands in a source ends in a result or in an error of Lua', () => {
  test('bytes', { timeout: TIMEOUT }, () => {
    const random = new SeededRandom(11);
    for (let round = 0; round < ROUNDS; round++)
      run(Buffer.from(random.bytes(random.between(1, 60))).toString('latin1'));
    expectUntouched();
  });

  test('tokens', { timeout: TIMEOUT }, () => {
    const random = new SeededRandom(12);
    for (let round = 0; round < ROUNDS; round++)
      run(Array.from({ length: random.between(1, 25) }, () => random.pick(TOKENS)).join(' '));
    expectUntouched();
  });

  test('programs with a token exchanged', { timeout: TIMEOUT }, () => {
    const random = new SeededRandom(13);
    for (let round = 0; round < ROUNDS / 4; round++) {
      const words = drawnProgram(random).split(/(?<=\s)/);
      words[random.below(words.length)] = `${random.pick(TOKENS)} `;
      run(words.join(''));
    }
    expectUntouched();
  });

  test.each(NAMES)('%s as a variable, a global, a field, a parameter, a method and a key', (name) => {
    const machine = protectedMachine();
    machine.globals.isReadOnly = false;
    const script =
      `${name} = 1 local it = {${name} = 2} it.${name} = it.${name} + ${name} function it:${name}2(${name}) return ${name}, self end ` +
      `local ${name} = it:${name}2(it.${name}) for ${name} = ${name}, ${name} do it[${name}] = "${name}" end ` +
      `return ${name} .. it[${name}] .. tostring(({}).${name}) .. tostring(("s").${name})`;
    if (name.startsWith('$')) expect(() => machine.compile(script, '@x')).toThrow('unexpected symbol');
    else expect(machine.run(machine.compile(script, '@user_script'))).toBe(`3${name}nilnil`);
    expectUntouched();
  });

  test('no value of JavaScript is reached through a value of Lua', () => {
    const machine = protectedMachine();
    const reach = (expression: string): unknown =>
      machine.run(machine.compile(`local ok, e = pcall(function() return ${expression} end) return e`, '@x'));
    for (const name of NAMES.filter((each) => /^[a-z_]/i.test(each))) {
      expect(reach(`("s").${name}`)).toBeUndefined();
      expect(reach(`({}).${name}`)).toBeUndefined();
      expect(reach(`(type).${name}`)).toBe("x:1: attempt to index global 'type' (a function value)");
      expect(reach(`(1).${name}`)).toBe('x:1: attempt to index a number value');
    }
  });
});
