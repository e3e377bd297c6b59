/** Runs one command line. */
import { CommanderError } from 'commander';
import { type ExitCode, exitCode, exitCodeOf } from './exit-code.ts';
import { tellFailure } from './failure.ts';
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
    if (!(error instanceof CommanderError)) {
      tellFailure(surroundings.output, error, command.opts<{ readonly json?: boolean }>().json === true);
    }
    return exitCodeOf(error);
  }
}
