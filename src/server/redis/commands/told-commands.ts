/** Commands as COMMAND INFO and COMMAND DOCS tell them. What has subcommands and is no command itself has facts of its own. */
import type { CommandFacts, FoundKeys, KeyPlaces, Reply } from './command.ts';
import { flagsOfPlaces, isFound, variablePlace } from './key-flags.ts';
import { argumentsOf, type ToldArgument } from './syntax-arguments.ts';
import type { TableEntry } from './table.ts';

type ToldFacts = Pick<
  CommandFacts,
  'name' | 'arity' | 'flags' | 'categories' | 'keys' | 'group' | 'summary' | 'since' | 'complexity'
>;

function factsOf({ name, row, subcommands }: TableEntry): ToldFacts {
  if (row !== undefined) return row;
  const all = (subcommands?.entries ?? []).flatMap((entry) => entry.row ?? []);
  const [first] = all;
  if (first !== undefined && isOneCommand(name)) {
    const { flags, categories } = all.find((row) => row.keys === undefined) ?? first;
    return { ...first, name, arity: -2, flags, categories, keys: [], since: '1.0.0' };
  }
  return {
    name,
    arity: -2,
    flags: [],
    categories: ['slow'],
    group: all[0]?.group ?? 'server',
    summary: `Has subcommands, which ${name.toUpperCase()} HELP tells`,
    since: containerSince[name] ?? '1.0.0',
    complexity: 'that of its subcommands',
  };
}

/** To Redis DEBUG is one command, whose subcommands its table does not know. */
function isOneCommand(name: string): boolean {
  return name === 'debug';
}

/** The versions that brought them, with other subcommands than those that are oldest today. */
const containerSince: Readonly<Record<string, string>> = {
  acl: '6.0.0',
  client: '2.4.0',
  config: '2.0.0',
  function: '7.0.0',
  memory: '4.0.0',
  object: '2.2.3',
  pubsub: '2.8.0',
  script: '2.6.0',
  slowlog: '2.2.12',
  xgroup: '5.0.0',
  xinfo: '5.0.0',
};

export function replyEntry(reply: Reply, entry: TableEntry): void {
  const { name, arity, flags, categories, keys } = factsOf(entry);
  const [first, last, step] = toldPlaces(keys);
  reply.array(10);
  reply.text(name);
  reply.integer(arity);
  reply.set(flags.length);
  for (const flag of flags) reply.simple(flag);
  reply.integer(first);
  reply.integer(last);
  reply.integer(step);
  reply.set(categories.length);
  for (const category of categories) reply.simple(`@${category}`);
  // Tips.
  reply.set(0);
  const specs = keySpecsOf(name, keys);
  reply.set(specs.length);
  for (const [place, placeFlags] of specs) replyKeySpec(reply, place, placeFlags);
  const below = isOneCommand(name) ? [] : (entry.subcommands?.entries ?? []);
  if (below.length === 0) reply.set(0);
  else {
    reply.array(below.length);
    for (const one of below) replyEntry(reply, one);
  }
}

/** One row of places for all: those of the first key of all, and of the last one. */
export function toldPlaces(
  keys: readonly KeyPlaces[] | FoundKeys | undefined,
): readonly [number, number, number] {
  if (keys === undefined) return [0, 0, 0];
  if (isFound(keys)) return keys.told;
  const [first] = keys;
  const last = keys.at(-1);
  if (first === undefined || last === undefined) return [0, 0, 0];
  return [first.first, last.last, first.step];
}

function keySpecsOf(
  name: string,
  keys: CommandFacts['keys'],
): readonly (readonly [KeyPlaces, readonly string[]])[] {
  if (keys === undefined) return [];
  if (!isFound(keys)) return keys.map((place, row) => [place, flagsOfPlaces(name, row, place.use)]);
  const variable = variablePlace(name);
  return variable === undefined ? [] : [variable];
}

function replyKeySpec(reply: Reply, { first, last, step }: KeyPlaces, flags: readonly string[]): void {
  reply.map(3);
  reply.text('flags');
  reply.set(flags.length);
  for (const flag of flags) reply.simple(flag);
  reply.text('begin_search');
  reply.map(2);
  reply.text('type');
  reply.text('index');
  reply.text('spec');
  reply.map(1);
  reply.text('index');
  reply.integer(first);
  reply.text('find_keys');
  reply.map(2);
  reply.text('type');
  reply.text('range');
  reply.text('spec');
  reply.map(3);
  reply.text('lastkey');
  reply.integer(last < 0 ? last : last - first);
  reply.text('keystep');
  reply.integer(step);
  reply.text('limit');
  reply.integer(0);
}

export function replyDocs(reply: Reply, entry: TableEntry): void {
  const { summary, since, group, complexity } = factsOf(entry);
  const below = entry.subcommands?.entries ?? [];
  const taken = argumentsOf(entry.row?.syntax ?? '');
  const texts = { summary, since, group, complexity };
  reply.map(4 + (taken.length > 0 ? 1 : 0) + (below.length > 0 ? 1 : 0));
  for (const [name, text] of Object.entries(texts)) {
    reply.text(name);
    reply.text(text);
  }
  if (taken.length > 0) {
    reply.text('arguments');
    replyArguments(reply, taken);
  }
  if (below.length === 0) return;
  reply.text('subcommands');
  reply.map(below.length);
  for (const one of below) {
    reply.text(`${entry.name}|${one.name}`);
    replyDocs(reply, one);
  }
}

function replyArguments(reply: Reply, told: readonly ToldArgument[]): void {
  reply.array(told.length);
  for (const argument of told) {
    const { name, type, token, isOptional, isMultiple, repeatsToken, parts = [] } = argument;
    const texts = { name, type, ...(token === undefined ? {} : { token }) };
    const flags: string[] = [];
    if (isOptional === true) flags.push('optional');
    if (isMultiple === true) flags.push('multiple');
    if (repeatsToken === true) flags.push('multiple_token');
    reply.map(Object.keys(texts).length + (flags.length > 0 ? 1 : 0) + (parts.length > 0 ? 1 : 0));
    for (const [field, text] of Object.entries(texts)) {
      reply.text(field);
      reply.text(text);
    }
    if (flags.length > 0) {
      reply.text('flags');
      reply.set(flags.length);
      for (const flag of flags) reply.simple(flag);
    }
    if (parts.length === 0) continue;
    reply.text('arguments');
    replyArguments(reply, parts);
  }
}
