/** Commands of bitmaps: bits, and whole numbers made of bits, within strings. */
import type { ReadView, View } from '../../../../../store/views/view.ts';
import {
  bitAt,
  type BitOperation,
  combineBits,
  countBits,
  findBit,
  setBit,
} from '../../../../../types/bits/bits.ts';
import {
  changeFields,
  type FieldOperation,
  type Overflow,
  readFields,
} from '../../../../../types/bits/bit-fields.ts';
import { parseIntegerText } from '../../../../../types/strings/integer-text.ts';
import { readString } from '../../../../../types/strings/strings.ts';
import {
  badBit,
  badBitOffset,
  badFieldType,
  badOverflowType,
  bitIsNotOneOrZero,
  notOfSeveralKeys,
  onlyGetIsSupported,
  syntaxError,
} from '../../../replies/errors.ts';
import type { Arguments, Command, CommandCall, KeyPlaces, KeyUse, Reply } from '../../command.ts';

/** Redis' own: a string has 512 MiB at most. */
const BIT_OFFSET_MAX = 512 * 1024 * 1024 * 8 - 1;
const SIGN_HASH = 0x23;

function setbit(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const offset = readOffset(args.bytes(2));
  const bit = parseIntegerText(args.bytes(3));
  if (bit !== 0 && bit !== 1) throw badBit();
  const key = args.key(1);
  const { before, hasChanged } = setBit(view, key, offset, bit);
  if (hasChanged) call.notify('$', 'setbit', key);
  reply.integer(before);
}

function getbit(view: ReadView, { args, reply }: CommandCall): void {
  const offset = readOffset(args.bytes(2));
  const version = readString(view, args.key(1));
  reply.integer(version === undefined ? 0 : bitAt(version.value, offset));
}

/** @param width of what is counted in, when `#` stands before the number. */
function readOffset(word: Uint8Array, width = 0): number {
  const isCounted = width > 0 && word[0] === SIGN_HASH;
  const number = parseIntegerText(isCounted ? word.subarray(1) : word);
  const offset = number === undefined ? -1 : Number(number) * (isCounted ? width : 1);
  if (offset < 0 || offset > BIT_OFFSET_MAX) throw badBitOffset();
  return offset;
}

/** A part of a string in bits, from `start` to `end` (exclusive), as the words of BITCOUNT and BITPOS give it. */
interface BitRange {
  readonly start: number;
  readonly end: number;
}

/** @param first and `last` (inclusive) as the words say; negative ones count from the end. */
function bitRange(first: number, last: number, isInBits: boolean, byteLength: number): BitRange {
  const total = isInBits ? byteLength * 8 : byteLength;
  const start = Math.max(0, first < 0 ? total + first : first);
  const end = Math.min(total - 1, Math.max(0, last < 0 ? total + last : last));
  return isInBits ? { start, end: end + 1 } : { start: start * 8, end: (end + 1) * 8 };
}

function readUnit(args: Arguments, index: number): boolean {
  if (args.is(index, 'BIT')) return true;
  if (args.is(index, 'BYTE')) return false;
  throw syntaxError();
}

function bitcount(view: ReadView, { args, reply }: CommandCall): void {
  const version = readString(view, args.key(1));
  if (version === undefined) {
    reply.integer(0);
    return;
  }
  const { value } = version;
  if (args.count === 2) {
    reply.integer(countBits(view, value, 0, value.length * 8));
    return;
  }
  if (args.count > 5 || args.count < 4) throw syntaxError();
  const first = args.integer(2);
  const last = args.integer(3);
  if (first < 0 && last < 0 && first > last) {
    reply.integer(0);
    return;
  }
  const isInBits = args.count === 5 && readUnit(args, 4);
  const { start, end } = bitRange(first, last, isInBits, value.length);
  reply.integer(start < end ? countBits(view, value, start, end) : 0);
}

function bitpos(view: ReadView, { args, reply }: CommandCall): void {
  const bit = args.integer(2);
  if (bit !== 0 && bit !== 1) throw bitIsNotOneOrZero();
  const version = readString(view, args.key(1));
  if (version === undefined) {
    reply.integer(bit === 1 ? -1 : 0);
    return;
  }
  const { value } = version;
  if (args.count > 6) throw syntaxError();
  const first = args.count > 3 ? args.integer(3) : 0;
  const isInBits = args.count === 6 && readUnit(args, 5);
  const isEndGiven = args.count > 4;
  const { start, end } = bitRange(first, isEndGiven ? args.integer(4) : -1, isInBits, value.length);
  const found = start < end ? findBit(value, bit, start, end) : -1;
  // What lies behind the string is zeros, unless an end was given.
  reply.integer(found === -1 && bit === 0 && !isEndGiven && start < end ? end : found);
}

function bitop(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const operation = readOperation(args);
  if (operation === 'not' && args.count !== 4) throw notOfSeveralKeys();
  const target = args.key(2);
  const sources: Uint8Array[] = [];
  for (let index = 3; index < args.count; index++) sources.push(args.key(index));
  const { length, hasDeleted } = combineBits(view, operation, target, sources);
  if (length > 0) call.notify('$', 'set', target);
  else if (hasDeleted) call.notify('g', 'del', target);
  reply.integer(length);
}

function readOperation(args: Arguments): BitOperation {
  if (args.is(1, 'AND')) return 'and';
  if (args.is(1, 'OR')) return 'or';
  if (args.is(1, 'XOR')) return 'xor';
  if (args.is(1, 'NOT')) return 'not';
  throw syntaxError();
}

function bitfield(view: View, call: CommandCall): void {
  const operations = readOperations(call.args);
  const key = call.args.key(1);
  const tell = teller(call.reply, operations);
  if (operations.every(({ action }) => action === 'get')) readFields(view, key, operations, tell);
  else if (changeFields(view, key, operations, tell)) call.notify('$', 'setbit', key);
}

function bitfieldRo(view: ReadView, { args, reply }: CommandCall): void {
  const operations = readOperations(args);
  if (operations.some(({ action }) => action !== 'get')) throw onlyGetIsSupported();
  readFields(view, args.key(1), operations, teller(reply, operations));
}

/** The head of the array is written before its first element: what is thrown takes all of it back. */
function teller(reply: Reply, operations: readonly FieldOperation[]): (value: bigint | undefined) => void {
  reply.array(operations.length);
  return (value) => {
    if (value === undefined) reply.nil();
    else reply.integer(value);
  };
}

function readOperations(args: Arguments): FieldOperation[] {
  const operations: FieldOperation[] = [];
  let overflow: Overflow = 'wrap';
  for (let index = 2; index < args.count;) {
    const left = args.count - index - 1;
    if (args.is(index, 'OVERFLOW') && left >= 1) {
      overflow = readOverflow(args, index + 1);
      index += 2;
      continue;
    }
    const action = readAction(args, index);
    if (action === undefined || left < (action === 'get' ? 2 : 3)) throw syntaxError();
    const { isSigned, bits } = readFieldType(args.bytes(index + 1));
    const offset = readOffset(args.bytes(index + 2), bits);
    const operand = action === 'get' ? 0n : args.int64(index + 3);
    operations.push({ action, isSigned, bits, offset, operand, overflow });
    index += action === 'get' ? 3 : 4;
  }
  return operations;
}

function readAction(args: Arguments, index: number): FieldOperation['action'] | undefined {
  if (args.is(index, 'GET')) return 'get';
  if (args.is(index, 'SET')) return 'set';
  return args.is(index, 'INCRBY') ? 'increment' : undefined;
}

function readOverflow(args: Arguments, index: number): Overflow {
  if (args.is(index, 'WRAP')) return 'wrap';
  if (args.is(index, 'SAT')) return 'saturate';
  if (args.is(index, 'FAIL')) return 'fail';
  throw badOverflowType();
}

const SIGNED = 0x69;
const UNSIGNED = 0x75;

/** `i1` to `i64`, `u1` to `u63`. */
function readFieldType(word: Uint8Array): { readonly isSigned: boolean; readonly bits: number } {
  const isSigned = word[0] === SIGNED;
  const bits = parseIntegerText(word.subarray(1));
  if ((!isSigned && word[0] !== UNSIGNED) || typeof bits !== 'number') throw badFieldType();
  if (bits < 1 || bits > (isSigned ? 64 : 63)) throw badFieldType();
  return { isSigned, bits };
}

function keyAt(use: KeyUse): readonly KeyPlaces[] {
  return [{ first: 1, last: 1, step: 1, use }];
}

const facts = { group: 'bitmap' } as const;
const readSlow = { ...facts, flags: ['readonly'], categories: ['read', 'bitmap', 'slow'] } as const;
const readFast = { ...facts, flags: ['readonly', 'fast'], categories: ['read', 'bitmap', 'fast'] } as const;
const writeSlow = { ...facts, flags: ['write', 'denyoom'], categories: ['write', 'bitmap', 'slow'] } as const;

/** BITFIELD reads alone when all its operations do; what is no operation may be any. */
function findFieldKey(args: Arguments, tell: (index: number, use: KeyUse) => void): void {
  let index = 2;
  while (index < args.count) {
    if (args.is(index, 'GET') && index + 2 < args.count) index += 3;
    else if (args.is(index, 'OVERFLOW') && index + 1 < args.count) index += 2;
    else break;
  }
  tell(1, index < args.count ? 'both' : 'read');
}

export const bitmapCommands: readonly Command[] = [
  {
    ...readSlow,
    name: 'bitcount',
    arity: -2,
    keys: keyAt('read'),
    summary: 'Counts the bits that are 1, in a string or a part of it',
    since: '2.6.0',
    complexity: 'O(n) in the bytes of the string',
    syntax: 'key [start end [BYTE | BIT]]',
    read: bitcount,
  },
  {
    ...writeSlow,
    name: 'bitfield',
    arity: -2,
    keys: { find: findFieldKey, told: [1, 1, 1] },
    summary: 'Reads, writes and adds to numbers of any width within a string',
    since: '3.2.0',
    complexity: 'O(n) in the bytes of the string, O(1) per operation',
    syntax:
      'key [GET encoding offset | [OVERFLOW WRAP | SAT | FAIL] SET encoding offset value | INCRBY encoding offset increment ...]',
    write: bitfield,
  },
  {
    ...readFast,
    name: 'bitfield_ro',
    arity: -2,
    keys: keyAt('read'),
    summary: 'Reads numbers of any width within a string',
    since: '6.0.0',
    complexity: 'O(n) in the bytes of the string, O(1) per operation',
    syntax: 'key [GET encoding offset [GET encoding offset ...]]',
    read: bitfieldRo,
  },
  {
    ...writeSlow,
    name: 'bitop',
    arity: -4,
    keys: [
      { first: 2, last: 2, step: 1, use: 'write' },
      { first: 3, last: -1, step: 1, use: 'read' },
    ],
    summary: 'Stores what AND, OR, XOR or NOT makes of strings',
    since: '2.6.0',
    complexity: 'O(n) in the bytes of all strings',
    syntax: 'operation destkey key [key ...]',
    write: bitop,
  },
  {
    ...readSlow,
    name: 'bitpos',
    arity: -3,
    keys: keyAt('read'),
    summary: 'Finds the first bit that is 1, or 0',
    since: '2.8.7',
    complexity: 'O(n) in the bytes of the string',
    syntax: 'key bit [start [end [BYTE | BIT]]]',
    read: bitpos,
  },
  {
    ...readFast,
    name: 'getbit',
    arity: 3,
    keys: keyAt('read'),
    summary: 'Reads one bit of a string',
    since: '2.2.0',
    complexity: 'O(n) in the bytes of the string',
    syntax: 'key offset',
    read: getbit,
  },
  {
    ...writeSlow,
    name: 'setbit',
    arity: 4,
    keys: keyAt('both'),
    summary: 'Writes one bit of a string, which grows as far as that',
    since: '2.2.0',
    complexity: 'O(n) in the bytes of the string',
    syntax: 'key offset value',
    write: setbit,
  },
];
