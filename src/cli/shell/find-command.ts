/** From a word to the command that it names. */
import { nearestName } from '../../arguments/nearest-name.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import type { ShellCommand } from './command.ts';
import { tableFactOf } from './data-types/redis-word.ts';
import { isLoginName } from '../../shell-words/login-words.ts';
import { quoteWord } from '../../shell-words/quote.ts';

/** @throws UsageError that names the nearest command when there is none. */
export function findCommand(commands: readonly ShellCommand[], typed: string): ShellCommand {
  const name = typed.toUpperCase();
  const found = commands.find(({ names }) => names.includes(name));
  if (found !== undefined) return found;
  if (isLoginName(name)) {
    throw new UsageError(
      `there is no ${name}: the shell logs in as it starts; EXIT, then kelp shell --user NAME or --token-file FILE`,
    );
  }
  if (tableFactOf(name) !== undefined) {
    throw new UsageError(
      `the shell has no ${name}; redis-cli runs it, against a server with --redis-listen. HELP ${name} tells what it does`,
    );
  }
  const nearest = nearestName(
    typed,
    commands.flatMap(({ names }) => names),
  );
  const advice = nearest === undefined ? '; HELP lists the commands' : ` (did you mean ${nearest}?)`;
  const word = quoteWord(typed);
  throw new UsageError(`unknown command ${word.length > 60 ? `${word.slice(0, 60)}...` : word}${advice}`);
}
