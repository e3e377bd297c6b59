/** `token create`, `list`, `revoke`, and `whoami`. */
import { type Command, Option } from 'commander';
import { duration } from '../command-line/argument.ts';
import type { SessionRunner } from '../session/session.ts';
import type { CreateTokenFlags } from '../tasks/access/token.ts';

const tasks = () => import('../tasks/access/token.ts');

export function addTokenCommands(program: Command, runner: SessionRunner): void {
  const token = program
    .command('token')
    .description('make and revoke tokens, by which programs log in')
    .addHelpText('after', help);

  token
    .command('create <name>')
    .description('make a token and print its secret, this once')
    .addOption(new Option('--for <user>', 'whose rights it has; default: those of who is logged in'))
    .addOption(
      new Option('--ttl <time>', 'how long it is valid: 12h, 90d; default: until revoked').argParser(
        duration,
      ),
    )
    .action((name: string, flags: CreateTokenFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).create(session, name, flags)),
    );

  token
    .command('list')
    .description('list the tokens in the order of their names, without their secrets')
    .action((_: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).list(session)),
    );

  token
    .command('revoke <name>')
    .description('end a token; what was begun with it ends, too')
    .action((name: string, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).revoke(session, name)),
    );
}

export function addWhoAmICommand(program: Command, runner: SessionRunner): void {
  program
    .command('whoami')
    .description('tell who is logged in, and by which roles')
    .action((_: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).whoAmI(session)),
    );
}

const help = `
The secret goes to standard output, and nothing else does. The server keeps no more of it than a hash.

Examples:
  (umask 077; kelp token create web-2026 --for web --ttl 365d > web.token)
  kelp get config/theme --token-file web.token
  kelp token revoke web-2026`;
