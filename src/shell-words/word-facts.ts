/**
 * The words of the shell that are its own: their names, what follows each and what they are for. `kelp shell` runs them, and so does the
 * console, as far as a browser can; what they share stands here, which knows neither.
 */
import { fixed, shell as limits } from '../limits.ts';

export interface WordFacts {
  /** In capitals; the first is the one that is shown, the others stand for it. */
  readonly names: readonly [string, ...string[]];
  /** What follows the name, as help shows it. */
  readonly usage: string;
  readonly summary: string;
  /** What else there is to know, in whole lines. */
  readonly details?: string;
  readonly group: CommandGroup;
  /** How many words follow the name. */
  readonly wordsMin: number;
  readonly wordsMax: number;
  /** What each word behind the name is; the last holds for those behind it, too. None: nothing is known of them. */
  readonly completes: readonly WordKind[];
  /** `part`: it is one. `beside`: it can be used meanwhile and is none. `never`: it is refused. */
  readonly inTransaction: 'part' | 'beside' | 'never';
}

export const commandGroups = [
  'Keys',
  'Many keys',
  'Time to live',
  'Watching',
  'Transactions',
  'Hashes',
  'Lists',
  'Sets',
  'Sorted sets',
  'Sketches',
  'Store',
  'Shell',
] as const;

export type CommandGroup = (typeof commandGroups)[number];

/** `options`: the words of an option, such as EX. */
export type WordKind = 'key' | 'command' | 'other' | { readonly options: readonly string[] };

const adding = (name: string, isAdding: boolean, hasDelta: boolean): WordFacts => {
  const verb = isAdding ? 'add' : 'subtract';
  const direction = isAdding ? 'to' : 'from';
  return {
    names: [name],
    usage: hasDelta ? 'key number' : 'key',
    summary: hasDelta ? `${verb} a number ${direction} a key` : `${verb} 1 ${direction} a key`,
    details: 'The value is the decimal text of an integer of 64 bits. A key that is not there counts as 0.\n',
    group: 'Keys',
    wordsMin: hasDelta ? 2 : 1,
    wordsMax: hasDelta ? 2 : 1,
    completes: ['key', 'other'],
    inTransaction: 'part',
  };
};

export const wordFacts: readonly WordFacts[] = [
  {
    names: ['KEYS'],
    usage: '[pattern]',
    summary: 'print the keys that match a glob, or all',
    details: `* is any text, ? one character, [a-z] one of a class, [^a-z] one outside of it; within quotes \\ takes the next
character as it is: 'a\\*'.
`,
    group: 'Many keys',
    wordsMin: 0,
    wordsMax: 1,
    completes: ['key'],
    inTransaction: 'never',
  },
  {
    names: ['LIST'],
    usage: '[prefix]',
    summary: 'print keys with their values and what is left of their time to live',
    group: 'Many keys',
    wordsMin: 0,
    wordsMax: 1,
    completes: ['key'],
    inTransaction: 'never',
  },
  {
    names: ['SCAN'],
    usage: '[prefix] [COUNT number] [AFTER key]',
    summary: 'print some keys, and how to go on behind them',
    details: `Prints ${limits.scanKeysDefault} keys, or COUNT of them, in their order. When there are more, the last line is the command that goes on.
`,
    group: 'Many keys',
    wordsMin: 0,
    wordsMax: 5,
    completes: ['key', { options: ['COUNT', 'AFTER'] }],
    inTransaction: 'never',
  },
  {
    names: ['HELP', '?'],
    usage: '[command]',
    summary: 'list the commands, or explain one',
    group: 'Shell',
    wordsMin: 0,
    wordsMax: 1,
    completes: ['command'],
    inTransaction: 'beside',
  },
  {
    names: ['EXIT', 'QUIT'],
    usage: '',
    summary: 'leave; Ctrl-D does, too',
    group: 'Shell',
    wordsMin: 0,
    wordsMax: 0,
    completes: [],
    inTransaction: 'beside',
  },
  {
    names: ['SNAPSHOT'],
    usage: '[file]',
    summary: "write the store's own snapshot, or all that it holds to a file of this machine",
    details: `Without a file the store writes a snapshot into its data directory, which makes its next start quick. A file is a backup
of the whole store at one revision, which kelp restore takes; with a name that ends in .jsonl, .ndjson or .json it is JSON,
as kelp export writes it, which kelp import takes. An existing file is never overwritten.
`,
    group: 'Store',
    wordsMin: 0,
    wordsMax: 1,
    completes: [],
    inTransaction: 'beside',
  },
  {
    names: ['COMPACT'],
    usage: '[revision]',
    summary: 'drop the history before a revision; alone: give back what space can be given back',
    details: `Alone it drops all history but the newest revision, writes a snapshot of that, and lets the log go that neither
this snapshot nor the one before it needs; the segment that is being written stays. With an engine on disk it makes a
checkpoint in place of the snapshot, and merges the engine's files, which may take long. Then reads of older revisions, and
watches that would go on from one, are refused. Memory is given back bit by bit while the store does other work.
`,
    group: 'Store',
    wordsMin: 0,
    wordsMax: 1,
    completes: [],
    inTransaction: 'beside',
  },
  {
    names: ['STATS'],
    usage: '',
    summary: 'tell how the store does',
    group: 'Store',
    wordsMin: 0,
    wordsMax: 0,
    completes: [],
    inTransaction: 'beside',
  },
  {
    names: ['WHOAMI'],
    usage: '',
    summary: 'tell who is logged in, and by which roles',
    group: 'Store',
    wordsMin: 0,
    wordsMax: 0,
    completes: [],
    inTransaction: 'beside',
  },
  {
    names: ['SET'],
    usage: 'key value [EX seconds | PX milliseconds] [NX | XX] [GET]',
    summary: 'write a key',
    details: `EX and PX give it a time to live, in seconds or milliseconds, or with a unit: EX 1h30m.
NX writes only if there is no such key, XX only if there is one. GET prints the value before.
`,
    group: 'Keys',
    wordsMin: 2,
    wordsMax: 7,
    completes: ['key', 'other', { options: ['EX', 'PX', 'NX', 'XX', 'GET'] }],
    inTransaction: 'part',
  },
  {
    names: ['GET'],
    usage: 'key',
    summary: 'print the value of a key',
    group: 'Keys',
    wordsMin: 1,
    wordsMax: 1,
    completes: ['key'],
    inTransaction: 'part',
  },
  {
    names: ['DEL', 'DELETE'],
    usage: 'key [key ...]',
    summary: 'delete keys, all of them in one revision',
    group: 'Keys',
    wordsMin: 1,
    wordsMax: fixed.txnOperationsMax,
    completes: ['key'],
    inTransaction: 'part',
  },
  {
    names: ['EXISTS'],
    usage: 'key [key ...]',
    summary: 'tell whether there are such keys',
    group: 'Keys',
    wordsMin: 1,
    wordsMax: fixed.existsKeysMax,
    completes: ['key'],
    inTransaction: 'part',
  },
  {
    names: ['WATCH'],
    usage: '[key | prefix*]',
    summary: 'print changes of a key, of a prefix or of all keys as they come, until UNWATCH',
    details: `Goes on in the background while commands are typed, over broken connections too. When it can't go on it says up to
which revision it has told everything. A shell has up to ${limits.watchesMax} watches.
`,
    group: 'Watching',
    wordsMin: 0,
    wordsMax: 1,
    completes: ['key'],
    inTransaction: 'beside',
  },
  {
    names: ['UNWATCH'],
    usage: '[key | prefix*]',
    summary: 'end a watch, or all',
    group: 'Watching',
    wordsMin: 0,
    wordsMax: 1,
    completes: ['key'],
    inTransaction: 'beside',
  },
  {
    group: 'Time to live',
    completes: ['key', 'other'],
    inTransaction: 'never',
    names: ['TTL'],
    usage: 'key',
    summary: 'tell how long a key has to live',
    details: 'It is counted by the clock of this machine.\n',
    wordsMin: 1,
    wordsMax: 1,
  },
  {
    group: 'Time to live',
    completes: ['key', 'other'],
    inTransaction: 'never',
    names: ['EXPIRE'],
    usage: 'key seconds',
    summary: 'give a key a time to live, from now on',
    details: 'In seconds, or with a unit: 500ms, 1h30m, 7d.\n',
    wordsMin: 2,
    wordsMax: 2,
  },
  {
    group: 'Time to live',
    completes: ['key', 'other'],
    inTransaction: 'never',
    names: ['PERSIST'],
    usage: 'key',
    summary: "end a key's time to live: it stays until it is deleted",
    wordsMin: 1,
    wordsMax: 1,
  },
  {
    usage: '',
    group: 'Transactions',
    wordsMin: 0,
    wordsMax: 0,
    completes: [],
    inTransaction: 'beside',
    names: ['BEGIN'],
    summary: 'begin a transaction: what follows is written at COMMIT, in one revision and all or nothing',
    details: `SET, GET, DEL, EXISTS, INCR and its kin are part of it, and see what it has written so far. Nothing is locked: COMMIT
is refused, and nothing written, when a key that it has read was changed meanwhile.
`,
  },
  {
    usage: '',
    group: 'Transactions',
    wordsMin: 0,
    wordsMax: 0,
    completes: [],
    inTransaction: 'beside',
    names: ['COMMIT'],
    summary: 'write what the transaction holds, unless what it has read was changed',
  },
  {
    usage: '',
    group: 'Transactions',
    wordsMin: 0,
    wordsMax: 0,
    completes: [],
    inTransaction: 'beside',
    names: ['ROLLBACK', 'ABORT'],
    summary: 'drop the transaction: nothing of it is written',
  },
  adding('INCR', true, false),
  adding('DECR', false, false),
  adding('INCRBY', true, true),
  adding('DECRBY', false, true),
];

const factsByName: ReadonlyMap<string, WordFacts> = new Map(
  wordFacts.flatMap((facts) => facts.names.map((name) => [name, facts] as const)),
);

/** @param name in capitals. */
export function factsOfWord(name: string): WordFacts {
  const facts = factsByName.get(name);
  if (facts === undefined) throw new Error(`there is no word ${name}`);
  return facts;
}
