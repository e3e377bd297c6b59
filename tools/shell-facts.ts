/** The text of `src/shell-words/table-facts.ts`: what the shell knows of the commands of Redis, without the server's code. */
import { format, resolveConfig } from 'prettier';
import { commandFacts } from '../src/server/redis/all-commands.ts';

export const SHELL_FACTS = 'src/shell-words/table-facts.ts';

const opening = `/**
 * What the server's command table says of its commands, for the shell, which must not load that table: it comes with all that runs
 * them. Made by \`npm run generate\`; a test compares.
 */
export interface TableFact {
  /** In capitals. */
  readonly name: string;
  /** How many words a call has, its name among them; negative: at least so many. */
  readonly arity: number;
  readonly syntax: string;
  readonly summary: string;
}
`;

export async function shellFacts(): Promise<string> {
  const rows = commandFacts
    .filter(({ name }) => !name.includes('|'))
    .map(({ name, arity, syntax, summary }) => ({ name: name.toUpperCase(), arity, syntax, summary }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const text = `${opening}\nexport const tableFacts: readonly TableFact[] = ${JSON.stringify(rows)};\n`;
  return format(text, { ...(await resolveConfig(SHELL_FACTS)), filepath: SHELL_FACTS });
}
