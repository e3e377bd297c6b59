/** `put`, `delete`, `incr`, `touch`. */
import { type Command, Option } from 'commander';
import { bigNumber, duration, wholeNumber, wholeNumberOrZero } from '../command-line/argument.ts';
import { addRangeOptions } from '../command-line/range-options.ts';
import type { SessionRunner } from '../session/session.ts';
import type { DeleteFlags, PutFlags, TouchFlags } from '../tasks/write.ts';

const tasks = () => import('../tasks/write.ts');

export function addWriteCommands(program: Command, runner: SessionRunner): void {
  addPutOptions(program.command('put <key> [value]'), runner);

  addRangeOptions(program.command('delete [key]'))
    .description('delete a key, or all keys of a range in one revision')
    .option('--all', 'all keys there are')
    .option('--in-parts', 'a range in several revisions, however many keys it has')
    .addOption(ifRevision())
    .option('--previous', 'print the entry as it was before')
    .addHelpText('after', deleteHelp)
    .action((key: string | undefined, flags: DeleteFlags, command: Command) =>
      runner.run(command, async (session) =>
        key === undefined
          ? (await tasks()).deleteRange(session, flags)
          : (await tasks()).deleteKey(session, key, flags),
      ),
    );

  program
    .command('incr <key>')
    .argument('[delta]', 'what to add; default: 1', bigNumber)
    .description('add to a number; a key that is not there counts as 0')
    .addOption(new Option('--ttl <time>', 'how long a key that this creates shall live').argParser(duration))
    .addHelpText('after', incrHelp)
    .action((key: string, delta: bigint | undefined, flags: { ttl?: number }, command: Command) =>
      runner.run(command, async (session) => (await tasks()).increment(session, key, delta ?? 1n, flags.ttl)),
    );

  program
    .command('touch <key>')
    .description("start a key's time to live anew, or set another")
    .addOption(new Option('--ttl <time>', 'the new time to live, from now on').argParser(duration))
    .addOption(new Option('--forever', 'end the time to live: the key stays until deleted').conflicts('ttl'))
    .action((key: string, flags: TouchFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).touch(session, key, flags)),
    );
}

/** The options and the work of `put`, which has another name where sets are. */
export function addPutOptions(command: Command, runner: SessionRunner): void {
  command
    .description('write a key; - takes the value from standard input')
    .option('--file <path>', 'take the value from a file')
    .addOption(
      new Option('--ttl <time>', 'how long the key shall live: 500ms, 30s, 1h30m, 7d').argParser(duration),
    )
    .addOption(new Option('--lease <id>', 'attach the key to this lease').argParser(wholeNumber))
    .addOption(
      new Option('--if-absent', 'only if there is no such key').conflicts(['ifExists', 'ifRevision']),
    )
    .addOption(new Option('--if-exists', 'only if there is such a key').conflicts('ifRevision'))
    .addOption(ifRevision())
    .option('--previous', 'print the entry as it was before')
    .addHelpText('after', putHelp)
    .action((key: string, value: string | undefined, flags: PutFlags, asked: Command) =>
      runner.run(asked, async (session) => (await tasks()).put(session, key, value, flags)),
    );
}

function ifRevision(): Option {
  return new Option(
    '--if-revision <revision>',
    'only if the key was last modified at this revision; 0: only if there is no such key',
  ).argParser(wholeNumberOrZero);
}

const putHelp = `
Exits with 1 when a condition does not hold.

Examples:
  kelp put config/theme dark
  kelp put session/42 alice --ttl 30m
  kelp put lock/deploy "$HOSTNAME" --ttl 30s --if-absent
  kelp put photo --file photo.jpg
  date | kelp put last-run -`;

const deleteHelp = `
Exits with 1 when there is no such key or the condition does not hold; a range without keys is no failure.

A range is deleted in one revision, or, if it has more than 100000 keys, not at all. With --in-parts the keys
go in key order, some thousand in each revision: what is written meanwhile where the delete has been stays, and
one that is broken off leaves done what is done. It may take 10 minutes unless --timeout says otherwise.

Examples:
  kelp delete config/theme
  kelp delete --prefix session/
  kelp delete --prefix session/ --in-parts`;

const incrHelp = `
The number has 64 bits and a sign, and is kept as decimal text.

Examples:
  kelp incr visits
  kelp incr stock/apples -3`;
