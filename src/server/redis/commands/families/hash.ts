/** HSET, HGET, HSCAN, ...: the commands of hashes. */
import type { Version } from '../../../../engine/version.ts';
import { isStoreError } from '../../../../errors.ts';
import type { ReadView, View } from '../../../../store/views/view.ts';
import { countElements, findElement, hasElement } from '../../../../types/collections/element-table.ts';
import { visitRandom } from '../../../../types/collections/random-elements.ts';
import { isTimed } from '../../../../types/collections/timed-table.ts';
import { changeField, editHash, hashType, incrementField, readHash } from '../../../../types/hash/hash.ts';
import {
  addLongDoubles,
  formatLongDouble,
  LONG_DOUBLE_ZERO,
  parseLongDouble,
} from '../../../../types/strings/long-double.ts';
import { NO_BYTES } from '../../../../wire/bytes.ts';
import {
  HASH_VALUE_NOT_A_FLOAT,
  HASH_VALUE_NOT_AN_INTEGER,
  NOT_A_NUMBER,
  NOT_FINITE,
  notAFloat,
  ReplyError,
  syntaxError,
  wrongArity,
} from '../../replies/errors.ts';
import type { Command, CommandCall, KeyPlaces, Reply, Slice } from '../command.ts';
import {
  readPickCount,
  refuseTooManyPairs,
  scanTable,
  writeAll,
  writeChosenOf,
  countShown,
  type WriteElement,
  writeBoth,
  writeChosen,
  writeName,
  writePair,
  writeValue,
} from '../elements/table-replies.ts';
import { writeRepeated, writeRepeatedOf } from '../elements/repeated-replies.ts';

function hset(view: View, call: CommandCall): void {
  call.reply.integer(setPairs(view, call, 'hset'));
}

function hmset(view: View, call: CommandCall): void {
  setPairs(view, call, 'hmset');
  call.reply.ok();
}

/** @returns how many fields are new. */
function setPairs(view: View, call: CommandCall, name: string): number {
  const { args } = call;
  if (args.count % 2 === 1) throw wrongArity(name);
  const key = args.key(1);
  const edit = editHash(view, key);
  let newCount = 0;
  for (let index = 2; index < args.count; index += 2) {
    const value = args.count === 4 ? args.only(index + 1) : args.bytes(index + 1);
    if (edit.set(args.passing(index), value)) newCount++;
  }
  edit.save();
  call.notify('h', 'hset', key);
  return newCount;
}

function hsetnx(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  const edit = editHash(view, key);
  if (edit.get(args.bytes(2)) !== undefined) {
    reply.integer(0);
    return;
  }
  edit.set(args.bytes(2), args.bytes(3));
  edit.save();
  call.notify('h', 'hset', key);
  reply.integer(1);
}

function hget(view: ReadView, { args, reply }: CommandCall): void {
  const value = valueOf(view, args.key(1), args.bytes(2));
  if (value === undefined) reply.nil();
  else reply.bulk(value);
}

function valueOf(view: ReadView, key: Uint8Array, field: Uint8Array): Uint8Array | undefined {
  const hash = readHash(view, key);
  return hash && findElement(view, hash, hashType, field);
}

function hmget(view: ReadView, { args, reply }: CommandCall): void {
  const hash = readHash(view, args.key(1));
  reply.array(args.count - 2);
  for (let index = 2; index < args.count; index++) {
    const value = hash && findElement(view, hash, hashType, args.bytes(index));
    if (value === undefined) reply.nil();
    else reply.bulk(value);
  }
}

function hgetall(view: ReadView, { args, reply }: CommandCall): Slice | undefined {
  const hash = readHash(view, args.key(1));
  if (hash !== undefined)
    return writeAll(view, reply, hash, hashType, writeBoth, (to, count) => to.map(count));
  reply.map(0);
  return undefined;
}

/** HKEYS and HVALS. */
function oneOfBoth(write: WriteElement): (view: ReadView, call: CommandCall) => Slice | undefined {
  return (view, { args, reply }) => {
    const hash = readHash(view, args.key(1));
    if (hash !== undefined)
      return writeAll(view, reply, hash, hashType, write, (to, count) => to.array(count));
    reply.array(0);
    return undefined;
  };
}

function hlen(view: ReadView, { args, reply }: CommandCall): void {
  const hash = readHash(view, args.key(1));
  reply.integer(hash === undefined ? 0 : countElements(hash, hashType));
}

function hstrlen(view: ReadView, { args, reply }: CommandCall): void {
  reply.integer(valueOf(view, args.key(1), args.bytes(2))?.length ?? 0);
}

function hexists(view: ReadView, { args, reply }: CommandCall): void {
  const hash = readHash(view, args.key(1));
  reply.integer(hash !== undefined && hasElement(view, hash, hashType, args.bytes(2)) ? 1 : 0);
}

function hdel(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  const edit = editHash(view, key);
  let count = 0;
  for (let index = 2; index < args.count && !edit.isEmpty; index++) {
    if (edit.remove(args.bytes(index))) count++;
  }
  edit.save();
  if (count > 0) {
    call.notify('h', 'hdel', key);
    if (edit.isEmpty) call.notify('g', 'del', key);
  }
  reply.integer(count);
}

function hincrby(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const delta = args.int64(3);
  const key = args.key(1);
  reply.integer(increment(view, key, args.bytes(2), delta));
  call.notify('h', 'hincrby', key);
}

function increment(view: View, key: Uint8Array, field: Uint8Array, delta: bigint): bigint {
  try {
    return incrementField(view, key, field, delta);
  } catch (error) {
    if (isStoreError(error, 'notAnInteger')) throw new ReplyError(HASH_VALUE_NOT_AN_INTEGER);
    throw error;
  }
}

function hincrbyfloat(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const delta = parseLongDouble(args.bytes(3));
  if (delta === undefined) throw notAFloat();
  if (delta.infinity !== 0) throw new ReplyError(NOT_FINITE);
  const key = args.key(1);
  let text = NO_BYTES;
  changeField(view, key, args.bytes(2), (value) => {
    const before = value === undefined ? LONG_DOUBLE_ZERO : parseLongDouble(value);
    if (before === undefined) throw new ReplyError(HASH_VALUE_NOT_A_FLOAT);
    const sum = addLongDoubles(before, delta);
    if (sum === undefined || sum.infinity !== 0) throw new ReplyError(NOT_A_NUMBER);
    return (text = Buffer.from(formatLongDouble(sum), 'latin1'));
  });
  call.notify('h', 'hincrbyfloat', key);
  reply.bulk(text);
}

function hrandfield(view: View, call: CommandCall): Slice | undefined {
  const { args, reply } = call;
  if (args.count === 2) {
    const hash = readHash(view, args.key(1));
    if (hash === undefined) reply.nil();
    else if (isTimed(hash)) return oneShown(view, call, hash);
    else visitRandom(view, hash, hashType, Math.random, (field) => reply.bulk(field));
    return undefined;
  }
  const given = readPickCount(args, 2);
  const hasValues = args.count > 3;
  if (args.count > 4 || (hasValues && !args.is(3, 'WITHVALUES'))) throw syntaxError();
  if (hasValues) refuseTooManyPairs(given);
  const hash = readHash(view, args.key(1));
  if (hash === undefined || given === 0n) {
    reply.array(0);
    return undefined;
  }
  const asked = Math.abs(args.integer(2));
  const isRepeated = given < 0n;
  const isFlat = hasValues && reply.version === 2;
  const write = isFlat ? writeBoth : hasValues ? writePair : writeName;
  const begin = (to: Reply, tableCount: number): number => {
    const count = isRepeated && tableCount > 0 ? asked : Math.min(asked, tableCount);
    to.array(isFlat ? 2 * count : count);
    return count;
  };
  if (isTimed(hash)) {
    return countShown(view, reply, hash, hashType, (shown, to, tableCount) => {
      const count = begin(to, tableCount);
      return isRepeated
        ? writeRepeatedOf(hash, hashType, count, write, tableCount)
        : writeChosenOf(shown, to, hash, hashType, count, write, tableCount);
    });
  }
  const count = begin(reply, countElements(hash, hashType));
  return isRepeated
    ? writeRepeated(view, call, hash, hashType, count, write)
    : writeChosen(view, reply, hash, hashType, count, write);
}

/** One field of a hash whose fields may have a time to live. */
function oneShown(view: View, { reply }: CommandCall, hash: Version): Slice | undefined {
  return countShown(view, reply, hash, hashType, (shown, to, tableCount) => {
    if (tableCount > 0) return writeChosenOf(shown, to, hash, hashType, 1, writeName, tableCount);
    to.nil();
    return undefined;
  });
}

function hscan(view: ReadView, call: CommandCall): void {
  scanTable(view, call, readHash, hashType);
}

const READ: readonly KeyPlaces[] = [{ first: 1, last: 1, step: 1, use: 'read' }];
const WRITTEN: readonly KeyPlaces[] = [{ first: 1, last: 1, step: 1, use: 'write' }];
const BOTH: readonly KeyPlaces[] = [{ first: 1, last: 1, step: 1, use: 'both' }];

export const hashCommands: readonly Command[] = [
  {
    name: 'hset',
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    keys: WRITTEN,
    categories: ['write', 'hash', 'fast'],
    group: 'hash',
    summary: 'Writes fields of a hash',
    since: '2.0.0',
    complexity: 'O(1) per field',
    syntax: 'key field value [field value ...]',
    write: hset,
  },
  {
    name: 'hmset',
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    keys: WRITTEN,
    categories: ['write', 'hash', 'fast'],
    group: 'hash',
    summary: 'Writes fields of a hash, and answers OK',
    since: '2.0.0',
    complexity: 'O(1) per field',
    syntax: 'key field value [field value ...]',
    write: hmset,
  },
  {
    name: 'hsetnx',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    keys: WRITTEN,
    categories: ['write', 'hash', 'fast'],
    group: 'hash',
    summary: 'Writes a field that a hash does not have yet',
    since: '2.0.0',
    complexity: 'O(1)',
    syntax: 'key field value',
    write: hsetnx,
  },
  {
    name: 'hget',
    arity: 3,
    flags: ['readonly', 'fast'],
    keys: READ,
    categories: ['read', 'hash', 'fast'],
    group: 'hash',
    summary: 'Reads a field',
    since: '2.0.0',
    complexity: 'O(1)',
    syntax: 'key field',
    read: hget,
  },
  {
    name: 'hmget',
    arity: -3,
    flags: ['readonly', 'fast'],
    keys: READ,
    categories: ['read', 'hash', 'fast'],
    group: 'hash',
    summary: 'Reads several fields',
    since: '2.0.0',
    complexity: 'O(1) per field',
    syntax: 'key field [field ...]',
    read: hmget,
  },
  {
    name: 'hgetall',
    arity: 2,
    flags: ['readonly'],
    keys: READ,
    categories: ['read', 'hash', 'slow'],
    group: 'hash',
    summary: 'Reads all fields with their values',
    since: '2.0.0',
    complexity: 'O(n) in the fields',
    syntax: 'key',
    read: hgetall,
  },
  {
    name: 'hkeys',
    arity: 2,
    flags: ['readonly'],
    keys: READ,
    categories: ['read', 'hash', 'slow'],
    group: 'hash',
    summary: 'Reads the names of all fields',
    since: '2.0.0',
    complexity: 'O(n) in the fields',
    syntax: 'key',
    read: oneOfBoth(writeName),
  },
  {
    name: 'hvals',
    arity: 2,
    flags: ['readonly'],
    keys: READ,
    categories: ['read', 'hash', 'slow'],
    group: 'hash',
    summary: 'Reads the values of all fields',
    since: '2.0.0',
    complexity: 'O(n) in the fields',
    syntax: 'key',
    read: oneOfBoth(writeValue),
  },
  {
    name: 'hlen',
    arity: 2,
    flags: ['readonly', 'fast'],
    keys: READ,
    categories: ['read', 'hash', 'fast'],
    group: 'hash',
    summary: 'Tells how many fields a hash has',
    since: '2.0.0',
    complexity: 'O(1)',
    syntax: 'key',
    read: hlen,
  },
  {
    name: 'hstrlen',
    arity: 3,
    flags: ['readonly', 'fast'],
    keys: READ,
    categories: ['read', 'hash', 'fast'],
    group: 'hash',
    summary: 'Tells how many bytes the value of a field has',
    since: '3.2.0',
    complexity: 'O(1)',
    syntax: 'key field',
    read: hstrlen,
  },
  {
    name: 'hexists',
    arity: 3,
    flags: ['readonly', 'fast'],
    keys: READ,
    categories: ['read', 'hash', 'fast'],
    group: 'hash',
    summary: 'Tells whether a hash has a field',
    since: '2.0.0',
    complexity: 'O(1)',
    syntax: 'key field',
    read: hexists,
  },
  {
    name: 'hdel',
    arity: -3,
    flags: ['write', 'fast'],
    keys: WRITTEN,
    categories: ['write', 'hash', 'fast'],
    group: 'hash',
    summary: 'Removes fields from a hash',
    since: '2.0.0',
    complexity: 'O(1) per field',
    syntax: 'key field [field ...]',
    write: hdel,
  },
  {
    name: 'hincrby',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    keys: BOTH,
    categories: ['write', 'hash', 'fast'],
    group: 'hash',
    summary: 'Adds an integer to the number in a field',
    since: '2.0.0',
    complexity: 'O(1)',
    syntax: 'key field increment',
    write: hincrby,
  },
  {
    name: 'hincrbyfloat',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    keys: BOTH,
    categories: ['write', 'hash', 'fast'],
    group: 'hash',
    summary: 'Adds a number with a fraction to the one in a field',
    since: '2.6.0',
    complexity: 'O(1)',
    syntax: 'key field increment',
    write: hincrbyfloat,
  },
  {
    name: 'hrandfield',
    arity: -2,
    flags: ['readonly'],
    keys: READ,
    categories: ['read', 'hash', 'slow'],
    group: 'hash',
    summary: 'Reads fields by chance, with their values if asked',
    since: '6.2.0',
    complexity: 'O(log n) per field; where many are asked for, O(n) in all of them',
    syntax: 'key [count [WITHVALUES]]',
    newest: hrandfield,
  },
  {
    name: 'hscan',
    arity: -3,
    flags: ['readonly'],
    keys: READ,
    categories: ['read', 'hash', 'slow'],
    group: 'hash',
    summary: 'Goes through the fields with their values, a piece with each call',
    since: '2.8.0',
    complexity: 'O(log n + m) for m fields looked at',
    syntax: 'key cursor [MATCH pattern] [COUNT count]',
    read: hscan,
  },
];
