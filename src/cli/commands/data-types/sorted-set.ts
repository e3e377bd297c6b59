/** `zset add`, `incr`, `remove`, `score`, `rank`, `range`, `count`, `remove-range`, `pop`, `union`, `intersect`, `difference`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { anyNumber, index } from '../../command-line/argument.ts';
import { consistencyOption } from '../../command-line/consistency-option.ts';
import type { SessionRunner } from '../../session/session.ts';
import type {
  BoundsFlags,
  ScoredAddFlags,
  ScoredCombineFlags,
  ScoredPopFlags,
  ScoredRangeFlags,
} from '../../tasks/data-types/sorted-set.ts';
import { countOption, limitOption, revisionOption, storeOption, ttlOption } from './options.ts';

const tasks = () => import('../../tasks/data-types/sorted-set.ts');

export function addSortedSetCommands(program: Command, runner: SessionRunner): void {
  const zset = program
    .command('zset')
    .description('read and write sorted sets: members in the order of their scores under one key')
    .addHelpText('after', help);
  addMemberCommands(zset, runner);
  addRangeCommands(zset, runner);

  for (const [name, operation, description] of [
    ['union', 'union', 'print what is in one of several sets at least'],
    ['intersect', 'intersection', 'print what is in each of several sets'],
    ['difference', 'difference', 'print what is in the first set and in none of the others'],
  ] as const) {
    zset
      .command(`${name} <keys...>`)
      .description(description)
      .addOption(storeOption())
      .addOption(consistencyOption().conflicts('store'))
      .addOption(
        new Option('--weights <numbers>', 'multiply the scores of each key by these, as in 1,0.5').argParser(
          numbers,
        ),
      )
      .addOption(
        new Option('--aggregate <how>', 'which score a member gets that several have; default: sum').choices([
          'sum',
          'min',
          'max',
        ]),
      )
      .action((keys: string[], flags: ScoredCombineFlags, command: Command) =>
        runner.run(command, async (session) => (await tasks()).combine(session, operation, keys, flags)),
      );
  }
}

function addMemberCommands(zset: Command, runner: SessionRunner): void {
  zset
    .command('add <key> <members...>')
    .description('add members or give them other scores: each a score, then its member')
    .addOption(new Option('--if-absent', 'leave members that exist as they are').conflicts('ifExists'))
    .option('--if-exists', 'add none that is not there')
    .addOption(new Option('--if-greater', 'give greater scores only').conflicts('ifLess'))
    .option('--if-less', 'give less scores only')
    .addOption(ttlOption())
    .action((key: string, pairs: string[], flags: ScoredAddFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).add(session, key, pairs, flags)),
    );

  zset
    .command('incr <key> <member>')
    .argument('[delta]', 'what to add; default: 1', anyNumber)
    .description('add to the score of a member; one that is not there counts as 0')
    .addOption(ttlOption())
    .action(
      (key: string, member: string, delta: number | undefined, flags: { ttl?: number }, command: Command) =>
        runner.run(command, async (session) => (await tasks()).increment(session, key, member, delta, flags)),
    );

  zset
    .command('remove <key> <members...>')
    .description('remove members; exit with 1 when there were none of them')
    .action((key: string, members: string[], _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).remove(session, key, members)),
    );

  zset
    .command('score <key> <members...>')
    .description('print the scores of members; exit with 1 unless all have one')
    .addOption(revisionOption())
    .addOption(consistencyOption())
    .action((key: string, members: string[], flags: { revision?: number }, command: Command) =>
      runner.run(command, async (session) => (await tasks()).score(session, key, members, flags)),
    );

  zset
    .command('rank <key> <member>')
    .description('print how many members stand before one; exit with 1 when it is not there')
    .option('--reverse', 'counted from the highest score')
    .addOption(consistencyOption())
    .action((key: string, member: string, flags: { reverse?: boolean }, command: Command) =>
      runner.run(command, async (session) => (await tasks()).rank(session, key, member, flags)),
    );

  zset
    .command('pop <key>')
    .description('take the members with the lowest scores and print them; exit with 1 when there are none')
    .option('--highest', 'with the highest scores')
    .addOption(countOption())
    .action((key: string, flags: ScoredPopFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).pop(session, key, flags)),
    );
}

function addRangeCommands(zset: Command, runner: SessionRunner): void {
  addBounds(zset.command('range <key>'))
    .description('print members in order, with their scores, all as of one revision')
    .option('--reverse', 'from the highest score down')
    .addOption(limitOption())
    .addOption(revisionOption())
    .addOption(consistencyOption())
    .action((key: string, flags: ScoredRangeFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).range(session, key, flags)),
    );

  addBounds(zset.command('count <key>'))
    .description('print the number of members')
    .addOption(consistencyOption())
    .action((key: string, flags: BoundsFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).count(session, key, flags)),
    );

  addBounds(zset.command('remove-range <key>'))
    .description('remove the members of a range')
    .action((key: string, flags: BoundsFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).removeRange(session, key, flags)),
    );
}

const ofScores = ['minScore', 'maxScore'];
const ofMembers = ['minMember', 'maxMember'];

function addBounds(command: Command): Command {
  return command
    .addOption(
      new Option('--start <rank>', 'the first rank, 0 the lowest score; negative: from the end')
        .argParser(index)
        .conflicts([...ofScores, ...ofMembers]),
    )
    .addOption(
      new Option('--stop <rank>', 'the last rank, inclusive')
        .argParser(index)
        .conflicts([...ofScores, ...ofMembers]),
    )
    .addOption(
      new Option('--min-score <score>', 'the lowest score').argParser(anyNumber).conflicts(ofMembers),
    )
    .addOption(
      new Option('--max-score <score>', 'the highest score').argParser(anyNumber).conflicts(ofMembers),
    )
    .option('--min-member <member>', 'the first member, where all have the same score')
    .option('--max-member <member>', 'the last member')
    .option('--exclude-min', 'leave what equals the lower bound out')
    .option('--exclude-max', 'leave what equals the upper bound out');
}

function numbers(text: string): number[] {
  if (text === '') throw new InvalidArgumentError('Expected numbers, such as 1,0.5.');
  return text.split(',').map(anyNumber);
}

const help = `
A score is any number, also inf and -inf; put -- before the key where one is -inf. With --hex-keys members are typed and printed as hexadecimal digits, too.

Examples:
  kelp zset add scores 310 alice 120 bob
  kelp zset range scores --reverse --limit 10
  kelp zset range scores --min-score 100 --exclude-min
  kelp zset rank scores alice --reverse`;
