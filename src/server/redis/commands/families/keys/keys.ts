/** Keys of any type: DEL, EXISTS, TYPE, RENAME, COPY, MOVE and the like; the table has those of the files beside it too. */
import type { ReadView, View } from '../../../../../store/views/view.ts';
import { toDatabaseKey } from '../../../../../types/databases/database-keys.ts';
import { copyKey } from '../../../../../types/keys/copying.ts';
import { moveKey } from '../../../../../types/keys/moving.ts';
import { typeName } from '../../../../../types/keys/type-names.ts';
import { noSuchKey, sameObjects, syntaxError } from '../../../replies/errors.ts';
import type { Arguments, Command, CommandCall, CommandFacts, Slice } from '../../command.ts';
import { databaseAt } from '../../database-words.ts';
import { readEachKey } from '../../each-key.ts';
import { dumpCommands } from './dump.ts';
import { expiryCommands } from './expiry.ts';
import { keyspaceCommands } from './keyspace.ts';
import { objectCommands } from './object.ts';
import { swapCommands } from './swapdb.ts';

function del(view: View, call: CommandCall): void {
  const { args, reply } = call;
  let count = 0;
  for (let index = 1; index < args.count; index++) {
    const key = args.key(index);
    if (view.delete(key) === undefined) continue;
    call.notify('g', 'del', key);
    count++;
  }
  reply.integer(count);
}

/** TOUCH too: when a key was looked at last is not kept. */
function exists(view: ReadView, call: CommandCall): Slice | undefined {
  let count = 0;
  return readEachKey(view, call, {
    visit(shown, _reply, key) {
      if (shown.readMeta(key) !== undefined) count++;
    },
    end: (reply) => reply.integer(count),
  });
}

function type(view: ReadView, { args, reply }: CommandCall): void {
  const version = view.readMeta(args.key(1));
  reply.simple(version === undefined ? 'none' : typeName(version.kind));
}

function rename(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const from = args.key(1);
  const to = args.key(2);
  if (moveKey(view, from, to, true) === 'noKey') throw noSuchKey();
  if (Buffer.compare(from, to) !== 0) notifyMoved(call, 'rename', from, to);
  reply.ok();
}

function renamenx(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const from = args.key(1);
  const to = args.key(2);
  const outcome = moveKey(view, from, to, false);
  if (outcome === 'noKey') throw noSuchKey();
  if (outcome === 'moved') notifyMoved(call, 'rename', from, to);
  reply.integer(outcome === 'moved' ? 1 : 0);
}

function move(view: View, call: CommandCall): void {
  const { args, reply, session } = call;
  const database = databaseAt(args, 2);
  if (database === session.database) throw sameObjects();
  const from = args.key(1);
  const to = toDatabaseKey(database, args.bytes(1));
  const isMoved = moveKey(view, from, to, false) === 'moved';
  if (isMoved) notifyMoved(call, 'move', from, to);
  reply.integer(isMoved ? 1 : 0);
}

function notifyMoved(call: CommandCall, verb: 'rename' | 'move', from: Uint8Array, to: Uint8Array): void {
  call.notify('n', 'new', to);
  call.notify('g', `${verb}_from`, from);
  call.notify('g', `${verb}_to`, to);
}

function copy(view: View, call: CommandCall): void {
  const { args, reply, session } = call;
  let { database } = session;
  let replaces = false;
  for (let index = 3; index < args.count; index++) {
    if (args.is(index, 'REPLACE')) replaces = true;
    else if (args.is(index, 'DB') && index + 1 < args.count) database = databaseAt(args, ++index);
    else throw syntaxError();
  }
  const from = args.key(1);
  // The length of the key is checked there.
  const inSame = args.key(2);
  const to = database === session.database ? inSame : toDatabaseKey(database, args.bytes(2));
  if (Buffer.compare(from, to) === 0) throw sameObjects();
  const isCopied = copyKey(view, from, to, replaces);
  if (isCopied) {
    call.notify('n', 'new', to);
    call.notify('g', 'copy_to', to);
  }
  reply.integer(isCopied ? 1 : 0);
}

/** Whether COPY has a word that may be its DB. */
function namesDatabase(args: Arguments): boolean {
  for (let index = 3; index < args.count; index++) if (args.is(index, 'DB')) return true;
  return false;
}

const reading = {
  flags: ['readonly', 'fast'],
  categories: ['keyspace', 'read', 'fast'],
  group: 'generic',
} as const satisfies Partial<CommandFacts>;

const writing = {
  flags: ['write', 'fast'],
  categories: ['keyspace', 'write', 'fast'],
  group: 'generic',
} as const satisfies Partial<CommandFacts>;

const slowWriting = {
  flags: ['write'],
  categories: ['keyspace', 'write', 'slow'],
  group: 'generic',
} as const satisfies Partial<CommandFacts>;

const fromTo = [
  { first: 1, last: 1, step: 1, use: 'both' },
  { first: 2, last: 2, step: 1, use: 'write' },
] as const;

export const keysCommands: readonly Command[] = [
  {
    ...slowWriting,
    name: 'del',
    arity: -2,
    keys: [{ first: 1, last: -1, step: 1, use: 'write' }],
    summary: 'Deletes keys; what a collection held is swept in the background',
    since: '1.0.0',
    complexity: 'O(1) per key, whatever it holds',
    syntax: 'key [key ...]',
    write: del,
  },
  {
    ...writing,
    name: 'unlink',
    arity: -2,
    keys: [{ first: 1, last: -1, step: 1, use: 'write' }],
    summary: 'Deletes keys, just as DEL does',
    since: '4.0.0',
    complexity: 'O(1) per key, whatever it holds',
    syntax: 'key [key ...]',
    write: del,
  },
  {
    ...reading,
    name: 'exists',
    arity: -2,
    keys: [{ first: 1, last: -1, step: 1, use: 'read' }],
    summary: 'Counts those of the keys that exist; one that is named twice counts twice',
    since: '1.0.0',
    complexity: 'O(1) per key',
    syntax: 'key [key ...]',
    read: exists,
  },
  {
    ...reading,
    name: 'touch',
    arity: -2,
    keys: [{ first: 1, last: -1, step: 1, use: 'read' }],
    summary: 'Counts those of the keys that exist; when a key was used last is not kept',
    since: '3.2.1',
    complexity: 'O(1) per key',
    syntax: 'key [key ...]',
    read: exists,
  },
  {
    ...reading,
    name: 'type',
    arity: 2,
    keys: [{ first: 1, last: 1, step: 1, use: 'read' }],
    summary: 'Tells the type of a value',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key',
    read: type,
  },
  {
    ...slowWriting,
    name: 'rename',
    arity: 3,
    keys: fromTo,
    summary: 'Gives a key another name, in place of what has that name',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key newkey',
    write: rename,
  },
  {
    ...writing,
    name: 'renamenx',
    arity: 3,
    keys: fromTo,
    summary: 'Gives a key another name that no key has yet',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key newkey',
    write: renamenx,
  },
  {
    ...writing,
    name: 'move',
    arity: 3,
    keys: [{ first: 1, last: 1, step: 1, use: 'both' }],
    needsAllKeys: () => true,
    summary: 'Moves a key into another database, unless that has one of the name',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key db',
    write: move,
  },
  {
    ...slowWriting,
    name: 'copy',
    arity: -3,
    flags: ['write', 'denyoom'],
    keys: [
      { first: 1, last: 1, step: 1, use: 'read' },
      { first: 2, last: 2, step: 1, use: 'write' },
    ],
    needsAllKeys: namesDatabase,
    summary: 'Copies a key with its time to live',
    since: '6.2.0',
    complexity: 'O(n) in the elements; O(1) for a string',
    syntax: 'source destination [DB destination-db] [REPLACE]',
    write: copy,
  },
  ...dumpCommands,
  ...expiryCommands,
  ...keyspaceCommands,
  ...objectCommands,
  ...swapCommands,
];
