/** Runs one command line. */
import { CommanderError } from 'commander';
import { isKelpError } from '../client/error.ts';
import { type ExitCode, exitCode, exitCodeOf } from './exit-code.ts';
import { OutputClosedError } from './output.ts';
import { buildProgram } from './program.ts';
import type { Surroundings } from './session.ts';

/** `args` are those after the name of the command. @returns what the process is to exit with. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { command, runner } = buildProgram(surroundings);
  try {
    await command.parseAsync(args, { from: 'user' });
    return runner.exitCode;
  } catch (error) {
    if (error instanceof OutputClosedError) return exitCode.ok;
    // Commander has written its message already.
    if (!(error instanceof CommanderError)) surroundings.output.note(messageOf(error));
    return exitCodeOf(error);
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = error.message || error.name;
  const isOpen = isKelpError(error) && error.mayHaveTakenEffect;
  return isOpen ? `${message} (the change may have been made all the same)` : message;
}
