/**
 * `LuaMachine`: what scripts of Lua 5.1 run in. It keeps globals and libraries and runs many scripts one after the other, never two at
 * once.
 *
 * ```ts
 * const machine = new LuaMachine();
 * openBase(machine);
 * const run = machine.compile('return 1 + ...', '@user_script');
 * machine.budget.begin();
 * machine.run(run, 2); // 3
 * ```
 *
 * What differs from Lua 5.1 in C: there are no coroutines; a call in tail position takes stack like any other, of which there is enough for some
 * 1,000 calls in each other; `pairs` gives the array first and then fields in the order in which they came; addresses are counted; NaN is
 * always written `-nan`.
 */
import { LuaBudget, LuaLimitError } from './budget.ts';
import { compileChunk } from './generator/compile.ts';
import { LuaOperations } from './runtime/operations.ts';
import { type LuaFunction, type LuaResult, LuaTable, type LuaValue } from './value.ts';

export class LuaMachine {
  /** One for all scripts: `budget.begin()` fills it up before each. */
  readonly budget: LuaBudget = new LuaBudget();
  readonly globals: LuaTable = new LuaTable(this.budget);
  /** Of all strings; its `__index` is the string library once that is open. */
  readonly stringMetatable: LuaTable = new LuaTable(this.budget);
  /** What Lua does with values, metamethods included: `index`, `setIndex`, `isLess`, `isEqual`, `tostring`, ... */
  readonly operations: LuaOperations = new LuaOperations(this.budget, this.stringMetatable, this.globals);

  /**
   * The function of a chunk; what it is called with is `...`. Throws a `LuaError` when it isn't Lua.
   * @param chunkName `@user_script` is shown as `user_script`; a name without `@` or `=` in front is taken for the source, as in Lua.
   */
  compile(source: string, chunkName: string): LuaFunction {
    return compileChunk(source, chunkName, this.operations);
  }

  /** Calls a function, or what has `__call`, from a function of a library. */
  call(callee: LuaValue, ...args: LuaValue[]): LuaResult {
    return this.operations.call(callee, args);
  }

  /** Runs a script from outside; throws its `LuaError` or `LuaLimitError`. */
  run(callee: LuaFunction, ...args: LuaValue[]): LuaResult {
    try {
      return callee(...args);
    } catch (error) {
      // The depth that scripts may have lies well below what the stack holds, if not much of it was in use before.
      if (error instanceof RangeError) throw new LuaLimitError('stack');
      throw error;
    }
  }

  /** As `run`, with other globals until it ends. */
  runWith(globals: LuaTable, callee: LuaFunction): LuaResult {
    const { operations } = this;
    operations.globals = globals;
    try {
      return this.run(callee);
    } finally {
      operations.globals = this.globals;
    }
  }

  newTable(items?: LuaValue[]): LuaTable {
    return new LuaTable(this.budget, items);
  }
}
