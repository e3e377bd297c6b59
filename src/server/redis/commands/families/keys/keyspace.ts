/** A database as a whole: SCAN, KEYS, RANDOMKEY, DBSIZE, FLUSHDB, FLUSHALL. */
import { assert } from '../../../../../errors.ts';
import { fixed, serverFixed } from '../../../../../limits.ts';
import { budgetSpent } from '../../../../../store/views/draft.ts';
import type { ReadView, View } from '../../../../../store/views/view.ts';
import {
  DATABASE_COUNT,
  databaseRange,
  toKeyOfDatabase,
} from '../../../../../types/databases/database-keys.ts';
import {
  countKeys,
  deleteKeys,
  type KeyFilter,
  pickKey,
  visitKeys,
} from '../../../../../types/keys/keyspace.ts';
import { syntaxError } from '../../../replies/errors.ts';
import type { Arguments, Command, CommandCall, CommandFacts, Reply, Slice } from '../../command.ts';
import { readCursor, readScanOptions, toGlob } from '../../elements/scan-words.ts';

function scan(view: ReadView, { args, reply, session: { database }, cursors }: CommandCall): void {
  const cursor = readCursor(args, 1);
  const { count, glob, type } = readScanOptions(args, 2, true);
  const scope = databaseRange(database).start;
  const keys: Uint8Array[] = [];
  let bytes = 0;
  const next = visitKeys(view, { database, glob, type }, cursors.find(scope, cursor), count, (shown) => {
    const key = shown.copyKey();
    keys.push(key);
    bytes += key.length;
    return bytes < fixed.pageBytesMax;
  });
  reply.array(2);
  reply.text(next === undefined ? '0' : String(cursors.keep(scope, next)));
  reply.array(keys.length);
  for (const key of keys) reply.bulk(toKeyOfDatabase(key));
}

/** The reply to KEYS: how many there are comes before them, so they are gone through twice. */
class KeyListing {
  readonly #filter: KeyFilter;
  #isCounted = false;
  #left = 0;
  #next: Uint8Array | undefined;

  constructor(filter: KeyFilter) {
    this.#filter = filter;
  }

  readonly step: Slice = (view, reply) => {
    if (view.budget.isSpent) throw budgetSpent(view.budget);
    if (this.#isCounted) return this.#list(view, reply);
    const isFirst = this.#next === undefined;
    this.#next = this.#visit(view, () => {
      this.#left++;
    });
    if (this.#next !== undefined) return this.step;
    this.#isCounted = true;
    reply.array(this.#left);
    if (this.#left === 0) return undefined;
    return isFirst ? this.#list(view, reply) : this.step;
  };

  #list(view: ReadView, reply: Reply): Slice | undefined {
    this.#next = this.#visit(view, (key) => {
      this.#left--;
      reply.bulk(toKeyOfDatabase(key));
    });
    if (this.#left === 0) return undefined;
    assert(this.#next !== undefined, 'all pieces of a reply see one state');
    return this.step;
  }

  #visit(view: ReadView, visit: (key: Uint8Array) => void): Uint8Array | undefined {
    return visitKeys(view, this.#filter, this.#next, serverFixed.elementsPerSlice, ({ key }) => {
      visit(key);
      return true;
    });
  }
}

function keys(view: ReadView, { args, reply, session: { database } }: CommandCall): Slice | undefined {
  return new KeyListing({ database, glob: toGlob(args.bytes(1)) }).step(view, reply);
}

function randomkey(view: View, { reply, session: { database } }: CommandCall): void {
  const key = pickKey(view, database, Math.random());
  if (key === undefined) reply.nil();
  else reply.bulk(toKeyOfDatabase(key));
}

function dbsize(view: View, { reply, session: { database } }: CommandCall): void {
  reply.integer(countKeys(view, database));
}

function flushdb(view: View, call: CommandCall): boolean {
  return flush(view, call, [call.session.database]);
}

function flushall(view: View, call: CommandCall): boolean {
  return flush(view, call, Array(DATABASE_COUNT).keys());
}

function flush(view: View, { args, reply, session }: CommandCall, databases: Iterable<number>): boolean {
  checkFlushMode(args);
  const countMax = session.isInTransaction ? fixed.txnChangesMax : fixed.deletePartKeysMax;
  const hasMore = deleteKeys(view, databases, countMax);
  if (!hasMore) reply.ok();
  return hasMore;
}

/** Both modes come to the same here: what a collection held is swept behind the reply. */
function checkFlushMode(args: Arguments): void {
  if (args.count > 2 || (args.count === 2 && !args.is(1, 'SYNC') && !args.is(1, 'ASYNC')))
    throw syntaxError();
}

const reading = {
  flags: ['readonly'],
  categories: ['keyspace', 'read', 'slow'],
  group: 'generic',
} as const satisfies Partial<CommandFacts>;

const flushing = {
  arity: -1,
  flags: ['write'],
  categories: ['keyspace', 'write', 'slow', 'dangerous'],
  group: 'server',
  since: '1.0.0',
  syntax: '[ASYNC | SYNC]',
} as const satisfies Partial<CommandFacts>;

export const keyspaceCommands: readonly Command[] = [
  {
    ...reading,
    name: 'scan',
    arity: -2,
    summary: 'Goes through the keys of the database, a piece with each call',
    since: '2.8.0',
    complexity: 'O(log n + m) for m keys looked at',
    syntax: 'cursor [MATCH pattern] [COUNT count] [TYPE type]',
    read: scan,
  },
  {
    ...reading,
    name: 'keys',
    arity: 2,
    categories: ['keyspace', 'read', 'slow', 'dangerous'],
    summary: 'Lists the keys that match a pattern',
    since: '1.0.0',
    complexity: 'O(n) in the keys that begin as the pattern does',
    syntax: 'pattern',
    read: keys,
  },
  {
    ...reading,
    name: 'randomkey',
    arity: 1,
    summary: 'Tells a key of the database by chance',
    since: '1.0.0',
    complexity: 'O(log n)',
    syntax: '',
    newest: randomkey,
  },
  {
    name: 'dbsize',
    arity: 1,
    flags: ['readonly', 'fast'],
    categories: ['keyspace', 'read', 'fast'],
    group: 'server',
    summary: 'Counts the keys of the database',
    since: '1.0.0',
    complexity: 'O(log n)',
    syntax: '',
    newest: dbsize,
  },
  {
    ...flushing,
    name: 'flushdb',
    summary: 'Deletes all keys of the database',
    complexity: 'O(n) in the keys; a collection is one',
    parts: flushdb,
  },
  {
    ...flushing,
    name: 'flushall',
    summary: 'Deletes all keys of all databases',
    complexity: 'O(n) in the keys; a collection is one',
    parts: flushall,
  },
];
