/** `role create`, `grant`, `revoke`, `show`, `list`, `delete`. */
import { Argument, type Command, Option } from 'commander';
import type { Permission } from '../../client/messages/access-types.ts';
import type { SessionRunner } from '../session/session.ts';
import type { GrantedKeysFlags, RevokeFlags } from '../tasks/access/role.ts';

const permissions: readonly Permission[] = ['read', 'write', 'readwrite', 'admin'];

const tasks = () => import('../tasks/access/role.ts');

export function addRoleCommands(program: Command, runner: SessionRunner): void {
  const role = program
    .command('role')
    .description('make roles, and say which keys they grant')
    .addHelpText('after', help);

  role
    .command('create <name>')
    .description('make a role, which grants nothing yet')
    .action((name: string, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).create(session, name)),
    );

  addKeysOptions(
    role
      .command('grant')
      .argument('<name>', 'the role')
      .addArgument(new Argument('<permission>', 'what its users may do').choices(permissions)),
  )
    .description('let the users of a role do something with some keys')
    .addHelpText('after', grantHelp)
    .action((name: string, permission: Permission, flags: GrantedKeysFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).grant(session, name, permission, flags)),
    );

  addKeysOptions(role.command('revoke').argument('<name>', 'the role'), ['admin'])
    .addOption(new Option('--admin', 'the grant of admin'))
    .description('take a grant from a role: the one for exactly these keys')
    .action((name: string, flags: RevokeFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).revoke(session, name, flags)),
    );

  role
    .command('show <name>')
    .description('list what a role grants')
    .action((name: string, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).show(session, name)),
    );

  role
    .command('list')
    .description('list the roles and what they grant, in the order of their names')
    .action((_: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).list(session)),
    );

  role
    .command('delete <name>')
    .description('delete a role; its users do not have it any more')
    .action((name: string, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).remove(session, name)),
    );
}

/** One of them says which keys are meant. @param others names of options that say so, too. */
function addKeysOptions(command: Command, others: readonly string[] = []): Command {
  const names = ['key', 'prefix', 'range', 'all', ...others];
  const options = [
    new Option('--key <key>', 'one key'),
    new Option('--prefix <text>', 'all keys that begin with this text'),
    new Option('--range <keys...>', 'from START, inclusive, to END, exclusive; - leaves one of them open'),
    new Option('--all', 'all keys there are'),
  ];
  for (const option of options) {
    command.addOption(option.conflicts(names.filter((name) => name !== option.attributeName())));
  }
  return command;
}

const help = `
Once there is a user root, nothing is allowed that no role of a user grants. A scan, a watch or a transaction that asks for
more than is granted is refused as a whole.

Examples:
  kelp role create config-reader
  kelp role grant config-reader read --prefix config/
  kelp user give web config-reader`;

const grantHelp = `
read       keys are read and watched
write      keys are written and deleted; what tells what was there before (--previous, conditions, incr) needs read, too
readwrite  both
admin      no keys: snapshot, compact, backup, top, users, roles and tokens

A grant takes the place of one for exactly the same keys.

Examples:
  kelp role grant config-reader read --prefix config/
  kelp role grant counter readwrite --key visits
  kelp role grant shard-1 readwrite --range a n
  kelp role grant shard-2 readwrite --range n -
  kelp role grant backup-operator admin`;
