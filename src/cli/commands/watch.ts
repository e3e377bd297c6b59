/** `watch`. */
import { type Command, Option } from 'commander';
import type { EventType } from '../../api.ts';
import { collect, namesOf, wholeNumber } from '../command-line/argument.ts';
import type { SessionRunner } from '../session/session.ts';
import type { WatchFlags } from '../tasks/watch.ts';

const eventTypes: readonly EventType[] = ['put', 'delete', 'touch'];

const tasks = () => import('../tasks/watch.ts');

export function addWatchCommand(program: Command, runner: SessionRunner): void {
  program
    .command('watch [keys...]')
    .description('print changes as they come, over broken connections too, until interrupted')
    .addOption(
      new Option('--prefix <text>', 'all keys that begin with this text; can be repeated').argParser(collect),
    )
    .addOption(
      new Option('--from-revision <revision>', 'begin with this revision, not now').argParser(wholeNumber),
    )
    .addOption(
      new Option('--store-id <id>', 'end if this is another store, whose revisions mean nothing here'),
    )
    .addOption(
      new Option(
        '--incarnation <id>',
        'end if another incarnation wrote the revision before: its history is another',
      ),
    )
    .addOption(new Option('--current', 'print the present entries first').conflicts('fromRevision'))
    .addOption(
      new Option('--events <types>', 'of put, delete, touch')
        .default(['put', 'delete'], 'put,delete')
        .argParser(namesOf(eventTypes)),
    )
    .option('--keys-only', 'print no values')
    .option('--previous', 'print the entry before each event too')
    .option('--elements', 'print what has changed within a hash, a list, a set or a sorted set')
    .option('--restart', 'when a broken watch can not go on, begin again with the present entries')
    .addHelpText('after', help)
    .action((keys: string[], flags: WatchFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).watch(session, keys, flags)),
    );
}

const help = `
Watches the given keys and prefixes, or all keys. With --json each line is a message: { "kind": "events",
"revision": 12, "events": [...] } holds all events of one revision; "current", "synced", "progress", "restarted"
and "compacted" are told too. To go on later behind a revision, give the incarnation of its message and the
storeId of "synced" with it.

Examples:
  kelp watch --prefix config/
  kelp watch config/theme --current
  kelp watch --from-revision 100 --store-id 1b9d... --incarnation 77c1... --json | jq -c .events[]?`;
