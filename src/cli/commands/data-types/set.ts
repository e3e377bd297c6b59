/** `set add`, `remove`, `contains`, `members`, `pop`, `union`, `intersect`, `difference`; and `set KEY VALUE`, which is `put`. */
import type { Command } from 'commander';
import { consistencyOption } from '../../command-line/consistency-option.ts';
import type { SessionRunner } from '../../session/session.ts';
import type { CombineFlags, MembersFlags, SetAddFlags, TakeFlags } from '../../tasks/data-types/set.ts';
import { addPutOptions } from '../write.ts';
import { countOption, limitOption, revisionOption, storeOption, ttlOption } from './options.ts';

const tasks = () => import('../../tasks/data-types/set.ts');

export function addSetCommands(program: Command, runner: SessionRunner): void {
  const set = program
    .command('set')
    .description('read and write sets: members under one key')
    .addHelpText('after', help);
  // As people type it who know other stores.
  addPutOptions(set.command('put <key> [value]', { isDefault: true, hidden: true }), runner);

  set
    .command('add <key> <members...>')
    .description('add members')
    .addOption(ttlOption())
    .action((key: string, members: string[], flags: SetAddFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).add(session, key, members, flags)),
    );

  set
    .command('remove <key> <members...>')
    .description('remove members; exit with 1 when there were none of them')
    .action((key: string, members: string[], _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).remove(session, key, members)),
    );

  set
    .command('contains <key> <members...>')
    .description('tell for each member whether it is there; exit with 1 unless all are')
    .addOption(revisionOption())
    .addOption(consistencyOption())
    .action((key: string, members: string[], flags: { revision?: number }, command: Command) =>
      runner.run(command, async (session) => (await tasks()).contains(session, key, members, flags)),
    );

  set
    .command('members <key>')
    .description('print the members, one in a line, all as of one revision')
    .addOption(limitOption())
    .addOption(revisionOption())
    .addOption(consistencyOption())
    .action((key: string, flags: MembersFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).members(session, key, flags)),
    );

  set
    .command('pop <key>')
    .description('take members by chance and print them; exit with 1 when there are none')
    .addOption(countOption())
    .action((key: string, flags: TakeFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).pop(session, key, flags)),
    );

  for (const [name, operation, description] of [
    ['union', 'union', 'print what is in one of several sets at least'],
    ['intersect', 'intersection', 'print what is in each of several sets'],
    ['difference', 'difference', 'print what is in the first set and in none of the others'],
  ] as const) {
    set
      .command(`${name} <keys...>`)
      .description(description)
      .addOption(storeOption())
      .addOption(consistencyOption().conflicts('store'))
      .action((keys: string[], flags: CombineFlags, command: Command) =>
        runner.run(command, async (session) => (await tasks()).combine(session, operation, keys, flags)),
      );
  }
}

const help = `
kelp set KEY VALUE is kelp put KEY VALUE. A key that is a word of these commands, such as pop, is written with
kelp put pop VALUE.
With --hex-keys members are typed and printed as hexadecimal digits, too.

Examples:
  kelp set add tags red green
  kelp set members tags
  kelp set intersect tags colours --store both`;
