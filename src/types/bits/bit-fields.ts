/** Whole numbers of 1 to 64 bits anywhere in a string (BITFIELD), and what becomes of those that do not fit. */
import type { ReadView, View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { putInPlace, readString, resized } from '../strings/strings.ts';
import { bitAt } from './bits.ts';

/** `wrap`: the lowest bits stay. `saturate`: the nearest number that fits. `fail`: nothing is written. */
export type Overflow = 'wrap' | 'saturate' | 'fail';

export interface FieldOperation {
  readonly action: 'get' | 'set' | 'increment';
  readonly isSigned: boolean;
  /** 1 to 64; unsigned ones have 63 at most. */
  readonly bits: number;
  /** Of the first bit. */
  readonly offset: number;
  /** What is set or added, a signed 64-bit integer; without meaning for `get`. */
  readonly operand: bigint;
  readonly overflow: Overflow;
}

/** What an operation answers: the number that was there (`get`, `set`) or is now; `undefined`: it did not fit. */
export type TellField = (value: bigint | undefined) => void;

export function readFields(
  view: ReadView,
  key: Uint8Array,
  operations: readonly FieldOperation[],
  tell: TellField,
): void {
  const value = readString(view, key)?.value ?? NO_BYTES;
  view.budget.spendVisits(operations.length);
  for (const operation of operations) tell(fieldIn(value, operation));
}

/** Runs operations of which at least one writes. The string reaches as far as the last of those, even if it fails. @returns whether a number has changed, or the string has grown and a number was written. */
export function changeFields(
  view: View,
  key: Uint8Array,
  operations: readonly FieldOperation[],
  tell: TellField,
): boolean {
  const version = readString(view, key);
  const length = version?.value.length ?? 0;
  let bytes = length;
  for (const { action, offset, bits } of operations) {
    if (action !== 'get') bytes = Math.max(bytes, Math.floor((offset + bits - 1) / 8) + 1);
  }
  view.budget.spendVisits(operations.length);
  const value = resized(view, version, bytes);
  let hasChanged = false;
  for (const operation of operations) {
    const before = fieldIn(value, operation);
    if (operation.action === 'get') {
      tell(before);
      continue;
    }
    const after = fieldAfter(before, operation);
    if (after === undefined) {
      tell(undefined);
      continue;
    }
    writeField(value, operation, after);
    if (bytes > length || before !== after) hasChanged = true;
    tell(operation.action === 'set' ? before : after);
  }
  if (hasChanged || bytes > length) putInPlace(view, key, value, version);
  return hasChanged;
}

function fieldAfter(before: bigint, operation: FieldOperation): bigint | undefined {
  const { action, operand, isSigned, bits, overflow } = operation;
  const width = BigInt(bits);
  const min = isSigned ? -(1n << (width - 1n)) : 0n;
  const max = isSigned ? (1n << (width - 1n)) - 1n : (1n << width) - 1n;
  // What is set into an unsigned field is taken as unsigned itself: a negative number is too great, not too small.
  const set = isSigned ? operand : BigInt.asUintN(64, operand);
  const wanted = action === 'set' ? set : before + operand;
  if (wanted >= min && wanted <= max) return wanted;
  if (overflow === 'fail') return undefined;
  if (overflow === 'saturate') return wanted > max ? max : min;
  return isSigned ? BigInt.asIntN(bits, wanted) : BigInt.asUintN(bits, wanted);
}

function fieldIn(bytes: Uint8Array, { isSigned, bits, offset }: FieldOperation): bigint {
  let value = 0n;
  for (let at = 0; at < bits;) {
    const bit = offset + at;
    if (bit % 8 === 0 && bits - at >= 8) {
      value = (value << 8n) | BigInt(bytes[bit / 8] ?? 0);
      at += 8;
    } else {
      value = (value << 1n) | BigInt(bitAt(bytes, bit));
      at++;
    }
  }
  return isSigned ? BigInt.asIntN(bits, value) : value;
}

function writeField(bytes: Uint8Array, { bits, offset }: FieldOperation, value: bigint): void {
  let rest = BigInt.asUintN(bits, value);
  for (let at = offset + bits - 1; at >= offset; at--) {
    const index = Math.floor(at / 8);
    const mask = 0x80 >> (at % 8);
    bytes[index] = (rest & 1n) === 1n ? (bytes[index] ?? 0) | mask : (bytes[index] ?? 0) & ~mask;
    rest >>= 1n;
  }
}
