/** `get`, `exists`, `keys`, `scan`. */
import { type Command, Option } from 'commander';
import { wholeNumber } from '../command-line/argument.ts';
import { consistencyOption } from '../command-line/consistency-option.ts';
import { addRangeOptions } from '../command-line/range-options.ts';
import type { SessionRunner } from '../session/session.ts';
import type { GetFlags, ScanFlags } from '../tasks/read.ts';

const tasks = () => import('../tasks/read.ts');

export function addReadCommands(program: Command, runner: SessionRunner): void {
  program
    .command('get <key>')
    .description('print the value of a key')
    .addOption(new Option('--revision <revision>', 'as it was at this revision').argParser(wholeNumber))
    .addOption(
      new Option('--refresh-ttl', "start the key's own time to live anew").conflicts([
        'revision',
        'consistency',
      ]),
    )
    .addOption(consistencyOption())
    .addHelpText('after', getHelp)
    .action((key: string, flags: GetFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).get(session, key, flags)),
    );

  program
    .command('exists <keys...>')
    .description('tell for each key whether it exists; exit with 1 unless all do')
    .addOption(consistencyOption())
    .action((keys: string[], _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).exists(session, keys)),
    );

  program
    .command('keys [pattern]')
    .description('print the keys that match a glob, in key order; default: all')
    .addOption(new Option('--limit <count>', 'stop after this many').argParser(wholeNumber))
    .addOption(consistencyOption())
    .addHelpText('after', keysHelp)
    .action((pattern: string | undefined, flags: { limit?: number }, command: Command) =>
      runner.run(command, async (session) => (await tasks()).keys(session, pattern, flags)),
    );

  addRangeOptions(program.command('scan'))
    .description('print the entries of a range in key order, all as of one revision')
    .addOption(new Option('--limit <count>', 'stop after this many').argParser(wholeNumber))
    .addOption(new Option('--revision <revision>', 'as they were at this revision').argParser(wholeNumber))
    .option('--reverse', 'from the last key to the first')
    .option('--keys-only', 'only keys, one in a line')
    .addOption(new Option('--count', 'only the number of keys').conflicts(['limit', 'reverse', 'keysOnly']))
    .addOption(consistencyOption())
    .addHelpText('after', scanHelp)
    .action((flags: ScanFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).scan(session, flags)),
    );
}

const getHelp = `
Prints the bytes of the value and nothing else, so that it can be piped; --json prints the whole entry.
Exits with 1 when there is no such key.

Examples:
  kelp get config/theme
  kelp get photo > photo.jpg
  kelp get --json config/theme`;

const keysHelp = `
A glob: * is any text, ? one character, [a-z] one of a class, [^a-z] one outside of it, \\ takes the next
character literally. Quote it, so that the shell does not.

Examples:
  kelp keys
  kelp keys 'user/*/name' --limit 10`;

const scanHelp = `
Examples:
  kelp scan --prefix user/ --limit 10
  kelp scan --prefix user/ --keys-only
  kelp scan --start a --end n --count
  kelp scan --json | jq -r .key`;
