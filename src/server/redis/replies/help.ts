/** HELP of the commands that have subcommands: made of the table, so that it tells what there is. */
import type { CommandFacts, Reply } from '../commands/command.ts';

/** @param rows of the subcommands. */
export function replyHelp(reply: Reply, container: string, rows: readonly CommandFacts[]): void {
  const lines = [
    `${container.toUpperCase()} has these subcommands:`,
    ...rows.flatMap(({ name, syntax, summary }) => [
      `${name.slice(name.indexOf('|') + 1).toUpperCase()} ${syntax}`.trimEnd(),
      `    ${summary}.`,
    ]),
  ];
  reply.array(lines.length);
  for (const line of lines) reply.simple(line);
}
