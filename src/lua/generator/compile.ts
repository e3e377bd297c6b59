/** `compileChunk`: from the source of a chunk to its function. */
import type { LuaOperations } from '../runtime/operations.ts';
import { shownChunkName } from '../syntax/chunk-name.ts';
import { parse } from '../syntax/parser.ts';
import { LuaError, type LuaFunction, NONE } from '../value.ts';
import { evaluate } from './new-function.ts';
import { writeFunction } from './statements.ts';

/** A byte of a dense source takes some 5 microseconds, in V8's own compiler too. */
const STEPS_OF_BYTE = 100;

/** Compiling is paid for: its time by the length of the source, and what it makes by that. Throws a `LuaError` where the source isn't Lua, or lies too deep in itself. */
export function compileChunk(source: string, chunkName: string, operations: LuaOperations): LuaFunction {
  const name = shownChunkName(chunkName);
  const { budget } = operations;
  try {
    const body = parse(source, name, (length) => budget.spendSteps(STEPS_OF_BYTE * length));
    const code = `return ${writeFunction(body)};`;
    budget.spendBytes(code.length);
    return evaluate(code, {
      R: operations,
      B: budget,
      C: { source: chunkName, name },
      NONE,
      floor: Math.floor,
    }) as LuaFunction;
  } catch (error) {
    // The stack is full, here or in V8's own parser.
    if (error instanceof RangeError) throw new LuaError(`${name}:1: chunk has too many syntax levels`, 0);
    // A bound of V8's on what one function or call may have.
    if (error instanceof SyntaxError) throw new LuaError(`${name}:1: function or expression too complex`, 0);
    throw error;
  }
}
