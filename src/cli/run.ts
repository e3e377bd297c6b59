/** Runs one command line. */
import { type Command, CommanderError } from 'commander';
import { type ExitCode, exitCode, exitCodeOf } from './process/exit-code.ts';
import { tellFailure } from './process/failure.ts';
import { isTerminal } from './terminal/is-terminal.ts';
import { OutputClosedError } from './terminal/output.ts';
import { buildProgram } from './program.ts';
import type { Surroundings } from './session/session.ts';

/** `args` are those after the name of the command. @returns what the process is to exit with. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const isJson = asksForJson(args);
  const { command, runner } = buildProgram(surroundings, isJson);
  try {
    const isShell = isShellMeant(command, args, surroundings);
    await command.parseAsync(isShell ? [...args, 'shell'] : args, { from: 'user' });
    return runner.exitCode;
  } catch (error) {
    if (error instanceof OutputClosedError) return exitCode.ok;
    const code = exitCodeOf(error);
    // Commander throws at the end of a help and of the version too.
    if (code !== exitCode.ok && !isShownHelp(error, isJson)) tellFailure(surroundings.output, error, isJson);
    return code;
  } finally {
    surroundings.output.clearStatus();
  }
}

/**
 * Whether `--json` stands anywhere on a line, also on one that can't be read to its end. What follows `--` are arguments.
 */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).includes('--json');
}

/** A line without a command, but for options that lead to a server, typed on a terminal. */
function isShellMeant(program: Command, args: readonly string[], { stdin, output }: Surroundings): boolean {
  if (!output.isTerminal || !isTerminal(stdin)) return false;
  const { operands, unknown } = program.parseOptions([...args]);
  return operands.length === 0 && unknown.length === 0;
}

/** A line without a command, which the help has answered already. */
function isShownHelp(error: unknown, isJson: boolean): boolean {
  return !isJson && error instanceof CommanderError && error.code === 'commander.help';
}
