/** Finding commands by the names that lead to them, such as `lease grant`. */
import type { Command } from 'commander';
import { nearestName } from '../../arguments/nearest-name.ts';
import { UsageError } from '../../shell-words/usage-error.ts';

/** @throws UsageError that names the nearest command when there is none. */
export function commandAt(program: Command, names: readonly string[]): Command {
  let command = program;
  for (const name of names) {
    const next = command.commands.find((each) => each.name() === name || each.aliases().includes(name));
    if (next === undefined) throw unknownCommand(command, name);
    command = next;
  }
  return command;
}

/** The commands that have commands of their own, the program among them. */
export function commandGroups(program: Command): Command[] {
  return [program, ...program.commands.flatMap(commandGroups)].filter(({ commands }) => commands.length > 0);
}

export function unknownCommand(group: Command, name: string): UsageError {
  const path = pathOf(group);
  if (group.commands.length === 0) return new UsageError(`kelp ${path.join(' ')} has no command '${name}'`);
  const nearest = nearestName(
    name,
    group.commands.flatMap((each) => [each.name(), ...each.aliases()]),
  );
  const written = [...path, name].join(' ');
  const advice =
    nearest === undefined
      ? `; ${['kelp help', ...path].join(' ')} lists the commands`
      : ` (Did you mean ${[...path, nearest].join(' ')}?)`;
  return new UsageError(`unknown command '${written}'${advice}`);
}

/** The names that lead to a command, without that of the program. */
export function pathOf(command: Command): string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}
