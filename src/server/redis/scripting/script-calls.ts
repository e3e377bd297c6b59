/**
 * `ScriptCalls`: what `redis.call` and `redis.pcall` do. Each call is one of a command of the table, over the view of the script's
 * transaction, with a savepoint of its own: one that fails has changed nothing, and the script goes on with its error.
 *
 * Each is checked by itself, for what the user may do as the script runs. What the store refuses for good (its limits, a failing disk)
 * is no error of the script's: it goes through the script, which is given up as a whole.
 */
import { type LuaBudget, LuaLimitError } from '../../../lua/budget.ts';
import type { LuaValue } from '../../../lua/value.ts';
import type { Rights } from '../../../access/rights/rights.ts';
import { assert, NoRoomYetError, StoreError, type StoreErrorCode } from '../../../errors.ts';
import { budgetSpent } from '../../../store/views/draft.ts';
import type { View } from '../../../store/views/view.ts';
import type { Session } from '../commands/command.ts';
import type { CommandRunner } from '../commands/run-command.ts';
import { RunningCall } from '../commands/running-call.ts';
import { type ClientSession, type SessionCommand, takesTime } from '../commands/session-command.ts';
import type { CommandTable, TableRow } from '../commands/table.ts';
import { checkCall } from '../connection/key-access.ts';
import { DeniedError, noAuth, ReplyError, scriptTexts } from '../replies/errors.ts';
import { errorTable, LuaReply } from './lua-reply.ts';
import { ScriptWords } from './script-words.ts';

/** What a command about connections or the server writes in the time of a visit: values, and bytes of their texts. */
const VALUES_OF_VISIT = 2;
const BYTES_OF_VISIT = 16;
/** What Redis counts among writes in a script that may not write. */
const REPLICATED: ReadonlySet<string> = new Set(['publish', 'spublish', 'pfcount']);
/** Errors that are not about the call, but about the transaction or the store. */
const ENDS_SCRIPT: ReadonlySet<StoreErrorCode> = new Set([
  'limitReached',
  'storageFailed',
  'readOnly',
  'readFailed',
  'notWriter',
  'closed',
]);

/** What the script's commands know of its connection: SELECT is for the script alone. */
class ScriptSession implements Session {
  database = 0;
  readonly isInTransaction = true;
  readonly isInScript = true;
  isReadOnly = false;
  client: Session | undefined;

  rights(): Rights | undefined {
    return this.client?.rights();
  }
}

export class ScriptCalls {
  readonly #table: () => CommandTable;
  readonly #runner: CommandRunner;
  readonly #ran: (name: string) => void;
  readonly #budget: LuaBudget;
  readonly #words = new ScriptWords();
  readonly #session = new ScriptSession();
  readonly #reply: LuaReply;
  #call: RunningCall<LuaReply> | undefined;
  #view: View | undefined;
  #isReadOnly = false;

  constructor(
    table: () => CommandTable,
    runner: CommandRunner,
    ran: (name: string) => void,
    budget: LuaBudget,
  ) {
    this.#table = table;
    this.#runner = runner;
    this.#ran = ran;
    this.#budget = budget;
    this.#reply = new LuaReply(budget);
  }

  /** A script begins. @param outer the call that runs it. @param isReadOnly it may not write. */
  begin(view: View, outer: RunningCall, isReadOnly: boolean): void {
    const session = this.#session;
    session.client = outer.session;
    session.database = outer.session.database;
    session.isReadOnly = outer.session.isReadOnly;
    this.#call ??= new RunningCall(this.#words.args, this.#reply, session, outer.cursors);
    const call = this.#call;
    call.keepsEvents = outer.keepsEvents;
    call.events = outer.events;
    call.visitsSpent = call.bytesSpent = 0;
    call.scriptedMs = view.instantMs;
    this.#reply.version = 2;
    this.#view = view;
    this.#isReadOnly = isReadOnly;
  }

  /** The script has ended, in whatever way. */
  end(outer: RunningCall): void {
    if (this.#call !== undefined) outer.spend(this.#call.visitsSpent, this.#call.bytesSpent);
    this.#view = this.#session.client = undefined;
    this.#reply.rollBack(0);
  }

  /** What the script has asked for; 2 as it begins. */
  get version(): 2 | 3 {
    return this.#reply.version;
  }

  set version(version: 2 | 3) {
    this.#reply.version = version;
  }

  /** Whether the last call has failed: then what it returned is the error. */
  get hasFailed(): boolean {
    return this.#reply.isError;
  }

  /** Calls a command. @param words are changed. @returns its reply, be it an error. */
  run(words: LuaValue[]): LuaValue {
    const reply = this.#reply;
    reply.rollBack(0);
    if (words.length === 0) return this.#refuse(scriptTexts.noWords, false);
    if (!this.#words.put(words, this.#pay)) return this.#refuse(scriptTexts.badWords, false);
    const { args } = this.#words;
    args.database = this.#session.database;
    const row = this.#table().find(args);
    if (row instanceof ReplyError)
      return this.#refuse(this.#isKnown() ? scriptTexts.wrongArity : scriptTexts.unknownCommand);
    const refusal = this.#refusalOf(row);
    if (refusal !== undefined) return this.#refuse(refusal);
    this.#ran(row.name);
    try {
      this.#runRow(row);
    } catch (error) {
      if (endsScript(error)) throw error;
      this.#runner.answer(error, reply, row.name);
    }
    return reply.value;
  }

  /** Whether the user may run a call. */
  mayRun(words: LuaValue[]): boolean | 'unknown' {
    if (!this.#words.put(words, this.#pay)) return 'unknown';
    const { args } = this.#words;
    args.database = this.#session.database;
    const row = this.#table().find(args);
    return row instanceof ReplyError ? 'unknown' : this.#permissionText(row, false) === undefined;
  }

  /** For a call, before its words are copied. */
  readonly #pay = (bytes: number): void => {
    this.#budget.spendSteps(STEPS_OF_CALL + (bytes >> STEP_BYTES_SHIFT));
  };

  #refuse(text: string, isCounted = true): LuaValue {
    this.#reply.isError = true;
    return errorTable(this.#budget, text, isCounted);
  }

  /** Whether the command is there, with other words. */
  #isKnown(): boolean {
    const { args } = this.#words;
    const table = this.#table();
    return table.named(args) !== undefined || (args.count === 1 && table.isTaken(args));
  }

  #refusalOf(row: TableRow): string | undefined {
    const { flags } = row;
    if (flags.includes('noscript')) return scriptTexts.notAllowed;
    if ('session' in row && takesTime(row, this.#words.args)) return scriptTexts.notAllowed;
    const text = this.#permissionText(row, true);
    if (text !== undefined) return text;
    const writes = flags.includes('write') || REPLICATED.has(row.name);
    return writes && this.#isReadOnly ? scriptTexts.isReadOnly : undefined;
  }

  /** @param isTold whether a denial is one of a call: else it was only asked for. */
  #permissionText(row: TableRow, isTold: boolean): string | undefined {
    const rights = this.#session.rights();
    if (rights === undefined) return noAuth().message;
    try {
      checkCall(rights, row, this.#words.args);
      return undefined;
    } catch (error) {
      if (!(error instanceof DeniedError)) throw error;
      const { client } = this.#session;
      if (isTold && isClient(client)) client.denied(row.name, error, 'lua');
      return error.reason === 'key' ? scriptTexts.keyNotPermitted : scriptTexts.notPermitted;
    }
  }

  #runRow(row: TableRow): void {
    const view = this.#view;
    const call = this.#call;
    assert(view !== undefined && call !== undefined, 'a script calls while it runs');
    call.args = this.#words.args;
    if ('session' in row) this.#runSession(view, row, call);
    else this.#runner.completeWithin(view, row, call);
  }

  /** A command about the connection or the server, with the connection in the state of the script. */
  #runSession(view: View, row: SessionCommand, call: RunningCall<LuaReply>): void {
    const { client } = this.#session;
    assert(isClient(client), 'what is about a connection is called by one');
    if (view.budget.isSpent) throw budgetSpent(view.budget);
    const { database, isInTransaction } = client;
    client.database = this.#session.database;
    client.isInTransaction = true;
    try {
      void row.session(client, call);
    } catch (error) {
      this.#reply.rollBack(0);
      throw error;
    } finally {
      this.#session.database = client.database;
      client.database = database;
      client.isInTransaction = isInTransaction;
    }
    const { length, byteLength } = this.#reply;
    view.budget.spendVisits(
      1 + Math.floor(length / VALUES_OF_VISIT) + Math.floor(byteLength / BYTES_OF_VISIT),
    );
    this.#budget.spendSteps(byteLength >> REPLY_STEP_BYTES_SHIFT);
  }
}

/** What a call costs besides what it does, in steps; and so many bytes of its words are one. */
const STEPS_OF_CALL = 10;
const STEP_BYTES_SHIFT = 6;
/** A text about the server takes longer to write. */
const REPLY_STEP_BYTES_SHIFT = 4;

function isClient(session: Session | undefined): session is ClientSession {
  return session !== undefined && 'transaction' in session;
}

/** Whether what a call has thrown ends the script. */
function endsScript(error: unknown): boolean {
  if (error instanceof LuaLimitError || error instanceof NoRoomYetError) return true;
  return error instanceof StoreError && error.room !== 'memory' && ENDS_SCRIPT.has(error.code);
}
