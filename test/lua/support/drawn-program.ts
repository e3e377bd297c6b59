/**
 * Programs of Lua that are drawn by a seed: arithmetic, strings, tables, control flow, closures, metatables, errors and `pcall`, multiple
 * values. They end by themselves. Their result does not depend on the order of fields or on addresses, nor on the border of a table with
 * nil in it.
 */
import type { SeededRandom } from '../../support/random.ts';

const NUMBERS = ['0', '1', '2', '3', '7', '10', '0.5', '-1', '-3', '1e3', '2.25', '1e15', '0x1F', '100'];
const STRINGS = [
  '""',
  '"a"',
  '"b"',
  '"10"',
  '" 7 "',
  '"0x10"',
  '"x\\0y"',
  '"\\200\\n"',
  '[[long]]',
  '"abc"',
  '"1e1"',
];
const FIELDS = ['x', 'y', 'n', 'constructor', '__index', 'this'];
const ARITHMETIC = ['+', '-', '*', '/', '%', '^'];
const COMPARISONS = ['==', '~=', '<', '<=', '>', '>='];
const DEPTH_MAX = 4;

/** What a program begins with: tables with metamethods, functions, and a variable of each kind. */
const PREAMBLE = `local log = ""
local function note(v) local t = type(v) if t == "table" or t == "function" then log = log .. t else log = log .. tostring(v) end log = log .. ";" return v end
local function two(a, b) return b, a end
local function all(...) return ... end
local function none() end
local meta = {}
local function make(v) return setmetatable({v = v}, meta) end
for _, e in ipairs({"add", "sub", "mul", "div", "mod", "pow", "concat"}) do
  meta["__" .. e] = function(a, b) note(e) return make(e .. (type(a) == "table" and tostring(a.v) or tostring(a)) .. (type(b) == "table" and tostring(b.v) or tostring(b))) end
end
meta.__unm = function(a) return make("-" .. tostring(a.v)) end
meta.__eq = function(a, b) note("eq") return a.v == b.v end
meta.__lt = function(a, b) note("lt") return tostring(a.v) < tostring(b.v) end
meta.__call = function(self, a, b) note("call") return b, a end
meta.__tostring = function(self) return "M" .. tostring(self.v) end
meta.__index = function(t, k) return type(k) == "number" and k < 3 and k * 2 or nil end
meta.__newindex = function(t, k, v) note("new") rawset(t, k, v) end
local m, o = make(1), make("q")
local t, u = {1, 2, 3, x = 4, y = {n = 5}}, {x = "s"}
local a, b, c, d = 1, "2", nil, true
`;

export function drawnProgram(random: SeededRandom): string {
  return `${PREAMBLE}${new Program(random).block(0)}\nreturn log, a, b, c, d, m, o`;
}

class Program {
  readonly #random: SeededRandom;
  #names: string[] = ['a', 'b', 'c', 'd', 't', 'u', 'm', 'o'];
  #nameCount = 0;
  #loops = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  block(depth: number): string {
    const names = [...this.#names];
    const count = this.#random.between(1, depth === 0 ? 8 : 3);
    const statements = Array.from({ length: count }, () => {
      const statement = this.#statement(depth);
      // Most of them fail sooner or later: what follows is to be seen, too.
      const isDeclaration = statement.startsWith('local');
      return depth > 1 || isDeclaration ? statement : `note(select(2, pcall(function() ${statement} end)));`;
    });
    this.#names = names;
    return statements.join(this.#random.chance(0.3) ? '\n' : ' ');
  }

  #newName(): string {
    return `v${++this.#nameCount}`;
  }

  #name(): string {
    return this.#random.pick(this.#names);
  }

  #statement(depth: number): string {
    const random = this.#random;
    const kind = random.below(depth >= DEPTH_MAX ? 6 : 14);
    switch (kind) {
      case 0: {
        const name = this.#newName();
        const code = `local ${name} = select(2, pcall(function() return ${this.#expression(depth)} end));`;
        this.#names.push(name);
        return code;
      }
      case 1:
        return `${this.#name()} = ${this.#expression(depth)};`;
      case 2:
        return `note(${this.#expression(depth)});`;
      case 3:
        return `${this.#name()}.${random.pick(FIELDS)} = ${this.#expression(depth)};`;
      case 4:
        return `${this.#name()}, ${this.#name()} = ${this.#list(depth)};`;
      case 5:
        return `t[${this.#expression(depth)}], ${this.#name()} = ${this.#list(depth)};`;
      case 6:
        return `if ${this.#expression(depth)} then ${this.block(depth + 1)} elseif ${this.#expression(depth)} then ${this.block(depth + 1)} else ${this.block(depth + 1)} end`;
      case 7: {
        if (++this.#loops > 6) return 'note("loops");';
        const name = this.#newName();
        const bounds = random.pick(['1, 3', '3, 1, -1', '1, 2, 0.5', '2, 1', '"1", 2', '#t, 5', '1, a']);
        this.#names.push(name);
        const body = this.block(depth + 1);
        this.#names.pop();
        return `do local turns = 0 for ${name} = ${bounds} do turns = turns + 1 if turns > 5 then break end ${body} end end`;
      }
      case 8: {
        if (++this.#loops > 6) return 'note("loops");';
        const [key, value] = [this.#newName(), this.#newName()];
        this.#names.push(key, value);
        const body = this.block(depth + 1);
        this.#names.splice(-2);
        return `for ${key}, ${value} in ipairs({${this.#list(depth)}}) do ${body} end`;
      }
      case 9: {
        if (++this.#loops > 6) return 'note("loops");';
        const name = this.#newName();
        const condition = this.#expression(depth);
        const body = this.block(depth + 1);
        return random.chance(0.5)
          ? `do local ${name} = 0 while ${name} < 3 and (${condition}) do ${name} = ${name} + 1 ${body} end end`
          : `do local ${name} = 0 repeat ${name} = ${name} + 1 ${body} until ${name} > 2 or (${condition}) end`;
      }
      case 10: {
        const name = this.#newName();
        const [first, second] = [this.#newName(), this.#newName()];
        const isVararg = random.chance(0.4);
        this.#names.push(first, second);
        const body = this.block(depth + 1);
        const result = this.#list(depth + 1);
        this.#names.splice(-2);
        const further = isVararg ? `, ... ) note(select("#", ...)) ` : ') ';
        const code = `local function ${name}(${first}, ${second}${further}${body} return ${result}${isVararg ? ', ...' : ''} end`;
        this.#names.push(name);
        return `${code} note(${name}(${this.#list(depth)}));`;
      }
      case 11:
        return `note(select("#", pcall(function() ${this.block(depth + 1)} return ${this.#list(depth)} end)));`;
      case 12: {
        const [ok, error] = [this.#newName(), this.#newName()];
        return `local ${ok}, ${error} = pcall(function() ${this.block(depth + 1)} ${random.chance(0.3) ? `error(${this.#expression(depth)}, ${random.below(3)})` : ''} end) note(${ok}) note(${error});`;
      }
      default:
        return `do ${this.block(depth + 1)} end`;
    }
  }

  #list(depth: number): string {
    const random = this.#random;
    const expressions = Array.from({ length: random.between(1, 3) }, () => this.#expression(depth + 1));
    if (random.chance(0.3))
      expressions.push(random.pick(['two(1, 2)', 'none()', 'all(a, nil, b)', 'all()', 'm(1, 2)']));
    return expressions.join(', ');
  }

  #expression(depth: number): string {
    const random = this.#random;
    const below = (): string => this.#expression(depth + 1);
    switch (random.below(depth > DEPTH_MAX ? 5 : 17)) {
      case 0:
        return random.pick(NUMBERS);
      case 1:
        return random.pick(STRINGS);
      case 2:
        return random.pick(['nil', 'true', 'false', 'm', 'o', 't', 'u']);
      case 3:
      case 4:
        return this.#name();
      case 5:
      case 6:
        return `(${below()} ${random.pick(ARITHMETIC)} ${below()})`;
      case 7:
        return `${below()} ${random.pick(['..', '+', '-', '*'])} ${below()}`;
      case 8:
        return `(${below()} ${random.pick(COMPARISONS)} ${below()})`;
      case 9:
        return `(${below()} ${random.pick(['and', 'or'])} ${below()})`;
      case 10:
        return `${random.pick(['not ', '- ', '-', '#'])}(${below()})`;
      case 11:
        return random.chance(0.5)
          ? `(${this.#name()}).${random.pick(FIELDS)}`
          : `(${this.#name()})[${below()}]`;
      case 12:
        return `${random.pick(['two', 'all', 'none', 'note', 'm', 'tostring', 'tonumber', 'type'])}(${this.#list(depth)})`;
      case 13:
        return `{${this.#list(depth)}, ${random.pick(FIELDS)} = ${below()}, [${below()}] = ${below()}}`;
      case 14:
        return `(function(...) ${random.chance(0.5) ? this.#assignment(depth) : ''} return ${below()} end)(${this.#list(depth)})`;
      case 15:
        return `select(2, pcall(function() return ${below()} end))`;
      default:
        return `tostring(${below()} .. ${below()})`;
    }
  }

  #assignment(depth: number): string {
    return `${this.#name()} = ${this.#expression(depth + 1)}`;
  }
}
