/** `access reset`. */
import type { Command } from 'commander';
import { runOffline } from '../session/offline-task.ts';
import type { SessionRunner } from '../session/session.ts';
import type { ResetFlags } from '../tasks/access/reset.ts';

const tasks = () => import('../tasks/access/reset.ts');

export function addAccessCommand(program: Command, runner: SessionRunner): void {
  const access = program
    .command('access')
    .description('let the operator in again who has lost the password of root');

  access
    .command('reset')
    .description('give root another password, or delete all users, roles and tokens')
    .configureHelp({ showGlobalOptions: false })
    .requiredOption('--data-dir <folder>', 'the store in this folder; no server may have it open')
    .option(
      '--root-password-file <file>',
      'give root the password in this file, and leave all others as they are',
    )
    .option('--yes', 'delete without asking')
    .option('--json', 'print JSON')
    .addHelpText('after', help)
    .action((flags: ResetFlags, command: Command) =>
      runOffline(runner, command, async (task) =>
        (await tasks()).resetAccess(flags, runner.surroundings.stdin, task),
      ),
    );
}

const help = `
With --root-password-file the user root gets that password, and is made if it is not there. Other users, roles and tokens
stay as they are.

Without it all users, roles and tokens are deleted, after a question. Access is then open, and a server on an address that
other machines reach starts only with --root-password-file or --allow-anonymous again. Keys and values stay.

Examples:
  kelp access reset --data-dir ./data --root-password-file ./root-password
  kelp access reset --data-dir ./data`;
