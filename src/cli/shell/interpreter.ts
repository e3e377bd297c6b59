/** Runs the lines of a shell, one after the other: words, the command that they name, its reply or why there is none. */
import { type ExitCode, exitCode, exitCodeOf } from '../process/exit-code.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import { failureJson } from '../process/failure.ts';
import { InterruptedError } from '../process/interrupt.ts';
import { type Output, OutputClosedError } from '../terminal/output.ts';
import type { Run, ShellCommand, ShellSession } from './command.ts';
import { findCommand } from './find-command.ts';
import type { Printer } from './printer.ts';
import { ToldError, printReply } from './reply.ts';
import { pagesUntilAborted, untilAborted } from './until-aborted.ts';
import { type Word, splitWords } from '../../shell-words/split-words.ts';
import { quoteWord } from '../../shell-words/quote.ts';

export interface InterpreterParts {
  readonly session: ShellSession;
  readonly output: Output;
  readonly printer: Printer;
  readonly isJson: boolean;
}

export class Interpreter {
  readonly session: ShellSession;
  readonly #parts: InterpreterParts;

  constructor(parts: InterpreterParts) {
    this.session = parts.session;
    this.#parts = parts;
  }

  /**
   * @param tellFailure tells people why a command has failed; JSON has its line in place of the reply.
   * @returns what the command means for an exit code. Throws when there is no sense in going on: the output is closed, the
   * process is to end.
   */
  async run(
    line: string,
    signal: AbortSignal,
    tellFailure: (error: unknown) => Promise<void>,
  ): Promise<ExitCode> {
    const { printer, output, isJson } = this.#parts;
    try {
      const run = this.#prepare(splitWords(line));
      return run === undefined ? exitCode.ok : await this.#execute(run, signal);
    } catch (error) {
      if (error instanceof OutputClosedError || error instanceof InterruptedError) throw error;
      if (error instanceof ToldError) return exitCodeOf(error.cause);
      await printer.print(() => (isJson ? output.writeJson(failureJson(error)) : tellFailure(error)));
      return exitCodeOf(error);
    }
  }

  /** Nothing for an empty line. */
  #prepare([first, ...words]: readonly Word[]): Run | undefined {
    if (first === undefined) return undefined;
    const { session } = this;
    const command = findCommand(session.commands, first.text ?? quoteWord(first.bytes));
    if (words.length < command.wordsMin || words.length > command.wordsMax) throw wrongCount(command);
    if (session.transaction !== undefined && command.inTransaction === 'never') {
      throw new UsageError(
        `${command.names[0]} can't be used in a transaction; COMMIT or ROLLBACK ends the one that is open`,
      );
    }
    return command.prepare(words);
  }

  async #execute(run: Run, signal: AbortSignal): Promise<ExitCode> {
    const { printer, output, isJson } = this.#parts;
    const reply = await untilAborted(run(this.session, signal), signal);
    const printed =
      reply.kind === 'text' ? reply : { ...reply, pages: pagesUntilAborted(reply.pages, signal) };
    await printer.print(() => printReply(printed, output, isJson, failureJson));
    return reply.kind === 'text' ? reply.exitCode : exitCode.ok;
  }
}

function wrongCount({ names, usage }: ShellCommand): UsageError {
  const text =
    usage === ''
      ? `${names[0]} stands alone`
      : `expected ${names[0]} ${usage}; a word with blanks stands in quotes`;
  return new UsageError(text);
}
