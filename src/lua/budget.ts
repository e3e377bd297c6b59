/**
 * `LuaBudget`: what one run of a script may use. Steps stand for time (one is some 5 to 50 ns: an iteration of a loop, a call, some
 * 64 bytes that are compared or searched), bytes for memory that was taken (what has become garbage does not come back), depth for the
 * stack of calls. What works or takes memory pays before it does; who cannot pay gets a `LuaLimitError`.
 *
 * Generated code and the runtime count down the fields themselves: a method's call for each iteration would be seen.
 */
import { AnswerError } from '../errors.ts';
import { serverFixed } from '../limits.ts';

/** A script has used up what it may. No `pcall` catches it: the script is given up as a whole. */
export class LuaLimitError extends AnswerError {
  override readonly name = 'LuaLimitError';
  readonly limit: 'steps' | 'bytes' | 'stack';

  constructor(limit: 'steps' | 'bytes' | 'stack') {
    super(TEXT_BY_LIMIT[limit]);
    this.limit = limit;
  }
}

const TEXT_BY_LIMIT = {
  steps: 'The script took more than the steps that one may take: its loops and calls are bounded',
  bytes: 'The script took more memory for strings, tables and functions than one may take',
  stack: 'The script called functions deeper than the stack of the process allows',
} as const;

export interface LuaLimits {
  readonly steps: number;
  readonly bytes: number;
}

export const LUA_LIMITS: LuaLimits = { steps: serverFixed.luaStepsMax, bytes: serverFixed.luaBytesMax };

export class LuaBudget {
  stepsLeft: number = serverFixed.luaStepsMax;
  bytesLeft: number = serverFixed.luaBytesMax;
  /** In slots of a stack's frame of 8 bytes. */
  depthLeft: number = serverFixed.luaStackSlotsMax;

  /** Fills it up for the next run. */
  begin(limits: LuaLimits = LUA_LIMITS): void {
    this.stepsLeft = limits.steps;
    this.bytesLeft = limits.bytes;
    this.depthLeft = serverFixed.luaStackSlotsMax;
  }

  spendSteps(count: number): void {
    if ((this.stepsLeft -= count) < 0) this.failSteps();
  }

  spendBytes(count: number): void {
    if ((this.bytesLeft -= count) < 0) this.failBytes();
  }

  /** For looking at each byte of a string once: comparing, hashing, converting. Short ones are free. */
  spendLook(length: number): void {
    if (length > 64 && (this.stepsLeft -= length >> 6) < 0) this.failSteps();
  }

  failBytes(): never {
    throw new LuaLimitError('bytes');
  }

  failSteps(): never {
    throw new LuaLimitError('steps');
  }
}
