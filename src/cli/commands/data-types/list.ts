/** `list push`, `pop`, `range`, `set`, `insert`, `remove`, `trim`, `move`. */
import { type Command, Option } from 'commander';
import { index } from '../../command-line/argument.ts';
import { consistencyOption } from '../../command-line/consistency-option.ts';
import type { SessionRunner } from '../../session/session.ts';
import type {
  InsertFlags,
  ListRangeFlags,
  MoveFlags,
  PopFlags,
  PushFlags,
  RemoveFlags,
} from '../../tasks/data-types/list.ts';
import { countOption, limitOption, revisionOption, ttlOption } from './options.ts';

const tasks = () => import('../../tasks/data-types/list.ts');

export function addListCommands(program: Command, runner: SessionRunner): void {
  const list = program
    .command('list')
    .description('read and write lists: elements in an order under one key')
    .addHelpText('after', help);

  list
    .command('push <key> <elements...>')
    .description('add elements at the tail, the last one at the end')
    .option('--head', 'at the head')
    .option('--if-exists', 'only to a list that exists')
    .addOption(ttlOption())
    .action((key: string, elements: string[], flags: PushFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).push(session, key, elements, flags)),
    );

  list
    .command('pop <key>')
    .description('take elements from the head and print them; exit with 1 when there are none')
    .option('--tail', 'from the tail')
    .addOption(countOption())
    .action((key: string, flags: PopFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).pop(session, key, flags)),
    );

  list
    .command('range <key>')
    .argument('[start]', 'index of the first element; default: 0', index)
    .argument('[stop]', 'index of the last one; default: -1', index)
    .description('print elements, one in a line')
    .addOption(limitOption())
    .addOption(revisionOption())
    .addOption(consistencyOption())
    .action(
      (
        key: string,
        start: number | undefined,
        stop: number | undefined,
        flags: ListRangeFlags,
        command: Command,
      ) =>
        runner.run(command, async (session) => (await tasks()).range(session, key, { start, stop }, flags)),
    );

  list
    .command('set <key>')
    .argument('<index>', 'which element', index)
    .argument('<element>', 'the new one')
    .description('replace an element')
    .action((key: string, place: number, element: string, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).set(session, key, place, element)),
    );

  list
    .command('insert <key> <element>')
    .description('add an element beside another one; exit with 1 when that is not there')
    .addOption(new Option('--before <element>', 'before this one').conflicts('behind'))
    .option('--behind <element>', 'behind this one')
    .action((key: string, element: string, flags: InsertFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).insert(session, key, element, flags)),
    );

  list
    .command('remove <key> <element>')
    .description('remove all elements that are equal; exit with 1 when there are none')
    .addOption(
      new Option('--count <number>', 'how many, from the head on; negative: from the tail on').argParser(
        index,
      ),
    )
    .action((key: string, element: string, flags: RemoveFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).remove(session, key, element, flags)),
    );

  list
    .command('trim <key>')
    .argument('<start>', 'index of the first element that stays', index)
    .argument('<stop>', 'index of the last one', index)
    .description('remove all elements but those of a range')
    .action((key: string, start: number, stop: number, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).trim(session, key, { start, stop })),
    );

  list
    .command('move <key> <destination>')
    .description(
      'take the head of one list and add it at the tail of another; exit with 1 when there is none',
    )
    .option('--from-tail', 'take the tail')
    .option('--to-head', 'add at the head')
    .action((key: string, destination: string, flags: MoveFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).move(session, key, destination, flags)),
    );
}

const help = `
An index counts from the head, 0 the first; a negative one from the tail, -1 the last.

Examples:
  kelp list push queue first second
  kelp list pop queue
  kelp list range queue 0 9`;
