/** `restore`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseInstant } from '../../arguments/instant.ts';
import { collect, wholeNumberOrZero } from '../command-line/argument.ts';
import { runOffline } from '../session/offline-task.ts';
import { ENGINE_NAMES } from '../../engine-names.ts';
import type { SessionRunner } from '../session/session.ts';
import type { RestoreFlags } from '../tasks/offline/restore.ts';

const tasks = () => import('../tasks/offline/restore.ts');

export function addRestoreCommand(program: Command, runner: SessionRunner): void {
  program
    .command('restore')
    .argument('<backup>', 'the backup to begin with')
    .description('make a data directory of a backup and, if given, of the log behind it')
    .configureHelp({ showGlobalOptions: false })
    .requiredOption('--data-dir <folder>', 'where to; an empty folder, or none: it is made')
    .addOption(
      new Option(
        '--log <path>',
        'a data directory, folder of segments or segment; can be repeated',
      ).argParser(collect),
    )
    .addOption(
      new Option('--revision <revision>', 'stop behind this revision; 0: before the first one')
        .argParser(wholeNumberOrZero)
        .conflicts('time'),
    )
    .addOption(
      new Option('--time <time>', 'stop before the first record that is later than this').argParser(
        instantMs,
      ),
    )
    .addOption(
      new Option('--engine <engine>', 'the engine that is to serve the directory')
        .choices(ENGINE_NAMES)
        .default('memory'),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', help)
    .action((path: string, flags: RestoreFlags, command: Command) =>
      runOffline(runner, command, async (task) => (await tasks()).restoreBackup(path, flags, task)),
    );
}

function instantMs(text: string): number {
  const timeMs = parseInstant(text);
  if (timeMs !== undefined) return timeMs;
  throw new InvalidArgumentError(
    'Expected a time such as 2026-01-31T12:00:00Z or 2026-01-31T13:00:00+01:00.',
  );
}

const help = `
The restored store is another history: it has a store id of its own. Revisions keep their numbers, so clients that
have seen more of the original than was restored must begin anew.

The log of a running server is refused, its segments one by one too: stop it, or copy the segments that another one has
followed. A signal, such as that of Ctrl-C, breaks a restore off; the folder is then empty but for a lock file.

A directory is of one engine, and is served with that one alone: a backup and --engine are the way from one to another. The
first start with an engine on disk takes longer: it brings the backup into the files of the engine.

Examples:
  kelp restore kelp.backup --data-dir ./restored
  kelp restore kelp.backup --data-dir ./restored --engine lsm
  kelp restore kelp.backup --data-dir ./restored --log ./data --revision 1200
  kelp restore kelp.backup --data-dir ./restored --log ./data --time 2026-01-31T12:00:00Z`;
