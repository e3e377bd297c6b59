/**
 * `Functions`: the libraries of functions, which FUNCTION keeps in the store and FCALL runs (`script-runner.ts`).
 *
 * What a call runs is what its own transaction sees: one look at the store gives the digest of the text that has the function, and what is
 * compiled is kept by that digest. So there is nothing to be told of when another connection, another node or a restore has changed a
 * library, and a library that was loaded within a transaction which did not happen is not found.
 *
 * A library is compiled and run once, which registers its functions: when it is loaded, or by the first call behind a restart. What it
 * keeps in variables of its own stays from call to call, as in Redis, but is no part of the store: another node and the next start have it
 * as it was at first. So does this one once calls have taken `redisLibraryStateBytesMax` bytes together, since all of these may be kept.
 */
import { budgetSpent } from '../../../../store/views/draft.ts';
import type { ReadView, View } from '../../../../store/views/view.ts';
import { LuaLimitError, type LuaLimits } from '../../../../lua/budget.ts';
import { LuaError, type LuaFunction, type LuaTable, type LuaValue } from '../../../../lua/value.ts';
import { serverFixed } from '../../../../limits.ts';
import {
  checkRoom,
  deleteLibraries,
  deleteLibrary,
  digestOf,
  findFunction,
  findLibrary,
  type FunctionPlace,
  putLibrary,
} from '../../../../types/functions/libraries.ts';
import type { CommandCall } from '../../commands/command.ts';
import {
  declaredToWrite,
  functionExists,
  functionTexts,
  libraryExists,
  libraryFailed,
  libraryNotCompiled,
  ReplyError,
  restoredLibraryExists,
} from '../../replies/errors.ts';
import { loadingLibrary, type ScriptLog } from '../redis-library.ts';
import { type CachedScript, ScriptCache } from '../script-cache.ts';
import { ScriptRunner, type ScriptingOptions } from '../script-runner.ts';
import type { ScriptInput } from '../scripting.ts';
import { readLibraryText } from './library-text.ts';
import { registerFunction, type RegisteredFunction, type RegisteredFunctions } from './register-function.ts';

interface Library extends CachedScript {
  readonly name: string;
  /** The text: it registers the functions. */
  readonly chunk: LuaFunction;
  /** `undefined`: they are to be registered anew. */
  functions: RegisteredFunctions | undefined;
  /** Whether one of them was called since, so that the library may have something of its own. */
  isCalled: boolean;
}

const LOAD_LIMITS: LuaLimits = {
  steps: serverFixed.redisLibraryLoadStepsMax,
  bytes: serverFixed.redisLibraryLoadBytesMax,
};

export type RestorePolicy = 'append' | 'replace' | 'flush';

export class Functions {
  readonly #runner: ScriptRunner;
  readonly #log: ScriptLog;
  /** Twice as many as there may be, since several transactions may have other ones. */
  readonly #cache = new ScriptCache<Library>({
    countMax: 2 * serverFixed.redisLibrariesMax,
    bytesMax: serverFixed.redisScriptBytesMax,
  });
  #loadingGlobals: LuaTable | undefined;
  /** Of the library whose text runs now. */
  #registering: RegisteredFunctions | undefined;
  /** That calls have taken since libraries had nothing of their own. */
  #stateBytes = 0;

  constructor(options: ScriptingOptions) {
    this.#runner = new ScriptRunner(options, '@user_function');
    this.#log = options.log;
  }

  /**
   * FUNCTION LOAD. Throws a `ReplyError`.
   * @param text one character for each byte.
   * @returns the library's name.
   */
  load(view: View, text: string, replaces: boolean): string {
    const { name } = readLibraryText(text);
    if (!replaces && findLibrary(view, name) !== undefined) throw libraryExists(name);
    this.#put(view, [this.#library(view, text)]);
    return name;
  }

  /**
   * FUNCTION RESTORE. To compile all libraries may take more than one turn; what is compiled stays for the next one, and all are put at
   * once. Throws a `ReplyError`.
   * @param call counts the libraries that are compiled.
   * @returns whether it needs another turn.
   */
  restore(view: View, call: CommandCall, texts: readonly string[], policy: RestorePolicy): boolean {
    const { budget } = view;
    const begun = call.counted;
    const libraries: Library[] = [];
    const names = new Set<string>();
    const functionNames = new Set<string>();
    // A turn that compiles none has all that there is to be had.
    const hasMoreTurns = (): boolean => !call.session.isInTransaction && call.counted > begun;
    for (const text of texts) {
      if (budget.isSpent) {
        if (hasMoreTurns()) return true;
        throw budgetSpent(budget);
      }
      const { name } = readLibraryText(text);
      if (names.has(name)) throw libraryExists(name);
      names.add(name);
      const library = this.#library(view, text);
      libraries.push(library);
      call.counted = Math.max(call.counted, libraries.length);
      for (const [key, one] of this.#functionsOf(view, library)) {
        if (functionNames.has(key)) throw functionExists(one.name);
        functionNames.add(key);
      }
    }
    // What was compiled in this turn has left nothing for what is put.
    if (budget.isSpent && hasMoreTurns()) return true;
    this.#makeRoom(view, libraries, policy);
    this.#put(view, libraries);
    return false;
  }

  #makeRoom(view: View, libraries: readonly Library[], policy: RestorePolicy): void {
    if (policy === 'flush') deleteLibraries(view);
    else
      for (const { name } of libraries) {
        if (policy === 'replace') deleteLibrary(view, name);
        else if (findLibrary(view, name) !== undefined) throw restoredLibraryExists(name);
      }
  }

  /**
   * FCALL: runs a function, and writes what it returns, or how it has failed. Throws where it is given up, and a `ReplyError` where it can't
   * run. @param inputOf what it is called with; asked for once the function is found.
   */
  call(view: View, call: CommandCall, name: string, inputOf: () => ScriptInput): void {
    const place = findFunction(view, name);
    if (place === undefined) throw new ReplyError(functionTexts.noFunction);
    const one = this.#function(view, place, name);
    const { keys, argv, isReadOnly } = inputOf();
    const mayWrite = !one.flags.has('no-writes');
    if (isReadOnly && mayWrite) throw declaredToWrite();
    try {
      this.#runner.run(view, call, {
        name: one.name,
        command: isReadOnly ? 'fcall_ro' : 'fcall',
        mayWrite,
        run: (machine) => machine.call(one.callback, keys, argv),
      });
    } finally {
      // What it was called with may be kept, too, be it as a part of a string, which holds the whole.
      this.#countState(this.#runner.bytesSpent + lengthOf(keys) + lengthOf(argv));
    }
  }

  #put(view: View, libraries: readonly Library[]): void {
    for (const library of libraries) {
      const { name, text } = library;
      const functions = [...this.#functionsOf(view, library).values()];
      const taken = putLibrary(view, { name, text, functions });
      if (taken !== undefined) throw functionExists(taken);
    }
    checkRoom(view);
    // Each begins with nothing of its own, be it that its text was there.
    for (const library of libraries) if (library.isCalled) library.functions = undefined;
  }

  #function(view: ReadView, { digest, libraryName }: FunctionPlace, name: string): RegisteredFunction {
    const library =
      this.#cache.bySha(digest) ?? this.#compile(view, findLibrary(view, libraryName)?.text ?? '');
    const one = this.#functionsOf(view, library).get(name.toLowerCase());
    if (one === undefined) throw new ReplyError(functionTexts.noFunction);
    library.isCalled = true;
    return one;
  }

  #library(view: ReadView, text: string): Library {
    return this.#cache.bySha(digestOf(text)) ?? this.#compile(view, text);
  }

  /** Compiles a library and has it register its functions. Throws a `ReplyError` for what is none. */
  #compile(view: ReadView, text: string): Library {
    const { name, source } = readLibraryText(text);
    const chunk = this.#compileChunk(view, source);
    const compiledBytes = this.#runner.bytesSpent;
    const functions = this.#registerPaid(view, chunk);
    if (functions.size === 0) throw new ReplyError(functionTexts.noFunctions);
    const { bytesLeft } = this.#runner.machine.budget;
    const bytes = text.length + compiledBytes + LOAD_LIMITS.bytes - bytesLeft;
    const library: Library = { sha: digestOf(text), text, bytes, name, chunk, functions, isCalled: false };
    this.#cache.add(library);
    return library;
  }

  #compileChunk(view: ReadView, source: string): LuaFunction {
    const { machine } = this.#runner;
    try {
      return machine.compile(source);
    } catch (error) {
      if (error instanceof LuaError) throw libraryNotCompiled(machine.textOf(error.value));
      if (error instanceof LuaLimitError) throw libraryNotCompiled(error.message);
      throw error;
    } finally {
      this.#runner.pay(view, this.#runner.stepsSpent);
    }
  }

  #functionsOf(view: ReadView, library: Library): RegisteredFunctions {
    if (library.functions !== undefined) return library.functions;
    library.functions = this.#registerPaid(view, library.chunk);
    library.isCalled = false;
    return library.functions;
  }

  /** Runs the text of a library within what one may take for that, which is little: there may be many. */
  #registerPaid(view: ReadView, chunk: LuaFunction): RegisteredFunctions {
    const { budget } = this.#runner.machine;
    budget.begin(LOAD_LIMITS);
    try {
      return this.#register(chunk);
    } finally {
      this.#runner.pay(view, LOAD_LIMITS.steps - budget.stepsLeft);
    }
  }

  #register(chunk: LuaFunction): RegisteredFunctions {
    const { machine } = this.#runner;
    const functions: RegisteredFunctions = new Map();
    this.#registering = functions;
    try {
      this.#loadingGlobals ??= machine.closedGlobals((lua) =>
        loadingLibrary(
          lua,
          this.#log,
          registerFunction(lua.budget, () => this.#registering),
        ),
      );
      machine.runWith(this.#loadingGlobals, chunk);
    } catch (error) {
      if (error instanceof LuaError) throw libraryFailed(this.#runner.textOf(error));
      if (error instanceof LuaLimitError) throw libraryFailed(`ERR ${error.message}`);
      throw error;
    } finally {
      this.#registering = undefined;
    }
    return functions;
  }

  #countState(bytes: number): void {
    this.#stateBytes += bytes;
    if (this.#stateBytes <= serverFixed.redisLibraryStateBytesMax) return;
    this.#stateBytes = 0;
    for (const library of this.#cache.all()) library.functions = undefined;
  }
}

/** Of strings, in bytes. */
function lengthOf(words: readonly LuaValue[]): number {
  return words.reduce<number>((sum, word) => sum + (typeof word === 'string' ? word.length : 0), 0);
}
