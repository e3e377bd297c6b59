/** `stats`, `top`, `snapshot`, `compact`. */
import { type Command, Option } from 'commander';
import { formatDurationMs } from '../../server/config/option-values.ts';
import { duration, wholeNumber } from '../command-line/argument.ts';
import type { SessionRunner } from '../session/session.ts';
import type { CompactFlags } from '../tasks/admin.ts';
import type { StatsFlags } from '../tasks/stats.ts';
import type { TopFlags } from '../tasks/top.ts';

const INTERVAL_MS = 1000;

function intervalOption(description: string): Option {
  return new Option('--interval <time>', description)
    .default(INTERVAL_MS, formatDurationMs(INTERVAL_MS))
    .argParser(duration);
}

const tasks = () => import('../tasks/admin.ts');

export function addAdminCommands(program: Command, runner: SessionRunner): void {
  program
    .command('stats')
    .description('tell how the server and its store do, and what goes on: rates, busiest methods and keys')
    .addOption(intervalOption('time over which rates are taken'))
    .action((flags: StatsFlags, command: Command) =>
      runner.run(command, async (session) => (await import('../tasks/stats.ts')).stats(session, flags)),
    );

  program
    .command('top')
    .description('show what goes on, again and again: rates and times by method, the busiest keys; q quits')
    .addOption(intervalOption('time between two pictures'))
    .option('--once', 'print one picture and end, as where the output is no terminal')
    .action((flags: TopFlags, command: Command) =>
      runner.run(command, async (session) => (await import('../tasks/top.ts')).top(session, flags)),
    );

  program
    .command('snapshot')
    .description(
      'write a snapshot to the disk of the server now; of an engine on disk a checkpoint, which ends history',
    )
    .action((_: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).snapshot(session)),
    );

  program
    .command('compact')
    .argument('[revision]', 'the oldest revision to keep', wholeNumber)
    .description('drop the history before a revision; with --storage: merge the files of an engine on disk')
    .option(
      '--storage',
      'merge the files of the engine, so that they hold little but what is live; takes no revision',
    )
    .action((revision: number | undefined, flags: CompactFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).compact(session, revision, flags)),
    );
}
