/**
 * `Scripting`: the scripts of a door. EVAL and its like run one from its beginning to its end over the view of a transaction: nothing of
 * other clients comes between, and all that it writes is one revision.
 *
 * - A script that fails keeps what it has written until then, as in Redis.
 * - One that uses up what a script, or a transaction, may is given up as a whole: it has changed nothing, and its error says which limit
 *   that was.
 * - What it has published goes out behind its transaction, or not at all.
 */
import type { Seam } from '../../../store/seam.ts';
import { budgetSpent } from '../../../store/views/draft.ts';
import type { View } from '../../../store/views/view.ts';
import { LuaLimitError } from '../../../lua/budget.ts';
import { Lrand48 } from '../../../lua/libraries/lrand48.ts';
import { LuaError, type LuaFunction, LuaTable, type LuaValue } from '../../../lua/value.ts';
import { assert } from '../../../errors.ts';
import { fixed, serverFixed } from '../../../limits.ts';
import type { CommandCall } from '../commands/command.ts';
import { CommandRunner, type RunObserver } from '../commands/run-command.ts';
import { RunningCall } from '../commands/running-call.ts';
import type { CommandTable } from '../commands/table.ts';
import type { Delivery } from '../pubsub/delivery.ts';
import {
  declaredToWrite,
  noSuchScript,
  scriptFailed,
  scriptGivenUp,
  scriptNotCompiled,
} from '../replies/errors.ts';
import { redisLibrary, type ScriptLogLevel } from './redis-library.ts';
import { type CachedScript, ScriptCache, sha1Of } from './script-cache.ts';
import { ScriptCalls } from './script-calls.ts';
import { ScriptMachine } from './script-machine.ts';
import { replyResult } from './script-result.ts';
import { readScriptText, type ScriptFlag } from './script-text.ts';

export interface ScriptingOptions {
  readonly seam: Seam;
  readonly delivery: Delivery;
  /** Of all commands; asked for when a script calls one. */
  readonly table: () => CommandTable;
  readonly observer: RunObserver & { ran(command: string): void };
  /** `redis.log`. @param text one character for each byte. */
  readonly log: (level: ScriptLogLevel, text: string) => void;
}

export interface Script extends CachedScript {
  readonly run: LuaFunction;
  readonly isDeclared: boolean;
  readonly flags: ReadonlySet<ScriptFlag>;
}

/** What scripts are called with. */
export interface ScriptInput {
  readonly keys: LuaValue[];
  readonly argv: LuaValue[];
  /** EVAL_RO and EVALSHA_RO. */
  readonly isReadOnly: boolean;
}

/** A whole transaction's visits are the steps of one script. */
const STEPS_OF_VISIT = Math.ceil(serverFixed.luaStepsMax / fixed.requestVisitsMax);

export class Scripting {
  readonly #options: ScriptingOptions;
  readonly #cache = new ScriptCache<Script>();
  readonly #runner: CommandRunner;
  /** It goes on over SCRIPT FLUSH, as in Redis. */
  readonly #random = new Lrand48();
  /** That the script took to be compiled which runs next. */
  #compilingSteps = 0;
  #opened: { readonly machine: ScriptMachine; readonly calls: ScriptCalls } | undefined;

  constructor(options: ScriptingOptions) {
    this.#options = options;
    this.#runner = new CommandRunner(options.seam, options.observer);
  }

  /** Throws a `ReplyError` for what is no Lua. @param text one character for each byte. */
  byText(text: string): Script {
    this.#compilingSteps = 0;
    const known = this.#cache.byText(text);
    if (known !== undefined) return known;
    const { source, isDeclared, flags } = readScriptText(text);
    const { machine } = this.#open();
    try {
      const run = machine.compile(source);
      const { budget } = machine;
      this.#compilingSteps = serverFixed.luaStepsMax - budget.stepsLeft;
      const bytes = text.length + serverFixed.luaBytesMax - budget.bytesLeft;
      const script = { sha: sha1Of(text), text, bytes, run, isDeclared, flags };
      this.#cache.add(script);
      return script;
    } catch (error) {
      if (error instanceof LuaError) throw scriptNotCompiled(machine.textOf(error.value));
      if (error instanceof LuaLimitError) throw scriptNotCompiled(error.message);
      throw error;
    }
  }

  /** @param sha in whatever case. Throws a `ReplyError` where there is none. */
  bySha(sha: string): Script {
    this.#compilingSteps = 0;
    const script = this.#cache.bySha(sha) ?? this.#cache.bySha(sha.toLowerCase());
    if (script === undefined) throw noSuchScript();
    return script;
  }

  /** SCRIPT LOAD. @returns its SHA-1. */
  load(text: string): string {
    const script = this.byText(text);
    this.#cache.keep(script);
    return script.sha;
  }

  has(sha: string): boolean {
    return this.#cache.has(sha.toLowerCase());
  }

  /** What the libraries keep for scripts is as it was at first, as in Redis. */
  flush(): void {
    this.#cache.clear();
    this.#opened = undefined;
  }

  /** Runs a script, and writes what it returns, or how it has failed. Throws where it is given up. */
  run(view: View, call: CommandCall, script: Script, { keys, argv, isReadOnly }: ScriptInput): void {
    assert(call instanceof RunningCall, 'a script runs in a call of a connection');
    if (view.budget.isSpent) throw budgetSpent(view.budget);
    const mayWrite = !script.flags.has('no-writes');
    if (isReadOnly && script.isDeclared && mayWrite) throw declaredToWrite();
    const { delivery } = this.#options;
    if (!call.session.isInTransaction) delivery.transactionBegins();
    const heldCount = delivery.heldCount;
    call.undo = () => delivery.forgetHeld(heldCount);
    const { machine, calls } = this.#open();
    machine.budget.begin();
    calls.begin(view, call, isReadOnly || !mayWrite);
    try {
      const value = machine.run(script.run, keys, argv);
      replyResult({ reply: call.reply, budget: machine.budget, version: calls.version }, value);
    } catch (error) {
      if (error instanceof LuaLimitError) throw scriptGivenUp(error.message);
      if (!(error instanceof LuaError)) throw error;
      this.#fail(call, machine, script, error);
    } finally {
      calls.end(call);
      const steps = this.#compilingSteps + serverFixed.luaStepsMax - machine.budget.stepsLeft;
      this.#compilingSteps = 0;
      view.budget.spendVisits(Math.ceil(steps / STEPS_OF_VISIT));
    }
  }

  /** What a script has written before its error stays. */
  #fail(call: RunningCall, machine: ScriptMachine, { sha }: Script, { value, source, line }: LuaError): void {
    const place = source === undefined ? '' : ` script: ${sha}, on ${source}:${line}.`;
    const text = value instanceof LuaTable ? value.get('err') : `ERR ${machine.textOf(value)}`;
    const told = typeof text === 'string' ? text : 'ERR unknown error';
    const isCounted = value instanceof LuaTable && value.get('ignore_error_stats_update') === true;
    const { message } = scriptFailed(told + place);
    if (isCounted) call.reply.error(message);
    else this.#runner.answer(scriptFailed(message), call.reply, 'eval');
  }

  /** The machine is made with the first script, since it takes time and most servers run none. */
  #open(): { readonly machine: ScriptMachine; readonly calls: ScriptCalls } {
    if (this.#opened !== undefined) return this.#opened;
    const { table, observer, log } = this.#options;
    let calls: ScriptCalls | undefined;
    const machine = new ScriptMachine(this.#random, (lua) => {
      calls = new ScriptCalls(table, this.#runner, (name) => observer.ran(name), lua.budget);
      return redisLibrary({ machine: lua, calls, log });
    });
    assert(calls !== undefined, 'a machine has its library when it is made');
    this.#opened = { machine, calls };
    return this.#opened;
  }
}
