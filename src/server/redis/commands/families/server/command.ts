/** COMMAND: what the table of commands has. */
import { compileRedisGlob } from '../../../../../types/glob.ts';
import {
  commandHasNoKeys,
  invalidCommand,
  invalidCommandArguments,
  invalidCommandArity,
  syntaxError,
} from '../../../replies/errors.ts';
import { replyHelp } from '../../../replies/help.ts';
import type { Arguments } from '../../command.ts';
import type { Door, DoorCommand } from '../../door.ts';
import { eachKey } from '../../../connection/key-access.ts';
import { flagsOfKey } from '../../key-flags.ts';
import { SubArguments } from '../../sub-arguments.ts';
import type { TableEntry, TableRow } from '../../table.ts';
import { replyDocs, replyEntry } from '../../told-commands.ts';

type Run = DoorCommand['door'];

const all: Run = ({ table }, _, { reply }) => {
  const { entries } = table();
  reply.array(entries.length);
  for (const entry of entries) replyEntry(reply, entry);
};

const count: Run = ({ table }, _, { reply }) => reply.integer(table().entries.length);

/** By a name of a command, `get`, or of a subcommand, `config|get`. */
function entryOf({ table }: Door, name: string): TableEntry | undefined {
  const [first = '', second] = name.toLowerCase().split('|');
  const entry = table().entries.find((one) => one.name === first);
  if (second === undefined) return entry;
  return entry?.subcommands?.entries.find((one) => one.name === second);
}

const info: Run = (door, session, call) => {
  const { args, reply } = call;
  if (args.count === 2) return all(door, session, call);
  reply.array(args.count - 2);
  for (let index = 2; index < args.count; index++) {
    const entry = entryOf(door, args.text(index));
    if (entry === undefined) reply.nil();
    else replyEntry(reply, entry);
  }
};

const docs: Run = (door, _, { args, reply }) => {
  const found: (readonly [string, TableEntry])[] = [];
  if (args.count === 2) for (const entry of door.table().entries) found.push([entry.name, entry]);
  for (let index = 2; index < args.count; index++) {
    const entry = entryOf(door, args.text(index));
    if (entry !== undefined) found.push([args.text(index).toLowerCase(), entry]);
  }
  reply.map(found.length);
  for (const [name, entry] of found) {
    reply.text(name);
    replyDocs(reply, entry);
  }
};

const list: Run = ({ table }, _, { args, reply }) => {
  const names = filteredNames(args, table().entries);
  reply.array(names.length);
  for (const name of names) reply.text(name);
};

function filteredNames(args: Arguments, entries: readonly TableEntry[]): readonly string[] {
  if (args.count === 2) return entries.map(({ name }) => name);
  if (args.count !== 5 || !args.is(2, 'FILTERBY')) throw syntaxError();
  const rows = entries.flatMap(withSubcommands);
  if (args.is(3, 'MODULE')) return [];
  if (args.is(3, 'ACLCAT')) {
    const category = args.text(4).toLowerCase();
    return rows
      .filter(([, { row }]) => row?.categories.some((one) => one === category) === true)
      .map(([name]) => name);
  }
  if (!args.is(3, 'PATTERN')) throw syntaxError();
  const glob = compileRedisGlob(Buffer.from(args.text(4).toLowerCase(), 'latin1'));
  return rows
    .map(([name]) => name)
    .filter((name) => {
      const bytes = Buffer.from(name);
      return glob.matches(bytes, 0, bytes.length);
    });
}

function withSubcommands(entry: TableEntry): (readonly [name: string, entry: TableEntry])[] {
  const below = entry.subcommands?.entries ?? [];
  return [[entry.name, entry], ...below.map((one) => [`${entry.name}|${one.name}`, one] as const)];
}

/** The row that the words behind COMMAND GETKEYS are a call of. */
function calledRow({ table }: Door, args: Arguments): TableRow {
  const entry = table().entries.find(({ upperName }) => args.is(2, upperName));
  const below = entry?.subcommands?.entries.find(({ upperName }) => args.count > 3 && args.is(3, upperName));
  const row = below?.row ?? (entry?.subcommands === undefined ? entry?.row : undefined);
  if (row === undefined) throw invalidCommand();
  if (row.keys === undefined) throw commandHasNoKeys();
  const words = args.count - 2;
  if (row.arity >= 0 ? words !== row.arity : words < -row.arity) throw invalidCommandArity();
  return row;
}

interface CalledKey {
  readonly index: number;
  readonly flags: readonly string[];
}

function calledKeys(door: Door, args: Arguments): readonly CalledKey[] {
  const row = calledRow(door, args);
  const words = new SubArguments(args, 2);
  const keys: CalledKey[] = [];
  eachKey(row, words, (index, use) => keys.push({ index: index + 2, flags: flagsOfKey(row, index, use) }));
  if (keys.length === 0 || countsTooMany(row, words)) throw invalidCommandArguments();
  return keys;
}

/** Whether a call with a number of keys has fewer words than that. */
function countsTooMany({ syntax }: TableRow, words: Arguments): boolean {
  const numberAt = 1 + syntax.split(' ').indexOf('numkeys');
  return numberAt > 0 && Number(words.text(numberAt)) > words.count - 1 - numberAt;
}

const getKeys: Run = (door, _, { args, reply }) => {
  const keys = calledKeys(door, args);
  reply.array(keys.length);
  for (const { index } of keys) reply.bulk(args.bytes(index));
};

const getKeysAndFlags: Run = (door, _, { args, reply }) => {
  const keys = calledKeys(door, args);
  reply.array(keys.length);
  for (const { index, flags } of keys) {
    reply.array(2);
    reply.bulk(args.bytes(index));
    reply.set(flags.length);
    for (const flag of flags) reply.simple(flag);
  }
};

const help: Run = (_, __, { reply }) => replyHelp(reply, 'command', commandCommands.slice(1));

export const commandCommands: readonly DoorCommand[] = [
  {
    name: 'command',
    arity: -1,
    flags: ['loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'server',
    summary: 'Tells arity, flags, keys and categories of all commands',
    since: '2.8.13',
    complexity: 'O(n) in the commands',
    syntax: '',
    door: all,
  },
  {
    name: 'command|count',
    arity: 2,
    flags: ['loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'server',
    summary: 'Counts the commands',
    since: '2.8.13',
    complexity: 'O(1)',
    syntax: '',
    door: count,
  },
  {
    name: 'command|info',
    arity: -2,
    flags: ['loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'server',
    summary: 'Tells arity, flags, keys and categories of commands, or of all',
    since: '2.8.13',
    complexity: 'O(n) in the commands',
    syntax: '[command-name [command-name ...]]',
    door: info,
  },
  {
    name: 'command|docs',
    arity: -2,
    flags: ['loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'server',
    summary: 'Tells what commands do, how long they take and since when they are there',
    since: '7.0.0',
    complexity: 'O(n) in the commands',
    syntax: '[command-name [command-name ...]]',
    door: docs,
  },
  {
    name: 'command|list',
    arity: -2,
    flags: ['loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'server',
    summary: 'Lists the names of commands',
    since: '7.0.0',
    complexity: 'O(n) in the commands',
    syntax: '[FILTERBY MODULE module-name|ACLCAT category|PATTERN pattern]',
    door: list,
  },
  {
    name: 'command|getkeys',
    arity: -4,
    flags: ['loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'server',
    summary: 'Tells which words of a command are keys',
    since: '2.8.13',
    complexity: 'O(n) in the words',
    syntax: '',
    door: getKeys,
  },
  {
    name: 'command|getkeysandflags',
    arity: -4,
    flags: ['loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'server',
    summary: 'Tells which words of a command are keys, and what it does with them',
    since: '7.0.0',
    complexity: 'O(n) in the words',
    syntax: '',
    door: getKeysAndFlags,
  },
  {
    name: 'command|help',
    arity: 2,
    flags: ['loading', 'stale'],
    categories: ['slow', 'connection'],
    group: 'server',
    summary: 'Lists the subcommands',
    since: '5.0.0',
    complexity: 'O(1)',
    syntax: '',
    door: help,
  },
];
