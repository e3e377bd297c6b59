/**
 * What a script returns, as a reply of Redis: the way back of `lua-reply.ts`.
 *
 * A number is cut to an integer, an array ends before its first nil, and a table with one of the fields `err`, `ok`, `double`, `map`,
 * `set`, `big_number`, `verbatim_string` is what that says. Each value is paid for, since one table may stand in many places.
 */
import { LuaTable, type LuaValue } from '../../../lua/value.ts';
import type { LuaBudget } from '../../../lua/budget.ts';
import { serverFixed } from '../../../limits.ts';
import type { Reply } from '../commands/command.ts';

export interface ResultTarget {
  readonly reply: Reply;
  readonly budget: LuaBudget;
  /** What the script has asked for: whether a boolean is one of RESP3. */
  readonly version: 2 | 3;
}

/** @throws LuaLimitError where the reply takes more than the run of a script may. */
export function replyResult(target: ResultTarget, value: LuaValue, depth = 0): void {
  const { reply, budget, version } = target;
  budget.spendSteps(STEPS_OF_VALUE);
  switch (typeof value) {
    case 'string':
      budget.spendBytes(value.length);
      reply.bulk(Buffer.from(value, 'latin1'));
      return;
    case 'number':
      reply.integer(toInt64(value));
      return;
    case 'boolean':
      if (version === 3) reply.boolean(value);
      else if (value) reply.integer(1);
      else reply.nil();
      return;
    default:
      if (!(value instanceof LuaTable)) reply.nil();
      else if (depth >= serverFixed.redisScriptReplyDepthMax) reply.error('ERR reached lua stack limit');
      else replyTable(target, value, depth + 1);
  }
}

function replyTable(target: ResultTarget, table: LuaTable, depth: number): void {
  const { reply, budget } = target;
  if (replyNamed(target, table, depth)) return;
  let count = 0;
  while (table.get(count + 1) !== undefined) count++;
  budget.spendSteps(count);
  reply.array(count);
  for (let index = 1; index <= count; index++) replyResult(target, table.get(index), depth);
}

/** @returns false: no field says what it is. */
function replyNamed(target: ResultTarget, table: LuaTable, depth: number): boolean {
  const { reply } = target;
  const error = table.get('err');
  if (typeof error === 'string') {
    reply.error(paidLine(target, error));
    return true;
  }
  const status = table.get('ok');
  if (typeof status === 'string') {
    reply.simple(paidLine(target, status));
    return true;
  }
  const double = table.get('double');
  if (typeof double === 'number') {
    reply.double(double);
    return true;
  }
  const map = table.get('map');
  if (map instanceof LuaTable) {
    const pairs = pairsOf(target, map);
    reply.map(pairs.length);
    for (const [key, value] of pairs) {
      replyResult(target, key, depth);
      replyResult(target, value, depth);
    }
    return true;
  }
  const set = table.get('set');
  if (set instanceof LuaTable) {
    const pairs = pairsOf(target, set);
    reply.set(pairs.length);
    for (const [key] of pairs) replyResult(target, key, depth);
    return true;
  }
  const number = table.get('big_number');
  if (typeof number === 'string') {
    reply.bigNumber(paidLine(target, number));
    return true;
  }
  const verbatim = table.get('verbatim_string');
  if (!(verbatim instanceof LuaTable)) return false;
  const [format, text] = [verbatim.get('format'), verbatim.get('string')];
  if (typeof format !== 'string' || typeof text !== 'string') return false;
  target.budget.spendBytes(text.length);
  reply.verbatim(format.slice(0, FORMAT_LENGTH), Buffer.from(text, 'latin1'));
  return true;
}

type Pair = readonly [key: LuaValue, value: LuaValue];

function pairsOf({ budget }: ResultTarget, table: LuaTable): Pair[] {
  const pairs: Pair[] = [];
  for (let next = table.next(undefined); next !== undefined; next = table.next(next[0])) {
    budget.spendSteps(STEPS_OF_VALUE);
    pairs.push(next);
  }
  return pairs;
}

/** That a value takes to be written. */
const STEPS_OF_VALUE = 10;
/** Of the name of a format. */
const FORMAT_LENGTH = 3;
const INT64_MIN = -(2n ** 63n);
const BEYOND_INT64 = 2 ** 63;

/** As C casts a double: what has no 64-bit integer is the lowest one. */
function toInt64(value: number): number | bigint {
  const whole = Math.trunc(value);
  if (Number.isSafeInteger(whole)) return whole;
  return whole >= -BEYOND_INT64 && whole < BEYOND_INT64 ? BigInt(whole) : INT64_MIN;
}

function paidLine({ budget }: ResultTarget, text: string): string {
  budget.spendBytes(text.length);
  return text.replace(/[\r\n]/g, ' ');
}
