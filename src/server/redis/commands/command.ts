/**
 * What a command of the Redis protocol is: one row of the command table. Dispatch, MULTI, access, COMMAND, COMMAND DOCS and
 * `docs/redis.md` read these rows and nothing else.
 *
 * A family is one file of `families/`: functions that take a call apart (`Arguments`), call a function of `types/` over the
 * view that they are given, and write the reply; the file ends with the family's rows. They know no socket, so that a test runs
 * them with words and a view alone.
 *
 * What is wrong with a call is thrown as a `ReplyError` (`replies/errors.ts` has all texts); what the store refuses comes as a
 * `StoreError`, and the same file turns its code into Redis' text. Either way nothing that the call has written, to the view or
 * to the reply, stays.
 */
import type { Rights } from '../../../access/rights/rights.ts';
import type { ReadView, View } from '../../../store/views/view.ts';
import type { ScanCursors } from '../cursors/cursor-ring.ts';

/** One call, while it runs. It and everything that it hands out is good until the command returns. */
export interface CommandCall {
  readonly args: CallArguments;
  readonly reply: Reply;
  readonly session: Session;
  /** Where the scans of all clients go on (SCAN, HSCAN, SSCAN, ZSCAN). */
  readonly cursors: ScanCursors;
  /**
   * Says that a keyspace event has happened to a key, to be told once the change is visible (`set`, `hset`, `del`, ...).
   * @param eventClass the letter of `notify-keyspace-events` that it belongs to.
   * @param key as the engine has it.
   */
  notify(eventClass: EventClass, event: string, key: Uint8Array): void;
  /**
   * Whether a command that waits for keys looks at one: when it is tried again, only at the one that has changed, so that another one
   * of a wrong type does not hold it up, and at that one where it is named first.
   */
  looksAt(key: Uint8Array): boolean;
  /** Counts work that no view counts as part of what may be done in one turn. */
  spend(visits: number, bytes: number): void;
  /** What a call of `parts` has counted in its earlier parts; 0 in the first. What a part adds is taken back with its changes. */
  counted: number;
  /** When the script that calls it has begun, in milliseconds since 1970-01-01 UTC: then time stands still. `undefined`: none does. */
  readonly scriptedMs: number | undefined;
}

/** g: generic, $: string, l: list, s: set, h: hash, z: sorted set, t: stream, x: expired, n: new key, d: module types. */
export type EventClass = 'g' | '$' | 'l' | 's' | 'h' | 'z' | 't' | 'x' | 'e' | 'n' | 'd';

/** The words of a call; 0 is the command itself. All bytes are views of the connection's input. */
export interface Arguments {
  /** With the command's name. */
  readonly count: number;
  bytes(index: number): Uint8Array;
  /** The same, only until the next word is asked for in this way: for a name that is looked for, or copied into a key. */
  passing(index: number): Uint8Array;
  /** The same until the transaction is committed, of one argument of a call alone: for a value that is written. */
  only(index: number): Uint8Array;
  /** The engine's key of an argument, in the session's database. Throws a `ReplyError` for one that no key can have. */
  key(index: number): Uint8Array;
  /** As Latin-1, so that each byte is one character. */
  text(index: number): string;
  /** The first bytes of an argument, as `text` has them: the rest of a long one is not read. */
  head(index: number, bytesMax: number): string;
  /** Whether an argument is a word, in upper or lower case. @param word in upper case. */
  is(index: number, word: string): boolean;
  /** A signed 64-bit integer, as Redis parses one. Throws `notAnInteger` ("ERR value is not an integer or out of range"). */
  int64(index: number): bigint;
  /** For an index, a count or milliseconds: as `int64`, but beyond 2^53 it is the nearest safe integer. */
  integer(index: number): number;
  /** A double as Redis parses one (inf, -inf, hexadecimal; no NaN). Throws `notAFloat` ("ERR value is not a valid float"). */
  double(index: number): number;
}

export interface CallArguments extends Arguments {
  /** The same words in memory of their own, for a slice: those of the call are gone by the time that it runs. */
  ownCopy(): Arguments;
}

/**
 * Where a command writes its reply, in the version of the protocol that the session speaks. What differs between the versions is told
 * here: in RESP2 a map is an array of twice as many, a set an array, a double and a big number bulk strings, a boolean an integer,
 * null the bulk string of length -1, a push an array.
 */
export interface Reply {
  readonly version: 2 | 3;
  ok(): void;
  /** A simple string: ASCII without line ends. */
  simple(text: string): void;
  /** As the error's text is sent: with its code first (`ERR ...`). For errors within arrays; a command throws otherwise. */
  error(text: string): void;
  integer(value: number | bigint): void;
  bulk(bytes: Uint8Array): void;
  /** A bulk string of text, as UTF-8. */
  text(text: string): void;
  nil(): void;
  /** Null where an array was to be: `*-1` in RESP2. */
  nilArray(): void;
  array(count: number): void;
  /** @param count of pairs. */
  map(count: number): void;
  set(count: number): void;
  push(count: number): void;
  double(value: number): void;
  /** As `double`, with 17 digits behind the point at most and never an exponent: for coordinates. */
  coordinate(value: number): void;
  boolean(value: boolean): void;
  /** @param value or its digits. */
  bigNumber(value: bigint | string): void;
  /** @param format of three letters: `txt`, `mkd`. @param text or its bytes. */
  verbatim(format: string, text: string | Uint8Array): void;
  /** An array whose length is known at its end. @returns what `endArray` takes; arrays may lie within each other. */
  beginArray(): number;
  endArray(begun: number, count: number): void;
}

/** What commands know of the connection that they came by. */
export interface Session {
  /** The database that is selected: 0 to 15. */
  readonly database: number;
  /** Whether the command runs within EXEC or a script: it does not block, and has no slices. */
  readonly isInTransaction: boolean;
  /** Whether a script has called the command. */
  readonly isInScript: boolean;
  /** READONLY: at a follower of a cluster its reads are served there, where nothing can be written. */
  readonly isReadOnly: boolean;
  /** What its user may do, now; `undefined`: it has to log in. */
  rights(): Rights | undefined;
}

/**
 * A piece of a long reply: it goes on where the last one has ended, on the same state, in a later turn. It writes what it can,
 * looking at `elementsPerSlice` (limits.ts) at most, and returns the next piece, or nothing at the end.
 */
export interface Slice {
  (view: ReadView, reply: Reply): Slice | undefined;
  /**
   * The memory of what the reply has gathered and keeps from piece to piece, roughly, in bytes. Once something is written it does not
   * grow: where there is no room, the reply is an error. Left out: none.
   */
  heldBytes?: () => number;
}

/** Says of all pieces of a reply how much they hold. */
export function holding(heldBytes: () => number, slices: readonly Slice[]): void {
  for (const slice of slices) slice.heldBytes = heldBytes;
}

/** What a command that blocks has come to: it waits for one of its keys, and is tried again when one has changed. */
export interface Waiting {
  /** As the engine has them, in the order of the command. They are copied. */
  readonly keys: readonly Uint8Array[];
  /** 0: for ever. */
  readonly timeoutMs: number;
  /** Written when the time is over; within EXEC, at once. */
  readonly onTimeout: (reply: Reply) => void;
  /**
   * What runs when a key has changed, in place of the command itself: for one that says by its words where it begins (`$`), which is
   * found once. Of the call's words it keeps copies, or asks for them again. Left out: the command.
   * @returns whether its reply is written; else it waits on.
   */
  readonly again?: (view: View, call: CommandCall) => boolean;
  /** Whether it is tried again when a key is deleted, too. Left out: no. */
  readonly seesDeletion?: boolean;
}

/**
 * How a command of a family runs. Those about the connection or the server have a way of their own (`session-command.ts`):
 *
 * - `read`: over the visible state, or over the newest one behind writes of the same connection. May go on in slices.
 * - `newest`: reads ranks, counts or places by index, which only the newest state has. May go on in slices, on the state that it began
 *   on once that is visible.
 * - `write`: in a decision of its own, or in the one of its MULTI. A call that changes nothing (SORT without STORE) may go on in slices,
 *   as one of `newest`.
 * - `block`: as `write`, and may wait. A call that changes nothing may go on in slices, as one of `write`.
 * - `parts`: as `write`, in as many decisions as it takes (FLUSHALL), each in a turn of its own: it runs again while it returns true, and
 *   writes its reply the last time. Within EXEC there is one decision, which has to do.
 */
export type Handler =
  | { readonly read: (view: ReadView, call: CommandCall) => Slice | undefined | void }
  | { readonly newest: (view: View, call: CommandCall) => Slice | undefined | void }
  | { readonly write: (view: View, call: CommandCall) => Slice | undefined | void }
  | { readonly block: (view: View, call: CommandCall) => Waiting | Slice | undefined }
  | { readonly parts: (view: View, call: CommandCall) => boolean };

export type CommandFlag =
  | 'write'
  | 'readonly'
  | 'denyoom'
  | 'admin'
  | 'pubsub'
  | 'noscript'
  | 'blocking'
  | 'loading'
  | 'stale'
  | 'skip_monitor'
  | 'skip_slowlog'
  | 'asking'
  | 'fast'
  | 'no_auth'
  | 'no_multi'
  | 'no_async_loading'
  | 'movablekeys'
  | 'allow_busy'
  | 'may_replicate'
  | 'sentinel'
  | 'no_mandatory_keys';

/** Without their `@`. */
export type Category =
  | 'keyspace'
  | 'read'
  | 'write'
  | 'set'
  | 'sortedset'
  | 'list'
  | 'hash'
  | 'string'
  | 'bitmap'
  | 'hyperloglog'
  | 'geo'
  | 'bloom'
  | 'stream'
  | 'pubsub'
  | 'admin'
  | 'fast'
  | 'slow'
  | 'blocking'
  | 'dangerous'
  | 'connection'
  | 'transaction'
  | 'scripting';

export type Group =
  | 'string'
  | 'bitmap'
  | 'generic'
  | 'hash'
  | 'list'
  | 'set'
  | 'sorted-set'
  | 'hyperloglog'
  | 'geo'
  | 'stream'
  | 'bf'
  | 'transactions'
  | 'scripting'
  | 'pubsub'
  | 'connection'
  | 'cluster'
  | 'server';

/** Keys of a command whose places do not depend on its words, and what is done with them. */
export interface KeyPlaces {
  /** The index of the first key. */
  readonly first: number;
  /** The index of the last key; negative: counted from the end, -1 the last word. */
  readonly last: number;
  readonly step: number;
  /** What access asks for: `read` of a key, `write`, or both. */
  readonly use: KeyUse;
}

export type KeyUse = 'read' | 'write' | 'both';

/** Keys whose places the words tell (`numkeys`, STORE, ...). */
export interface FoundKeys {
  /** Tells each key's index; what is wrong with the words is left to the command itself. */
  readonly find: (args: Arguments, tell: (index: number, use: KeyUse) => void) => void;
  /** As COMMAND tells them: first key, last key, step; `0, 0, 0` without any. */
  readonly told: readonly [first: number, last: number, step: number];
}

export interface CommandFacts {
  /** In lower case; a subcommand as `config|get`. */
  readonly name: string;
  /** How many words, with the name; negative: at least so many. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  /** Several rows where keys differ in use (`SMOVE source destination`). Left out: the command has no keys. */
  readonly keys?: readonly KeyPlaces[] | FoundKeys;
  /** Whether a call may be about keys that its words don't name, or of another database (`MOVE`, the patterns of `SORT`); left out: never. */
  readonly needsAllKeys?: (args: Arguments) => boolean;
  /** The index of a word by which a call would tell names of keys, whichever: it is for users who may read all of them. Left out: never. */
  readonly readsAllKeys?: (args: Arguments) => number | undefined;
  readonly categories: readonly Category[];
  readonly group: Group;
  /** What it does, in words of our own and without a period: told by COMMAND DOCS, HELP and `docs/redis.md`. */
  readonly summary: string;
  /** The version of Redis that brought it: `1.0.0`. */
  readonly since: string;
  /** What it takes of KelpDB, not of Redis: `O(1) per member`, `O(n) in the elements`. `docs/redis.md` says what `n` is. */
  readonly complexity: string;
  /** The words behind the name, as a reference page writes them: `key field value [field value ...]`. */
  readonly syntax: string;
}

export type Command = CommandFacts & Handler;
