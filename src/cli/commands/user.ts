/** `user add`, `password`, `give`, `take`, `show`, `list`, `delete`. */
import { type Command, Option } from 'commander';
import { collect } from '../command-line/argument.ts';
import type { SessionRunner } from '../session/session.ts';
import type { AddUserFlags } from '../tasks/access/user.ts';

const tasks = () => import('../tasks/access/user.ts');

type PasswordFlags = Omit<AddUserFlags, 'role'>;

export function addUserCommands(program: Command, runner: SessionRunner): void {
  const user = program
    .command('user')
    .description('make users, give them roles and passwords')
    .addHelpText('after', help);

  addPasswordOptions(user.command('add <name>'), 'it has none, and comes by tokens or certificates')
    .description('make a user, whose password is asked for; one of the name root closes access')
    .addOption(new Option('--role <name>', 'a role that it has; can be repeated').argParser(collect))
    .action((name: string, flags: AddUserFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).add(session, name, flags)),
    );

  addPasswordOptions(user.command('password [name]'), 'take it away')
    .description('give a user another password; without a name: the one that is logged in')
    .action((name: string | undefined, flags: PasswordFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).setPassword(session, name, flags)),
    );

  user
    .command('give')
    .argument('<name>', 'the user')
    .argument('<role>', 'what it gets')
    .description('give a role to a user')
    .action((name: string, role: string, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).give(session, name, role)),
    );

  user
    .command('take')
    .argument('<name>', 'the user')
    .argument('<role>', 'what it loses')
    .description('take a role from a user')
    .action((name: string, role: string, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).take(session, name, role)),
    );

  user
    .command('show <name>')
    .description('tell the roles and tokens of a user')
    .action((name: string, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).show(session, name)),
    );

  user
    .command('list')
    .description('list the users in the order of their names')
    .action((_: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).list(session)),
    );

  user
    .command('delete <name>')
    .description('delete a user and its tokens')
    .action((name: string, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).remove(session, name)),
    );
}

function addPasswordOptions(command: Command, none: string): Command {
  return command
    .addOption(
      new Option('--password-stdin', 'read the password from standard input, to its end').conflicts(
        'password',
      ),
    )
    .addOption(new Option('--no-password', none));
}

const help = `
A password is typed at a prompt without an echo, twice, or comes on standard input: as an argument every user of the
machine could read it. Changes are in effect at once, for open connections and watches too.

Examples:
  kelp user add root
  kelp user add web --role config-reader --no-password
  pass show kelp/alice | kelp user add alice --role writer --password-stdin
  kelp user password
  kelp user give alice backup-operator`;
