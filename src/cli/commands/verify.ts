/** `verify`. */
import type { Command } from 'commander';
import { runOffline } from '../session/offline-task.ts';
import type { SessionRunner } from '../session/session.ts';

const tasks = () => import('../tasks/offline/verify.ts');

export function addVerifyCommand(program: Command, runner: SessionRunner): void {
  program
    .command('verify')
    .argument('<path>', 'a data directory that no server is using, or a backup')
    .description('check every checksum, chain and count, and change nothing')
    .configureHelp({ showGlobalOptions: false })
    .option('--json', 'print JSON')
    .addHelpText('after', help)
    .action((path: string, _: unknown, command: Command) =>
      runOffline(runner, command, async (task) => (await tasks()).verify(path, task)),
    );
}

const help = `
Names what is damaged (file, offset, revisions), the newest revision whose state is whole, and what the next start
would do. Exits with 0 when all is whole and 1 when something is damaged. A torn end of the log is no damage: it is
what a crash leaves of a write that was never acknowledged.

Examples:
  kelp verify ./data
  kelp verify kelp.backup
  kelp verify ./data --json`;
