/** `Scripting`: the scripts of a door, which EVAL and its like run (`script-runner.ts`). */
import type { View } from '../../../store/views/view.ts';
import { LuaLimitError } from '../../../lua/budget.ts';
import { LuaError, type LuaFunction, type LuaValue } from '../../../lua/value.ts';
import type { FunctionFlag } from '../../../types/functions/libraries.ts';
import type { CommandCall } from '../commands/command.ts';
import { declaredToWrite, noSuchScript, scriptNotCompiled } from '../replies/errors.ts';
import { type CachedScript, ScriptCache, sha1Of } from './script-cache.ts';
import { ScriptRunner, type ScriptingOptions } from './script-runner.ts';
import { readScriptText } from './script-text.ts';

export interface Script extends CachedScript {
  readonly run: LuaFunction;
  readonly isDeclared: boolean;
  readonly flags: ReadonlySet<FunctionFlag>;
}

/** What scripts are called with. */
export interface ScriptInput {
  readonly keys: LuaValue[];
  readonly argv: LuaValue[];
  /** EVAL_RO and its like. */
  readonly isReadOnly: boolean;
}

export class Scripting {
  readonly #cache = new ScriptCache<Script>();
  readonly #runner: ScriptRunner;
  /** That the script took to be compiled which runs next. */
  #compilingSteps = 0;

  constructor(options: ScriptingOptions) {
    this.#runner = new ScriptRunner(options, '@user_script');
  }

  /** Throws a `ReplyError` for what is no Lua. @param text one character for each byte. */
  byText(text: string): Script {
    this.#compilingSteps = 0;
    const known = this.#cache.byText(text);
    if (known !== undefined) return known;
    const { source, isDeclared, flags } = readScriptText(text);
    const { machine } = this.#runner;
    try {
      const run = machine.compile(source);
      this.#compilingSteps = this.#runner.stepsSpent;
      const bytes = text.length + this.#runner.bytesSpent;
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
    this.#runner.reset();
  }

  /** Runs a script, and writes what it returns, or how it has failed. Throws where it is given up. */
  run(view: View, call: CommandCall, script: Script, { keys, argv, isReadOnly }: ScriptInput): void {
    const mayWrite = !script.flags.has('no-writes');
    if (isReadOnly && script.isDeclared && mayWrite) throw declaredToWrite();
    const compilingSteps = this.#compilingSteps;
    this.#compilingSteps = 0;
    try {
      this.#runner.run(view, call, {
        name: script.sha,
        command: 'eval',
        mayWrite: mayWrite && !isReadOnly,
        run: (machine) => machine.run(script.run, keys, argv),
      });
    } finally {
      this.#runner.pay(view, compilingSteps);
    }
  }
}
