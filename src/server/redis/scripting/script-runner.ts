/**
 * `ScriptRunner`: runs scripts, or functions, from their beginning to their end over the view of a transaction: nothing of other clients
 * comes between, and all that one writes is one revision.
 *
 * - A script that fails keeps what it has written until then, as in Redis.
 * - One that uses up what a script, or a transaction, may is given up as a whole: it has changed nothing, and its error says which limit
 *   that was.
 * - What it has published goes out behind its transaction, or not at all.
 */
import type { Seam } from '../../../store/seam.ts';
import { budgetSpent } from '../../../store/views/draft.ts';
import type { ReadView, View } from '../../../store/views/view.ts';
import { LuaLimitError } from '../../../lua/budget.ts';
import { Lrand48 } from '../../../lua/libraries/lrand48.ts';
import { LuaError, LuaTable, type LuaValue } from '../../../lua/value.ts';
import { assert } from '../../../errors.ts';
import { fixed, serverFixed } from '../../../limits.ts';
import type { CommandCall } from '../commands/command.ts';
import { CommandRunner, type RunObserver } from '../commands/run-command.ts';
import { RunningCall } from '../commands/running-call.ts';
import type { CommandTable } from '../commands/table.ts';
import type { Delivery } from '../pubsub/delivery.ts';
import { scriptFailed, scriptGivenUp } from '../replies/errors.ts';
import { redisLibrary, type ScriptLog } from './redis-library.ts';
import { ScriptCalls } from './script-calls.ts';
import { type ChunkName, ScriptMachine } from './script-machine.ts';
import { replyResult } from './script-result.ts';

export interface ScriptingOptions {
  readonly seam: Seam;
  readonly delivery: Delivery;
  /** Of all commands; asked for when a script calls one. */
  readonly table: () => CommandTable;
  readonly observer: RunObserver & { ran(command: string): void };
  /** `redis.log`. @param text one character for each byte. */
  readonly log: ScriptLog;
}

/** What runs. */
export interface Program {
  /** As its errors name it: the SHA-1 of a script, the name of a function. */
  readonly name: string;
  /** The command that its errors are counted for. */
  readonly command: string;
  readonly mayWrite: boolean;
  /** @returns its first value. */
  readonly run: (machine: ScriptMachine) => LuaValue;
}

/** A whole transaction's visits are the steps of one script. */
const STEPS_OF_VISIT = Math.ceil(serverFixed.luaStepsMax / fixed.requestVisitsMax);

export class ScriptRunner {
  readonly #options: ScriptingOptions;
  readonly #chunkName: ChunkName;
  readonly #runner: CommandRunner;
  /** It goes on when the machine is made anew, as in Redis. */
  readonly #random = new Lrand48();
  #opened: { readonly machine: ScriptMachine; readonly calls: ScriptCalls } | undefined;

  constructor(options: ScriptingOptions, chunkName: ChunkName) {
    this.#options = options;
    this.#chunkName = chunkName;
    this.#runner = new CommandRunner(options.seam, options.observer);
  }

  /** It is made with the first script, since it takes time and most servers run none. */
  get machine(): ScriptMachine {
    return this.#open().machine;
  }

  /** What the run, or what was compiled, has taken since the budget was filled up. */
  get stepsSpent(): number {
    return serverFixed.luaStepsMax - this.machine.budget.stepsLeft;
  }

  get bytesSpent(): number {
    return serverFixed.luaBytesMax - this.machine.budget.bytesLeft;
  }

  /** The next script has a machine of its own. */
  reset(): void {
    this.#opened = undefined;
  }

  /** For what was done on behalf of a transaction. */
  pay(view: ReadView, steps: number): void {
    view.budget.spendVisits(Math.ceil(steps / STEPS_OF_VISIT));
  }

  /** Runs it, and writes what it returns, or how it has failed. Throws where it is given up. */
  run(view: View, call: CommandCall, program: Program): void {
    assert(call instanceof RunningCall, 'a script runs in a call of a connection');
    if (view.budget.isSpent) throw budgetSpent(view.budget);
    const { delivery } = this.#options;
    if (!call.session.isInTransaction) delivery.transactionBegins();
    const heldCount = delivery.heldCount;
    call.undo = () => delivery.forgetHeld(heldCount);
    const { machine, calls } = this.#open();
    machine.budget.begin();
    calls.begin(view, call, !program.mayWrite);
    try {
      const value = program.run(machine);
      replyResult({ reply: call.reply, budget: machine.budget, version: calls.version }, value);
    } catch (error) {
      if (error instanceof LuaLimitError) throw scriptGivenUp(error.message);
      if (!(error instanceof LuaError)) throw error;
      this.#fail(call, program, error);
    } finally {
      calls.end(call);
      this.pay(view, this.stepsSpent);
    }
  }

  /** What a script has thrown, with its code. */
  textOf({ value }: LuaError): string {
    const text = value instanceof LuaTable ? value.get('err') : `ERR ${this.machine.textOf(value)}`;
    return typeof text === 'string' ? text : 'ERR unknown error';
  }

  /** What a script has written before its error stays. */
  #fail(call: RunningCall, { name, command }: Program, error: LuaError): void {
    const { value, source, line } = error;
    const place = source === undefined ? '' : ` script: ${name}, on ${source}:${line}.`;
    const isCounted = value instanceof LuaTable && value.get('ignore_error_stats_update') === true;
    const { message } = scriptFailed(this.textOf(error) + place);
    if (isCounted) call.reply.error(message);
    else this.#runner.answer(scriptFailed(message), call.reply, command);
  }

  #open(): { readonly machine: ScriptMachine; readonly calls: ScriptCalls } {
    if (this.#opened !== undefined) return this.#opened;
    const { table, observer, log } = this.#options;
    let calls: ScriptCalls | undefined;
    const machine = new ScriptMachine({
      chunkName: this.#chunkName,
      random: this.#random,
      openRedis: (lua) => {
        calls = new ScriptCalls(table, this.#runner, (name) => observer.ran(name), lua.budget);
        return redisLibrary({ machine: lua, calls, log });
      },
    });
    assert(calls !== undefined, 'a machine has its library when it is made');
    this.#opened = { machine, calls };
    return this.#opened;
  }
}
