/** HELP, EXIT: what concerns the shell itself. */
import { commandGroups, factsOfWord } from '../../../shell-words/word-facts.ts';
import { type ShellCommand, command, nothing } from '../command.ts';
import { tableFactOf } from '../data-types/redis-word.ts';
import type { TableFact } from '../../../shell-words/table-facts.ts';
import { findCommand } from '../find-command.ts';
import { farewell, reply } from '../reply.ts';
import { isLoginName } from '../../../shell-words/login-words.ts';
import { quoteWord } from '../../../shell-words/quote.ts';

const help = command(
  factsOfWord('HELP'),
  ([word]) => word && (word.text ?? quoteWord(word.bytes)),
  async (name, { commands }) => {
    if (name !== undefined) {
      const fact = tableFactOf(name.toUpperCase());
      const isAbsent = fact !== undefined && !commands.some(({ names }) => names.includes(fact.name));
      if (isAbsent && !isLoginName(name)) return reply(helpOfFact(fact), { ...fact, isAbsent });
      const found = findCommand(commands, name);
      return reply(helpOf(found).trimEnd(), factsOf(found));
    }
    return reply(overviewOf(commands).trimEnd(), { commands: commands.map(factsOf) });
  },
);

/** Of a command that only the server's own door for clients of Redis has. */
function helpOfFact({ name, syntax, summary }: TableFact): string {
  return `${`${name} ${syntax}`.trimEnd()}\n\n${summary}.\nredis-cli runs it, against a server with --redis-listen; the shell has none.`;
}

function factsOf({ names, usage, summary }: ShellCommand): object {
  return { names, usage: `${names[0]} ${usage}`.trimEnd(), summary };
}

function helpOf({ names: [name, ...others], usage, summary, details = '' }: ShellCommand): string {
  const alias = others.length === 0 ? '' : `Also: ${others.join(', ')}\n`;
  return `${`${name} ${usage}`.trimEnd()}\n\n${capitalized(summary)}.\n${alias}${details}`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function overviewOf(commands: readonly ShellCommand[]): string {
  const namesOf = ({ names }: ShellCommand): string => names.filter((name) => name !== '?').join('|');
  const width = Math.max(...commands.map((each) => namesOf(each).length));
  const parts = commandGroups.map((group) => {
    const lines = commands
      .filter((each) => each.group === group)
      .map((each) => `  ${namesOf(each).padEnd(width)}  ${each.summary}\n`);
    return `${group}\n${lines.join('')}`;
  });
  return `${parts.join('\n')}\n${words}`;
}

const words = `Words stand as in a shell: 'two words', "it's", $'tab\\there', $'\\xff' for bytes. Capitals and small letters of commands are
the same. HELP SET explains SET.
`;

const exit = command(factsOfWord('EXIT'), nothing, async (_, session) => {
  session.isOver = true;
  return reply(farewell(session.transaction !== undefined), { goodbye: true });
});

export const shellCommands: readonly ShellCommand[] = [help, exit];
