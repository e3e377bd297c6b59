/** `hash set`, `get`, `scan`, `delete`, `incr`. */
import { type Command, Option } from 'commander';
import { consistencyOption } from '../../command-line/consistency-option.ts';
import type { SessionRunner } from '../../session/session.ts';
import type {
  HashGetFlags,
  HashIncrementFlags,
  HashScanFlags,
  HashSetFlags,
} from '../../tasks/data-types/hash.ts';
import { limitOption, refreshOption, revisionOption, ttlOption } from './options.ts';

const tasks = () => import('../../tasks/data-types/hash.ts');

export function addHashCommands(program: Command, runner: SessionRunner): void {
  const hash = program
    .command('hash')
    .description('read and write hashes: fields with values under one key')
    .addHelpText('after', help);

  hash
    .command('set <key> <fields...>')
    .description('set fields: each a name, then its value')
    .addOption(new Option('--if-absent', 'leave fields that exist as they are'))
    .addOption(ttlOption())
    .action((key: string, pairs: string[], flags: HashSetFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).set(session, key, pairs, flags)),
    );

  hash
    .command('get <key> [names...]')
    .description('print the value of one field, or a table of several or all')
    .addOption(revisionOption())
    .addOption(consistencyOption())
    .addOption(refreshOption())
    .action((key: string, names: string[], flags: HashGetFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).get(session, key, names, flags)),
    );

  hash
    .command('scan <key>')
    .description('print all fields of a hash of any size, all as of one revision')
    .addOption(limitOption())
    .addOption(revisionOption())
    .addOption(consistencyOption())
    .option('--names-only', 'only names, one in a line')
    .action((key: string, flags: HashScanFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).scan(session, key, flags)),
    );

  hash
    .command('delete <key> <names...>')
    .description('delete fields; exit with 1 when there were none of them')
    .action((key: string, names: string[], _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).deleteFields(session, key, names)),
    );

  hash
    .command('incr <key> <name> [delta]')
    .description('add to the number that a field has; default: 1')
    .option('--float', 'numbers that are not whole')
    .addOption(ttlOption())
    .action(
      (key: string, name: string, delta: string | undefined, flags: HashIncrementFlags, command: Command) =>
        runner.run(command, async (session) => (await tasks()).increment(session, key, name, delta, flags)),
    );
}

const help = `
With --hex-keys names of fields are typed and printed as hexadecimal digits, too.

Examples:
  kelp hash set user:1 name Alice age 42
  kelp hash get user:1
  kelp hash get user:1 name
  kelp hash incr user:1 visits`;
