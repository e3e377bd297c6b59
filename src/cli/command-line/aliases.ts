/** Other names of commands, as people know them from other stores and from the shell. */
import { type Command, Help } from 'commander';
import { commandAt } from './command-path.ts';

const aliasesByPath: Readonly<Record<string, readonly string[]>> = {
  keys: ['ls'],
  delete: ['del', 'rm'],
  stats: ['status'],
  'lease list': ['ls'],
  'user add': ['create'],
  'user list': ['ls'],
  'user delete': ['del', 'rm'],
  'role create': ['add'],
  'role list': ['ls'],
  'role delete': ['del', 'rm'],
  'token create': ['add'],
  'token list': ['ls'],
  'token revoke': ['delete', 'del', 'rm'],
};

/** Gives the commands of a program their other names, once all of them are there. */
export function addAliases(program: Command): void {
  for (const [path, aliases] of Object.entries(aliasesByPath)) {
    commandAt(program, path.split(' ')).aliases(aliases);
  }
}

/** How the help writes a command: with all of its names, of which Commander by itself shows two. */
export const helpOfNames: Partial<Help> = {
  subcommandTerm: (command) =>
    new Help().subcommandTerm(command).replace(/^\S+/, [command.name(), ...command.aliases()].join('|')),
  commandUsage: (command) => new Help().commandUsage(command).replace(shortNames(command), namesOf(command)),
};

/** As Commander writes them. */
function shortNames(command: Command): string {
  return command.alias() ? `${command.name()}|${command.alias()} ` : `${command.name()} `;
}

function namesOf(command: Command): string {
  return `${[command.name(), ...command.aliases()].join('|')} `;
}
