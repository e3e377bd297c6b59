/** HEXPIRE, HTTL, HPERSIST, HGETEX, ...: the commands of hashes whose fields have a time to live, as Redis has them since 7.4 and 8.0. */
import type { ReadView, View } from '../../../../store/views/view.ts';
import type { TableEdit } from '../../../../types/collections/table-edit.ts';
import { MILLISECOND_MS, SECOND_MS } from '../../../../types/deadlines.ts';
import {
  deadlineOfField,
  type FieldOutcome,
  removeFieldDeadline,
  setFieldDeadline,
} from '../../../../types/hash/field-deadlines.ts';
import { editHash, readHash } from '../../../../types/hash/hash.ts';
import type { DeadlineCondition } from '../../../../types/keys/expiry.ts';
import {
  fieldTimeTexts,
  invalidExpireTime,
  ReplyError,
  unknownArgument,
  wrongArity,
} from '../../replies/errors.ts';
import type { Arguments, Command, CommandCall, CommandFacts } from '../command.ts';

type Unit = typeof SECOND_MS | typeof MILLISECOND_MS;

/** The latest deadline of a field that Redis takes, in milliseconds since 1970: 2^46 - 1, in the year 4199. */
const FIELD_DEADLINE_MS_MAX = 2n ** 46n - 1n;
const INT32_MAX = 2n ** 31n - 1n;

/** Throws a `ReplyError`. @param name of the command, for the error. */
function readDeadline(amount: bigint, unitMs: Unit, baseMs: number, name: string): number {
  if (amount < 0n) throw new ReplyError(fieldTimeTexts.negativeTime);
  if (amount * unitMs > FIELD_DEADLINE_MS_MAX - BigInt(baseMs)) throw invalidExpireTime(name);
  return Number(amount * unitMs) + baseMs;
}

/**
 * Reads `FIELDS numfields field ...`, to the last word of the call. Throws a `ReplyError`.
 * @returns the index of the first field.
 */
function readFields(args: Arguments, index: number, wrongCount: string = fieldTimeTexts.fieldCount): number {
  if (index >= args.count || !args.is(index, 'FIELDS')) throw new ReplyError(fieldTimeTexts.fields);
  const first = index + 2;
  const count = first > args.count ? undefined : countOf(args, index + 1);
  if (count === undefined || count < 1n) throw new ReplyError(wrongCount);
  if (count !== BigInt(args.count - first)) throw new ReplyError(fieldTimeTexts.fieldCountDiffers);
  return first;
}

/** `undefined`: it is no number. */
function countOf(args: Arguments, index: number): bigint | undefined {
  try {
    return args.int64(index);
  } catch (error) {
    if (error instanceof ReplyError) return undefined;
    throw error;
  }
}

const NO_FIELD = -2;
const NO_DEADLINE = -1;

const told: Readonly<Record<FieldOutcome, number>> = { noField: NO_FIELD, unchanged: 0, set: 1, deleted: 2 };

const conditions: Readonly<Record<string, DeadlineCondition>> = {
  NX: { whenNone: true },
  XX: { whenSome: true },
  GT: { whenLater: true },
  LT: { whenEarlier: true },
};

/** How often each outcome has come. */
class Outcomes {
  setCount = 0;
  deletedCount = 0;

  add(outcome: FieldOutcome): void {
    if (outcome === 'set') this.setCount++;
    else if (outcome === 'deleted') this.deletedCount++;
  }

  /** Writes the hash, and tells what has become of it. @param setEvent where none was removed. */
  finish(call: CommandCall, edit: TableEdit, key: Uint8Array, setEvent: string): void {
    edit.save();
    if (this.deletedCount > 0) call.notify('h', 'hdel', key);
    else if (this.setCount > 0) call.notify('h', setEvent, key);
    if (this.deletedCount > 0 && edit.isEmpty) call.notify('g', 'del', key);
  }
}

/** @param isFromNow the amount counts from now; else it is a point in time. */
function hexpire(name: string, unitMs: Unit, isFromNow: boolean) {
  return (view: View, call: CommandCall): void => {
    const { args, reply } = call;
    const key = args.key(1);
    const edit = editHash(view, key);
    const deadlineMs = readDeadline(args.int64(2), unitMs, isFromNow ? view.instantMs : 0, name);
    const condition = conditions[args.text(3).toUpperCase()];
    const fieldsAt = condition === undefined ? 3 : 4;
    const first = readFields(args, fieldsAt, fieldTimeTexts.fieldCountToExpire);
    const outcomes = new Outcomes();
    reply.array(args.count - first);
    for (let index = first; index < args.count; index++) {
      const outcome = setFieldDeadline(edit, args.bytes(index), deadlineMs, view.instantMs, condition);
      outcomes.add(outcome);
      reply.integer(told[outcome]);
    }
    outcomes.finish(call, edit, key, 'hexpire');
  };
}

/** @param isLeft how much is left is told; else the deadline itself. */
function lifetime(isInSeconds: boolean, isLeft: boolean) {
  return (view: ReadView, { args, reply }: CommandCall): void => {
    const hash = readHash(view, args.key(1));
    const first = readFields(args, 2);
    reply.array(args.count - first);
    for (let index = first; index < args.count; index++) {
      const deadlineMs = deadlineOfField(view, hash, args.bytes(index));
      if (deadlineMs === undefined) reply.integer(NO_FIELD);
      else if (deadlineMs === 0) reply.integer(NO_DEADLINE);
      else {
        const ms = isLeft ? Math.max(0, deadlineMs - view.instantMs) : deadlineMs;
        reply.integer(isInSeconds ? Math.ceil(ms / 1000) : ms);
      }
    }
  };
}

function hpersist(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  const edit = editHash(view, key);
  const first = readFields(args, 2);
  const outcomes = new Outcomes();
  reply.array(args.count - first);
  for (let index = first; index < args.count; index++) {
    const outcome = removeFieldDeadline(edit, args.bytes(index));
    outcomes.add(outcome);
    reply.integer(outcome === 'unchanged' ? NO_DEADLINE : told[outcome]);
  }
  outcomes.finish(call, edit, key, 'hpersist');
}

interface TimeWord {
  readonly unitMs: Unit;
  readonly isFromNow: boolean;
}

const timeWords: Readonly<Record<string, TimeWord>> = {
  EX: { unitMs: SECOND_MS, isFromNow: true },
  PX: { unitMs: MILLISECOND_MS, isFromNow: true },
  EXAT: { unitMs: SECOND_MS, isFromNow: false },
  PXAT: { unitMs: MILLISECOND_MS, isFromNow: false },
};

/** The deadline that a word and the number behind it give; `undefined`: it is no such word. Throws a `ReplyError`. */
function readTimeWord(view: View, args: Arguments, index: number, name: string): number | undefined {
  const word = timeWords[args.text(index).toUpperCase()];
  if (word === undefined) return undefined;
  if (index + 1 >= args.count) throw new ReplyError(fieldTimeTexts.noTime);
  return readDeadline(args.int64(index + 1), word.unitMs, word.isFromNow ? view.instantMs : 0, name);
}

function hgetex(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  const edit = editHash(view, key);
  const deadlineMs = readTimeWord(view, args, 2, 'hgetex');
  const persists = args.is(2, 'PERSIST');
  const first = readFields(args, deadlineMs !== undefined ? 4 : persists ? 3 : 2);
  const outcomes = new Outcomes();
  reply.array(args.count - first);
  for (let index = first; index < args.count; index++) {
    const field = args.bytes(index);
    const value = edit.get(field);
    if (value === undefined) {
      reply.nil();
      continue;
    }
    reply.bulk(value);
    if (deadlineMs !== undefined) outcomes.add(setFieldDeadline(edit, field, deadlineMs, view.instantMs));
    else if (persists) outcomes.add(removeFieldDeadline(edit, field));
  }
  outcomes.finish(call, edit, key, persists ? 'hpersist' : 'hexpire');
}

function hgetdel(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const key = args.key(1);
  const edit = editHash(view, key);
  const first = readFields(args, 2);
  const outcomes = new Outcomes();
  reply.array(args.count - first);
  for (let index = first; index < args.count; index++) {
    const field = args.bytes(index);
    const value = edit.get(field);
    if (value === undefined) reply.nil();
    else {
      reply.bulk(value);
      edit.remove(field);
      outcomes.add('deleted');
    }
  }
  outcomes.finish(call, edit, key, 'hdel');
}

interface SetOptions {
  readonly onlyNew: boolean;
  readonly onlyPresent: boolean;
  readonly keepsTtl: boolean;
  /** `undefined`: none is given. */
  readonly deadlineMs: number | undefined;
  /** The index of the first field. */
  readonly first: number;
}

/** The options come in any order, before FIELDS. Throws a `ReplyError`. */
function readSetOptions(view: View, args: Arguments): SetOptions {
  let onlyNew = false;
  let onlyPresent = false;
  let keepsTtl = false;
  let deadlineMs: number | undefined;
  for (let index = 2; index < args.count; index++) {
    if (args.is(index, 'FIELDS')) {
      return { onlyNew, onlyPresent, keepsTtl, deadlineMs, first: readPairs(args, index) };
    }
    const isTime = args.text(index).toUpperCase() in timeWords;
    if (args.is(index, 'FNX') || args.is(index, 'FXX')) {
      if (onlyNew || onlyPresent) throw new ReplyError(fieldTimeTexts.oneCondition);
      onlyNew = args.is(index, 'FNX');
      onlyPresent = !onlyNew;
    } else if (isTime || args.is(index, 'KEEPTTL')) {
      if (keepsTtl || deadlineMs !== undefined) throw new ReplyError(fieldTimeTexts.oneTime);
      keepsTtl = !isTime;
      if (isTime) deadlineMs = readTimeWord(view, args, index++, 'hsetex');
    } else throw unknownArgument(args.text(index));
  }
  throw new ReplyError(fieldTimeTexts.fields);
}

/** Reads `FIELDS numfields field value ...`, as `readFields`, with the errors of HSETEX. */
function readPairs(args: Arguments, index: number): number {
  const first = index + 2;
  if (first > args.count) throw wrongArity('hsetex');
  const count = countOf(args, index + 1);
  if (count === undefined || count < 1n || count > INT32_MAX) throw new ReplyError(fieldTimeTexts.pairCount);
  if (2n * count !== BigInt(args.count - first)) throw wrongArity('hsetex');
  return first;
}

function hsetex(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const { onlyNew, onlyPresent, keepsTtl, deadlineMs, first } = readSetOptions(view, args);
  const key = args.key(1);
  const edit = editHash(view, key);
  if (onlyNew || onlyPresent) {
    for (let index = first; index < args.count; index += 2) {
      if ((edit.deadlineOf(args.bytes(index)) === undefined) === onlyNew) continue;
      reply.integer(0);
      return;
    }
  }
  const outcomes = new Outcomes();
  for (let index = first; index < args.count; index += 2) {
    const field = args.bytes(index);
    edit.set(field, args.bytes(index + 1), keepsTtl ? edit.lifetimeOf(field) : undefined);
    if (deadlineMs !== undefined) outcomes.add(setFieldDeadline(edit, field, deadlineMs, view.instantMs));
  }
  call.notify('h', 'hset', key);
  outcomes.finish(call, edit, key, 'hexpire');
  reply.integer(1);
}

const TIME = '[EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds';
const CONDITION = '[NX | XX | GT | LT]';
const FIELDS = 'FIELDS numfields field [field ...]';

const common = {
  group: 'hash',
  since: '7.4.0',
  complexity: 'O(1) per field; O(n) in the fields of a small hash, the first time',
} as const satisfies Partial<CommandFacts>;

const setting = {
  ...common,
  arity: -6,
  flags: ['write', 'denyoom', 'fast'],
  keys: [{ first: 1, last: 1, step: 1, use: 'write' }],
  categories: ['write', 'hash', 'fast'],
} as const satisfies Partial<CommandFacts>;

const telling = {
  ...common,
  arity: -5,
  flags: ['readonly', 'fast'],
  keys: [{ first: 1, last: 1, step: 1, use: 'read' }],
  categories: ['read', 'hash', 'fast'],
  complexity: 'O(1) per field',
  syntax: `key ${FIELDS}`,
} as const satisfies Partial<CommandFacts>;

export const hashDeadlineCommands: readonly Command[] = [
  {
    ...setting,
    name: 'hexpire',
    summary: 'Lets fields of a hash expire in so many seconds',
    syntax: `key seconds ${CONDITION} ${FIELDS}`,
    write: hexpire('hexpire', SECOND_MS, true),
  },
  {
    ...setting,
    name: 'hpexpire',
    summary: 'Lets fields of a hash expire in so many milliseconds',
    syntax: `key milliseconds ${CONDITION} ${FIELDS}`,
    write: hexpire('hpexpire', MILLISECOND_MS, true),
  },
  {
    ...setting,
    name: 'hexpireat',
    summary: 'Lets fields of a hash expire at a time, in Unix seconds',
    syntax: `key unix-time-seconds ${CONDITION} ${FIELDS}`,
    write: hexpire('hexpireat', SECOND_MS, false),
  },
  {
    ...setting,
    name: 'hpexpireat',
    summary: 'Lets fields of a hash expire at a time, in Unix milliseconds',
    syntax: `key unix-time-milliseconds ${CONDITION} ${FIELDS}`,
    write: hexpire('hpexpireat', MILLISECOND_MS, false),
  },
  {
    ...telling,
    name: 'httl',
    summary: 'Tells how many seconds fields of a hash have left',
    read: lifetime(true, true),
  },
  {
    ...telling,
    name: 'hpttl',
    summary: 'Tells how many milliseconds fields of a hash have left',
    read: lifetime(false, true),
  },
  {
    ...telling,
    name: 'hexpiretime',
    summary: 'Tells when fields of a hash expire, in Unix seconds',
    read: lifetime(true, false),
  },
  {
    ...telling,
    name: 'hpexpiretime',
    summary: 'Tells when fields of a hash expire, in Unix milliseconds',
    read: lifetime(false, false),
  },
  {
    ...setting,
    name: 'hpersist',
    arity: -5,
    flags: ['write', 'fast'],
    summary: 'Takes the time to live from fields of a hash',
    complexity: 'O(1) per field',
    syntax: `key ${FIELDS}`,
    write: hpersist,
  },
  {
    ...setting,
    name: 'hgetex',
    arity: -5,
    flags: ['write', 'fast'],
    keys: [{ first: 1, last: 1, step: 1, use: 'both' }],
    summary: 'Reads fields of a hash, and gives them another time to live or takes it away',
    since: '8.0.0',
    syntax: `key ${TIME} | PERSIST] ${FIELDS}`,
    write: hgetex,
  },
  {
    ...setting,
    name: 'hsetex',
    summary:
      'Writes fields of a hash with a time to live, on the condition that none or all of them are there',
    since: '8.0.0',
    syntax: `key [FNX | FXX] ${TIME} | KEEPTTL] FIELDS numfields field value [field value ...]`,
    write: hsetex,
  },
  {
    ...setting,
    name: 'hgetdel',
    arity: -5,
    flags: ['write', 'fast'],
    keys: [{ first: 1, last: 1, step: 1, use: 'both' }],
    summary: 'Reads fields of a hash, and removes them',
    since: '8.0.0',
    complexity: 'O(1) per field',
    syntax: `key ${FIELDS}`,
    write: hgetdel,
  },
];
