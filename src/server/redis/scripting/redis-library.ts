/**
 * The library `redis` of scripts, as that of Redis 7.0. What is about its replication and its debugger is there and changes nothing:
 * what is written goes to the log with the script's transaction.
 */
import type { LuaBudget } from '../../../lua/budget.ts';
import type { LuaMachine } from '../../../lua/machine.ts';
import { numberOf, textOf } from '../../../lua/conversions.ts';
import { LuaError, type LuaFunction, type LuaTable, type LuaValue, NONE } from '../../../lua/value.ts';
import { serverFixed } from '../../../limits.ts';
import { REDIS_VERSION } from '../info/info.ts';
import { scriptTexts } from '../replies/errors.ts';
import { errorTable } from './lua-reply.ts';
import { sha1Of } from './script-cache.ts';
import type { ScriptCalls } from './script-calls.ts';

/** As `redis.log` counts them. */
export type ScriptLogLevel = 'debug' | 'verbose' | 'notice' | 'warning';

const LEVELS: readonly ScriptLogLevel[] = ['debug', 'verbose', 'notice', 'warning'];
/** A line of the log takes so much longer than a step. */
const STEPS_OF_LINE = 1000;
/** A byte of what is hashed takes some 2 ns. */
const HASHED_BYTES_OF_STEP = 16;
const REPL_ALL = 3;
/** 7.0.15 as 0x0007000f. */
const VERSION_NUMBER = REDIS_VERSION.split('.').reduce((number, part) => number * 256 + Number(part), 0);

/** What there is while a library is loaded, too. */
const firstConstants: Readonly<Record<string, LuaValue>> = {
  LOG_DEBUG: 0,
  LOG_VERBOSE: 1,
  LOG_NOTICE: 2,
  LOG_WARNING: 3,
  REDIS_VERSION,
  REDIS_VERSION_NUM: VERSION_NUMBER,
};

const constants: Readonly<Record<string, LuaValue>> = {
  ...firstConstants,
  REPL_NONE: 0,
  REPL_AOF: 1,
  REPL_SLAVE: 2,
  REPL_REPLICA: 2,
  REPL_ALL,
};

export type ScriptLog = (level: ScriptLogLevel, text: string) => void;

export interface RedisLibraryOptions {
  readonly machine: LuaMachine;
  readonly calls: ScriptCalls;
  readonly log: ScriptLog;
}

/** The words behind the level, as far as a line has room. */
function lineOf(args: readonly LuaValue[]): string {
  let line = '';
  for (let index = 1; index < args.length && line.length < serverFixed.redisScriptLogBytesMax; index++) {
    const text = textOf(args[index]);
    if (text !== undefined)
      line += `${line === '' ? '' : ' '}${text.slice(0, serverFixed.redisScriptLogBytesMax)}`;
  }
  return line.slice(0, serverFixed.redisScriptLogBytesMax);
}

/** What a function of the library throws, or gives. */
export function libraryError(budget: LuaBudget, text: string): LuaTable {
  return errorTable(budget, `ERR ${text}`, false);
}

function logFunction({ budget }: LuaMachine, log: ScriptLog): LuaFunction {
  const failed = (text: string): LuaError => new LuaError(libraryError(budget, text));
  return (...args) => {
    if (args.length < 2) throw failed('redis.log() requires two arguments or more.');
    const number = typeof args[0] === 'number' ? Math.trunc(args[0]) : undefined;
    if (number === undefined) throw failed('First argument must be a number (log level).');
    const level = LEVELS[number];
    if (level === undefined) throw failed('Invalid debug level.');
    budget.spendSteps(STEPS_OF_LINE);
    log(level, lineOf(args));
    return NONE;
  };
}

/** What a library of functions sees of it while it is loaded. */
export function loadingLibrary(machine: LuaMachine, log: ScriptLog, registerFunction: LuaFunction): LuaTable {
  return tableOf(machine, {
    ...firstConstants,
    log: logFunction(machine, log),
    register_function: registerFunction,
  });
}

function tableOf(machine: LuaMachine, values: Readonly<Record<string, LuaValue>>): LuaTable {
  const table = machine.newTable();
  for (const [name, value] of Object.entries(values)) table.set(name, value);
  return table;
}

export function redisLibrary({ machine, calls, log }: RedisLibraryOptions): LuaTable {
  const { budget } = machine;
  const failure = (text: string): LuaTable => libraryError(budget, text);
  const failed = (text: string): LuaError => new LuaError(failure(text));

  const functions: Readonly<Record<string, LuaFunction>> = {
    call: (...words) => {
      const value = calls.run(words);
      if (calls.hasFailed) throw new LuaError(value);
      return value;
    },
    pcall: (...words) => calls.run(words),
    sha1hex: (...args) => {
      if (args.length !== 1) throw failed('wrong number of arguments');
      const text = textOf(args[0]) ?? '';
      budget.spendSteps(Math.ceil(text.length / HASHED_BYTES_OF_STEP));
      return sha1Of(text);
    },
    status_reply: (...args) => {
      const [text] = args;
      if (args.length !== 1 || typeof text !== 'string') return failure('wrong number or type of arguments');
      const table = machine.newTable();
      table.set('ok', text);
      return table;
    },
    error_reply: (...args) => {
      const [text] = args;
      if (args.length !== 1 || typeof text !== 'string') return failure('wrong number or type of arguments');
      return errorTable(budget, text.replace(/^-/, ''), false);
    },
    log: logFunction(machine, log),
    setresp: (...args) => {
      if (args.length !== 1) throw failed('redis.setresp() requires one argument.');
      const version = numberOf(args[0]);
      if (version !== 2 && version !== 3) throw failed('RESP version must be 2 or 3.');
      calls.version = version;
      return NONE;
    },
    set_repl: (...args) => {
      if (args.length !== 1) throw failed('redis.set_repl() requires two arguments.');
      const flags = numberOf(args[0]) ?? 0;
      if (flags < 0 || flags > REPL_ALL)
        throw failed('Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.');
      return NONE;
    },
    replicate_commands: () => true,
    breakpoint: () => false,
    debug: () => NONE,
    acl_check_cmd: (...words) => {
      if (words.length === 0) throw new LuaError(errorTable(budget, scriptTexts.noWords, false));
      const isAllowed = calls.mayRun(words);
      if (isAllowed === 'unknown') throw failed('Invalid command passed to redis.acl_check_cmd()');
      return isAllowed;
    },
  };
  return tableOf(machine, { ...constants, ...functions });
}
