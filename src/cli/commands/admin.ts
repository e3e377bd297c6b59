/** `status`, `snapshot`, `compact`. */
import type { Command } from 'commander';
import { wholeNumber } from '../command-line/argument.ts';
import type { SessionRunner } from '../session/session.ts';

const tasks = () => import('../tasks/admin.ts');

export function addAdminCommands(program: Command, runner: SessionRunner): void {
  program
    .command('status')
    .description('tell how the server and its store do')
    .action((_: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).status(session)),
    );

  program
    .command('snapshot')
    .description('write a snapshot to the disk of the server now')
    .action((_: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).snapshot(session)),
    );

  program
    .command('compact')
    .argument('<revision>', 'the oldest revision to keep', wholeNumber)
    .description('drop the history before a revision')
    .action((revision: number, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).compact(session, revision)),
    );
}
