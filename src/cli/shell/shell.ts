/** `kelp shell`: commands typed at a prompt, or a script of them, against a server or an embedded store. */
import type { Readable } from 'node:stream';
import type { OnProgress } from '../../progress.ts';
import { type ExitCode, exitCode } from '../process/exit-code.ts';
import { untilInterrupted } from '../process/interrupt.ts';
import type { Output } from '../terminal/output.ts';
import { isTerminal } from '../terminal/is-terminal.ts';
import type { ShellSession } from './command.ts';
import { runInteractive } from './interactive.ts';
import { Interpreter } from './interpreter.ts';
import { DirectCalls } from './keys/direct-calls.ts';
import type { Transaction } from './keys/transaction.ts';
import { Printer } from './printer.ts';
import { runScript } from './script.ts';
import type { ShellStore } from './store/shell-store.ts';
import { commands } from './table.ts';
import type { LineEditor } from './terminal/line-editor.ts';
import { Watches } from './watches.ts';

export interface ShellSurroundings {
  readonly stdin: Readable;
  readonly output: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isJson: boolean;
  readonly onProgress: OnProgress;
}

/** @returns 0 for a person; for a script what `runScript` says. */
export async function runShell(store: ShellStore, surroundings: ShellSurroundings): Promise<ExitCode> {
  const { stdin, output, isJson, environment, onProgress } = surroundings;
  const printer = new Printer();
  let editor: LineEditor | undefined;
  const watches = new Watches(store, (text, json) =>
    printer.print(async () => {
      const lines = isJson ? `${JSON.stringify(json)}\n` : text;
      await (editor === undefined
        ? output.write(lines)
        : editor.printAbove(lines, (each) => output.write(each)));
    }),
  );
  const session = new Session(store, watches, output.isTerminal, onProgress);
  const interpreter = new Interpreter({ session, output, printer, isJson });
  try {
    return await untilInterrupted(async (signal) => {
      if (!isTerminal(stdin) || !output.isTerminal) {
        return runScript(interpreter, { stdin, output, isJson, signal });
      }
      const onEditor = (made: LineEditor): void => void (editor = made);
      await runInteractive(interpreter, { stdin, output, environment, signal, onEditor });
      return exitCode.ok;
    });
  } finally {
    watches.endAll();
  }
}

class Session implements ShellSession {
  readonly store: ShellStore;
  readonly watches: Watches;
  readonly commands = commands;
  readonly isTerminal: boolean;
  readonly onProgress: OnProgress;
  transaction: Transaction | undefined;
  isOver = false;
  readonly #direct: DirectCalls;

  constructor(store: ShellStore, watches: Watches, isTerminal: boolean, onProgress: OnProgress) {
    this.store = store;
    this.watches = watches;
    this.isTerminal = isTerminal;
    this.onProgress = onProgress;
    this.#direct = new DirectCalls(store);
  }

  get keys(): ShellSession['keys'] {
    return this.transaction ?? this.#direct;
  }
}
