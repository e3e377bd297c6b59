/** `put`, `delete`, `incr`, `touch`. */
import { type Command, Option } from 'commander';
import type { Condition, DeleteResult, PutResult } from '../../client/types.ts';
import { bigNumber, timeToLive, wholeNumber } from '../argument.ts';
import { displayKey, displayTimeLeft, displayValue } from '../display.ts';
import { type ExitCode, UsageError, exitCode } from '../exit-code.ts';
import { readInput } from '../input.ts';
import { entryJson, previousJson } from '../json.ts';
import type { Output } from '../output.ts';
import { type RangeFlags, addRangeOptions, rangeOf } from '../range-options.ts';
import type { Session, SessionRunner } from '../session.ts';

export function addWriteCommands(program: Command, runner: SessionRunner): void {
  program
    .command('put <key> [value]')
    .description('write a key; - takes the value from standard input')
    .option('--file <path>', 'take the value from a file')
    .addOption(
      new Option('--ttl <time>', 'how long the key shall live: 500ms, 30s, 5m, 12h, 7d').argParser(
        timeToLive,
      ),
    )
    .addOption(new Option('--lease <id>', 'attach the key to this lease').argParser(wholeNumber))
    .addOption(
      new Option('--if-absent', 'only if there is no such key').conflicts(['ifExists', 'ifRevision']),
    )
    .addOption(new Option('--if-exists', 'only if there is such a key').conflicts('ifRevision'))
    .addOption(ifRevision())
    .option('--previous', 'print the entry as it was before')
    .addHelpText('after', putHelp)
    .action((key: string, value: string | undefined, flags: PutFlags, command: Command) =>
      runner.run(command, (session) => put(session, key, value, flags)),
    );

  addRangeOptions(program.command('delete [key]').alias('del'))
    .description('delete a key, or all keys of a range in one revision')
    .option('--all', 'all keys there are')
    .addOption(ifRevision())
    .option('--previous', 'print the entry as it was before')
    .addHelpText('after', deleteHelp)
    .action((key: string | undefined, flags: DeleteFlags, command: Command) =>
      runner.run(command, (session) =>
        key === undefined ? deleteRange(session, flags) : deleteKey(session, key, flags),
      ),
    );

  program
    .command('incr <key>')
    .argument('[delta]', 'what to add; default: 1', bigNumber)
    .description('add to a number; a key that is not there counts as 0')
    .addOption(
      new Option('--ttl <time>', 'how long a key that this creates shall live').argParser(timeToLive),
    )
    .addHelpText('after', incrHelp)
    .action((key: string, delta: bigint | undefined, flags: { ttl?: number }, command: Command) =>
      runner.run(command, (session) => increment(session, key, delta ?? 1n, flags.ttl)),
    );

  program
    .command('touch <key>')
    .description("start a key's time to live anew, or set another")
    .addOption(new Option('--ttl <time>', 'the new time to live, from now on').argParser(timeToLive))
    .addOption(new Option('--forever', 'end the time to live: the key stays until deleted').conflicts('ttl'))
    .action((key: string, flags: TouchFlags, command: Command) =>
      runner.run(command, (session) => touch(session, key, flags)),
    );
}

function ifRevision(): Option {
  return new Option(
    '--if-revision <revision>',
    'only if the key was last modified at this revision; 0: only if there is no such key',
  ).argParser(wholeNumber);
}

interface ConditionFlags {
  readonly ifAbsent?: boolean;
  readonly ifExists?: boolean;
  readonly ifRevision?: number;
}

function conditionOf({ ifAbsent, ifExists, ifRevision }: ConditionFlags): { readonly condition?: Condition } {
  if (ifAbsent) return { condition: { kind: 'mustNotExist' } };
  if (ifExists) return { condition: { kind: 'mustExist' } };
  if (ifRevision !== undefined) return { condition: { kind: 'modRevisionEquals', modRevision: ifRevision } };
  return {};
}

interface PutFlags extends ConditionFlags {
  readonly file?: string;
  readonly ttl?: number;
  readonly lease?: number;
  readonly previous?: boolean;
}

async function put(
  { client, output, stdin, isJson }: Session,
  key: string,
  value: string | undefined,
  flags: PutFlags,
): Promise<void> {
  if ((value === undefined) === (flags.file === undefined)) {
    throw new UsageError('give one value: as an argument, - for standard input, or --file');
  }
  const path = flags.file ?? (value === '-' ? value : undefined);
  const result = await client.put(key, path === undefined ? (value ?? '') : await readInput(path, stdin), {
    ...conditionOf(flags),
    ...(flags.ttl !== undefined && { ttlMs: flags.ttl }),
    ...(flags.lease !== undefined && { leaseId: flags.lease }),
    returnPrevious: flags.previous ?? false,
  });
  if (isJson) return output.writeJson({ revision: result.revision, ...previousJson(result.previous) });
  await output.writeLine(`revision ${result.revision}`);
  if (flags.previous) await writePrevious(output, result);
}

async function writePrevious(output: Output, { previous }: PutResult | DeleteResult): Promise<void> {
  const text =
    previous === undefined ? 'none' : `${displayValue(previous.value)} of revision ${previous.modRevision}`;
  await output.writeLine(`previous ${text}`);
}

interface DeleteFlags extends RangeFlags {
  readonly all?: boolean;
  readonly ifRevision?: number;
  readonly previous?: boolean;
}

async function deleteKey(
  { client, output, isJson }: Session,
  key: string,
  flags: DeleteFlags,
): Promise<ExitCode> {
  const { prefix, start, end, all } = flags;
  if ([prefix, start, end, all].some((flag) => flag !== undefined)) {
    throw new UsageError('give either a key or a range');
  }
  const result = await client.delete(key, { ...conditionOf(flags), returnPrevious: flags.previous ?? false });
  const { revision, deleted, previous } = result;
  if (isJson) {
    await output.writeJson({ revision, deleted, ...previousJson(previous) });
  } else if (deleted) {
    await output.writeLine(`revision ${revision}`);
    if (flags.previous) await writePrevious(output, result);
  } else {
    output.note(`there is no key ${displayKey(key)}`);
  }
  return deleted ? exitCode.ok : exitCode.no;
}

async function deleteRange({ client, output, isJson }: Session, flags: DeleteFlags): Promise<void> {
  const range = rangeOf(flags);
  const isAll = Object.keys(range).length === 0;
  if (isAll !== (flags.all === true)) {
    throw new UsageError('give a key, --prefix, --start and/or --end, or --all for all keys there are');
  }
  if (flags.ifRevision !== undefined || flags.previous) {
    throw new UsageError('--if-revision and --previous are for one key, not for a range');
  }
  const { deletedCount, revision } = await client.deleteRange(range);
  if (isJson) await output.writeJson({ deletedCount, revision });
  else await output.writeLine(`deleted ${deletedCount}, revision ${revision}`);
}

async function increment(
  { client, output, isJson }: Session,
  key: string,
  delta: bigint,
  ttlMs: number | undefined,
): Promise<void> {
  const { value, revision } = await client.increment(key, delta, ttlMs === undefined ? {} : { ttlMs });
  if (isJson) await output.writeJson({ value: String(value), revision });
  else await output.writeLine(String(value));
}

interface TouchFlags {
  readonly ttl?: number;
  readonly forever?: boolean;
}

async function touch({ client, output, isJson }: Session, key: string, flags: TouchFlags): Promise<void> {
  const ttlMs = flags.forever ? 0 : flags.ttl;
  const { revision, entry } = await client.touch(key, ttlMs === undefined ? {} : { ttlMs });
  if (isJson) return output.writeJson({ revision, entry: entryJson(entry, false) });
  const life =
    entry.expireTimeMs === 0 ? 'lives for ever' : `expires in ${displayTimeLeft(entry.expireTimeMs)}`;
  await output.writeLine(`revision ${revision}, ${life}`);
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

Examples:
  kelp delete config/theme
  kelp delete --prefix session/`;

const incrHelp = `
The number has 64 bits and a sign, and is kept as decimal text.

Examples:
  kelp incr visits
  kelp incr stock/apples -3`;
