/** SADD, SMEMBERS, SINTER, ...: the commands of sets. */
import type { Version } from '../../../../engine/version.ts';
import { fixed, serverFixed } from '../../../../limits.ts';
import { budgetSpent } from '../../../../store/views/draft.ts';
import type { ReadView, View } from '../../../../store/views/view.ts';
import { hasElement, visitElements } from '../../../../types/collections/element-table.ts';
import { visitRandom } from '../../../../types/collections/random-elements.ts';
import { TableEdit } from '../../../../types/collections/table-edit.ts';
import {
  Combination,
  type CombinationPlace,
  type Combining,
  storeCombination,
} from '../../../../types/set/combination.ts';
import {
  countMembers,
  editSet,
  keepMembers,
  moveMember,
  popMember,
  popMembers,
  readSet,
  setType,
} from '../../../../types/set/set.ts';
import { NEGATIVE_LIMIT, NO_KEY_COUNT, ReplyError, syntaxError, TOO_FEW_KEYS } from '../../replies/errors.ts';
import type { Arguments, Command, CommandCall, KeyPlaces, KeyUse, Slice } from '../command.ts';
import {
  elementsSlice,
  readPickCount,
  readPopCount,
  refuseSpent,
  scanTable,
  writeChosen,
  writeName,
} from '../elements/table-replies.ts';
import { writeRepeated } from '../elements/repeated-replies.ts';

function sadd(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  const edit = editSet(view, key);
  let count = 0;
  for (let index = 2; index < args.count; index++) if (edit.add(args.bytes(index))) count++;
  edit.save();
  if (count > 0) call.notify('s', 'sadd', key);
  reply.integer(count);
}

function srem(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  const edit = editSet(view, key);
  let count = 0;
  for (let index = 2; index < args.count && !edit.isEmpty; index++) {
    if (edit.remove(args.bytes(index))) count++;
  }
  edit.save();
  if (count > 0) notifyRemoved(call, key, 'srem', edit.isEmpty);
  reply.integer(count);
}

function notifyRemoved(call: CommandCall, key: Uint8Array, event: string, isEmptied: boolean): void {
  call.notify('s', event, key);
  if (isEmptied) call.notify('g', 'del', key);
}

function sismember(view: ReadView, { args, reply }: CommandCall): void {
  const set = readSet(view, args.key(1));
  reply.integer(set !== undefined && hasElement(view, set, setType, args.bytes(2)) ? 1 : 0);
}

function smismember(view: ReadView, { args, reply }: CommandCall): void {
  const set = readSet(view, args.key(1));
  reply.array(args.count - 2);
  for (let index = 2; index < args.count; index++) {
    reply.integer(set !== undefined && hasElement(view, set, setType, args.bytes(index)) ? 1 : 0);
  }
}

function scard(view: ReadView, { args, reply }: CommandCall): void {
  const set = readSet(view, args.key(1));
  reply.integer(set === undefined ? 0 : countMembers(set));
}

function smembers(view: ReadView, { args, reply }: CommandCall): Slice | undefined {
  const set = readSet(view, args.key(1));
  reply.set(set === undefined ? 0 : countMembers(set));
  return set && elementsSlice(set, setType, writeName)(view, reply);
}

function spop(view: View, call: CommandCall): Slice | undefined {
  const { args, reply } = call;
  if (args.count > 3) throw syntaxError();
  if (args.count === 3) return popSeveral(view, call, readPopCount(args, 2));
  const key = args.key(1);
  const edit = editSet(view, key);
  if (edit.isEmpty) {
    reply.nil();
    return undefined;
  }
  reply.bulk(popMember(edit, Math.random));
  edit.save();
  notifyRemoved(call, key, 'spop', edit.isEmpty);
  return undefined;
}

/** What is taken out happens as a whole; where that is more than a transaction may change, it is told from the state before. */
function popSeveral(view: View, call: CommandCall, asked: number): Slice | undefined {
  const { args, reply } = call;
  const key = args.key(1);
  const set = readSet(view, key);
  if (set === undefined || asked === 0) {
    reply.set(0);
    return undefined;
  }
  const size = countMembers(set);
  const count = Math.min(asked, size);
  const leftCount = size - count;
  const isLong = count >= fixed.txnChangesMax;
  reply.set(count);
  notifyRemoved(call, key, 'spop', leftCount === 0);
  if (leftCount === 0) {
    view.delete(key);
    if (isLong) return elementsSlice(set, setType, writeName);
    const next = visitElements(view, set, setType, undefined, (member) => {
      reply.bulk(member);
      return true;
    });
    if (next !== undefined) throw budgetSpent(view.budget);
  } else if (isLong && leftCount <= fixed.keptMembersMax) {
    const kept = keepMembers(view, key, set, leftCount, Math.random);
    return poppedSlice(set, { kept, keptBefore: 0, index: 0, start: undefined });
  } else {
    const edit = TableEdit.of(view, key, setType, set);
    for (const member of popMembers(view, set, edit, count, Math.random)) reply.bulk(member);
    edit.save();
  }
  return undefined;
}

/** How far a set has been gone through of which few members stay. */
interface PoppedPlace {
  /** The places of those that stay, ascending, and how many of them lie before. */
  readonly kept: Float64Array;
  readonly keptBefore: number;
  /** The place of the next member, and its name; `undefined`: the first. */
  readonly index: number;
  readonly start: Uint8Array | undefined;
}

/** The members that do not stay. */
function poppedSlice(set: Version, place: PoppedPlace): Slice {
  return (view, reply) => {
    refuseSpent(view);
    const { kept } = place;
    let { index, keptBefore } = place;
    let left = serverFixed.elementsPerSlice;
    const start = visitElements(view, set, setType, place.start, (member) => {
      if (kept[keptBefore] === index++) keptBefore++;
      else reply.bulk(member);
      return --left > 0;
    });
    return start && poppedSlice(set, { kept, keptBefore, index, start });
  };
}

function srandmember(view: View, call: CommandCall): Slice | undefined {
  const { args, reply } = call;
  if (args.count > 3) throw syntaxError();
  if (args.count === 2) {
    const set = readSet(view, args.key(1));
    if (set === undefined) reply.nil();
    else visitRandom(view, set, setType, Math.random, (member) => reply.bulk(member));
    return undefined;
  }
  const given = readPickCount(args, 2);
  const set = readSet(view, args.key(1));
  if (set === undefined || given === 0n) {
    reply.array(0);
    return undefined;
  }
  const asked = Math.abs(args.integer(2));
  const count = given < 0n ? asked : Math.min(asked, countMembers(set));
  reply.array(count);
  return given < 0n
    ? writeRepeated(view, call, set, setType, count, writeName)
    : writeChosen(view, reply, set, setType, count, writeName);
}

function smove(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const from = args.key(1);
  const to = args.key(2);
  const { result, isEmptied } = moveMember(view, from, to, args.bytes(3));
  if (result === 'moved' || result === 'wasInBoth') notifyRemoved(call, from, 'srem', isEmptied);
  if (result === 'moved') call.notify('s', 'sadd', to);
  reply.integer(result === 'notThere' ? 0 : 1);
}

function combine(combining: Combining): (view: ReadView, call: CommandCall) => Slice | undefined {
  return (view, { args, reply }) => {
    const combination = Combination.read(view, combining, keysOf(args, 1, args.count));
    const members: Uint8Array[] = [];
    const place = combination.visit(view, undefined, serverFixed.elementsPerSlice, (member) => {
      members.push(new Uint8Array(member));
      return true;
    });
    if (place !== undefined) return countSlice(combination, place, members.length);
    reply.set(members.length);
    for (const member of members) reply.bulk(member);
    return undefined;
  };
}

/** A long combination is gone through twice, since the reply begins with the number of its members. */
function countSlice(combination: Combination, place: CombinationPlace, countBefore: number): Slice {
  return (view, reply) => {
    refuseSpent(view);
    let count = countBefore;
    const next = combination.visit(view, place, serverFixed.elementsPerSlice, () => ++count > 0);
    if (next !== undefined) return countSlice(combination, next, count);
    reply.set(count);
    return membersSlice(combination, undefined);
  };
}

function membersSlice(combination: Combination, place: CombinationPlace | undefined): Slice {
  return (view, reply) => {
    refuseSpent(view);
    const next = combination.visit(view, place, serverFixed.elementsPerSlice, (member) => {
      reply.bulk(member);
      return true;
    });
    return next && membersSlice(combination, next);
  };
}

function combineAndStore(combining: Combining, event: string): (view: View, call: CommandCall) => void {
  return (view, call) => {
    const { args, reply } = call;
    const key = args.key(1);
    const combination = Combination.read(view, combining, keysOf(args, 2, args.count));
    const { count, isDeleted } = storeCombination(view, combination, key);
    if (count > 0) call.notify('s', event, key);
    else if (isDeleted) call.notify('g', 'del', key);
    reply.integer(count);
  };
}

/** Each when it is looked at: a call may name more than one call looks at. */
function* keysOf(args: Arguments, first: number, end: number): Generator<Uint8Array, void> {
  for (let index = first; index < end; index++) yield args.key(index);
}

function sintercard(view: ReadView, { args, reply }: CommandCall): Slice | undefined {
  const keyCount = integerFrom(1, NO_KEY_COUNT, args, 1);
  if (keyCount > args.count - 2) throw new ReplyError(TOO_FEW_KEYS);
  const optionsStart = 2 + keyCount;
  let limit = 0;
  for (let index = optionsStart; index < args.count; index += 2) {
    if (!args.is(index, 'LIMIT') || index + 1 === args.count) throw syntaxError();
    limit = integerFrom(0, NEGATIVE_LIMIT, args, index + 1);
  }
  const combination = Combination.read(view, 'intersection', keysOf(args, 2, optionsStart));
  return cardinalitySlice(combination, undefined, 0, limit === 0 ? Infinity : limit)(view, reply);
}

function cardinalitySlice(
  combination: Combination,
  place: CombinationPlace | undefined,
  countBefore: number,
  limit: number,
): Slice {
  return (view, reply) => {
    refuseSpent(view);
    let count = countBefore;
    const next = combination.visit(view, place, serverFixed.elementsPerSlice, () => ++count < limit);
    if (next !== undefined && count < limit) return cardinalitySlice(combination, next, count, limit);
    reply.integer(count);
    return undefined;
  };
}

/** @param text of the error for what is no integer, or below the least. */
function integerFrom(least: number, text: string, args: Arguments, index: number): number {
  let value = least - 1;
  try {
    value = args.integer(index);
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
  }
  if (value < least) throw new ReplyError(text);
  return value;
}

function findCounted(args: Arguments, tell: (index: number, use: KeyUse) => void): void {
  const keyCount = Number(args.text(1));
  const end = Number.isSafeInteger(keyCount) ? Math.min(2 + keyCount, args.count) : 2;
  for (let index = 2; index < end; index++) tell(index, 'read');
}

function sscan(view: ReadView, call: CommandCall): void {
  scanTable(view, call, readSet, setType);
}

const READ: readonly KeyPlaces[] = [{ first: 1, last: 1, step: 1, use: 'read' }];
const WRITTEN: readonly KeyPlaces[] = [{ first: 1, last: 1, step: 1, use: 'write' }];
const BOTH: readonly KeyPlaces[] = [{ first: 1, last: 1, step: 1, use: 'both' }];
const ALL_READ: readonly KeyPlaces[] = [{ first: 1, last: -1, step: 1, use: 'read' }];
const STORED: readonly KeyPlaces[] = [
  { first: 1, last: 1, step: 1, use: 'write' },
  { first: 2, last: -1, step: 1, use: 'read' },
];

export const setCommands: readonly Command[] = [
  {
    name: 'sadd',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    keys: WRITTEN,
    categories: ['write', 'set', 'fast'],
    group: 'set',
    summary: 'Adds members to a set',
    since: '1.0.0',
    complexity: 'O(1) per member',
    syntax: 'key member [member ...]',
    write: sadd,
  },
  {
    name: 'srem',
    arity: -3,
    flags: ['write', 'fast'],
    keys: WRITTEN,
    categories: ['write', 'set', 'fast'],
    group: 'set',
    summary: 'Removes members from a set',
    since: '1.0.0',
    complexity: 'O(1) per member',
    syntax: 'key member [member ...]',
    write: srem,
  },
  {
    name: 'sismember',
    arity: 3,
    flags: ['readonly', 'fast'],
    keys: READ,
    categories: ['read', 'set', 'fast'],
    group: 'set',
    summary: 'Tells whether a set has a member',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key member',
    read: sismember,
  },
  {
    name: 'smismember',
    arity: -3,
    flags: ['readonly', 'fast'],
    keys: READ,
    categories: ['read', 'set', 'fast'],
    group: 'set',
    summary: 'Tells of each of several members whether a set has it',
    since: '6.2.0',
    complexity: 'O(1) per member',
    syntax: 'key member [member ...]',
    read: smismember,
  },
  {
    name: 'scard',
    arity: 2,
    flags: ['readonly', 'fast'],
    keys: READ,
    categories: ['read', 'set', 'fast'],
    group: 'set',
    summary: 'Tells how many members a set has',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'key',
    read: scard,
  },
  {
    name: 'smembers',
    arity: 2,
    flags: ['readonly'],
    keys: READ,
    categories: ['read', 'set', 'slow'],
    group: 'set',
    summary: 'Reads all members',
    since: '1.0.0',
    complexity: 'O(n) in the members',
    syntax: 'key',
    read: smembers,
  },
  {
    name: 'spop',
    arity: -2,
    flags: ['write', 'fast'],
    keys: BOTH,
    categories: ['write', 'set', 'fast'],
    group: 'set',
    summary: 'Takes members out of a set by chance',
    since: '1.0.0',
    complexity: 'O(log n) per member',
    syntax: 'key [count]',
    write: spop,
  },
  {
    name: 'srandmember',
    arity: -2,
    flags: ['readonly'],
    keys: READ,
    categories: ['read', 'set', 'slow'],
    group: 'set',
    summary: 'Reads members by chance',
    since: '1.0.0',
    complexity: 'O(log n) per member; where many are asked for, O(n) in all of them',
    syntax: 'key [count]',
    newest: srandmember,
  },
  {
    name: 'smove',
    arity: 4,
    flags: ['write', 'fast'],
    keys: [
      { first: 1, last: 1, step: 1, use: 'both' },
      { first: 2, last: 2, step: 1, use: 'write' },
    ],
    categories: ['write', 'set', 'fast'],
    group: 'set',
    summary: 'Moves a member to another set',
    since: '1.0.0',
    complexity: 'O(1)',
    syntax: 'source destination member',
    write: smove,
  },
  {
    name: 'sinter',
    arity: -2,
    flags: ['readonly'],
    keys: ALL_READ,
    categories: ['read', 'set', 'slow'],
    group: 'set',
    summary: 'Reads the members that all of several sets have',
    since: '1.0.0',
    complexity: 'O(n k) for k sets, n members in the smallest',
    syntax: 'key [key ...]',
    read: combine('intersection'),
  },
  {
    name: 'sunion',
    arity: -2,
    flags: ['readonly'],
    keys: ALL_READ,
    categories: ['read', 'set', 'slow'],
    group: 'set',
    summary: 'Reads the members that any of several sets has',
    since: '1.0.0',
    complexity: 'O(n k) for k sets, n members in all of them',
    syntax: 'key [key ...]',
    read: combine('union'),
  },
  {
    name: 'sdiff',
    arity: -2,
    flags: ['readonly'],
    keys: ALL_READ,
    categories: ['read', 'set', 'slow'],
    group: 'set',
    summary: 'Reads the members that the first of several sets has alone',
    since: '1.0.0',
    complexity: 'O(n k) for k sets, n members in the first',
    syntax: 'key [key ...]',
    read: combine('difference'),
  },
  {
    name: 'sinterstore',
    arity: -3,
    flags: ['write', 'denyoom'],
    keys: STORED,
    categories: ['write', 'set', 'slow'],
    group: 'set',
    summary: 'Stores the members that all of several sets have',
    since: '1.0.0',
    complexity: 'O(n k) for k sets, n members in the smallest',
    syntax: 'destination key [key ...]',
    write: combineAndStore('intersection', 'sinterstore'),
  },
  {
    name: 'sunionstore',
    arity: -3,
    flags: ['write', 'denyoom'],
    keys: STORED,
    categories: ['write', 'set', 'slow'],
    group: 'set',
    summary: 'Stores the members that any of several sets has',
    since: '1.0.0',
    complexity: 'O(n k) for k sets, n members in all of them',
    syntax: 'destination key [key ...]',
    write: combineAndStore('union', 'sunionstore'),
  },
  {
    name: 'sdiffstore',
    arity: -3,
    flags: ['write', 'denyoom'],
    keys: STORED,
    categories: ['write', 'set', 'slow'],
    group: 'set',
    summary: 'Stores the members that the first of several sets has alone',
    since: '1.0.0',
    complexity: 'O(n k) for k sets, n members in the first',
    syntax: 'destination key [key ...]',
    write: combineAndStore('difference', 'sdiffstore'),
  },
  {
    name: 'sintercard',
    arity: -3,
    flags: ['readonly', 'movablekeys'],
    keys: { find: findCounted, told: [0, 0, 0] },
    categories: ['read', 'set', 'slow'],
    group: 'set',
    summary: 'Counts the members that all of several sets have',
    since: '7.0.0',
    complexity: 'O(n k) for k sets, n members in the smallest',
    syntax: 'numkeys key [key ...] [LIMIT limit]',
    read: sintercard,
  },
  {
    name: 'sscan',
    arity: -3,
    flags: ['readonly'],
    keys: READ,
    categories: ['read', 'set', 'slow'],
    group: 'set',
    summary: 'Goes through the members, a piece with each call',
    since: '2.8.0',
    complexity: 'O(log n + m) for m members looked at',
    syntax: 'key cursor [MATCH pattern] [COUNT count]',
    read: sscan,
  },
];
