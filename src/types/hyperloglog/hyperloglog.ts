/**
 * HyperLogLogs: how many different elements were added, to 0.81 %, in 12 KiB at most. One is a plain string (`layout.ts` has its bytes), so
 * GET and SET move it.
 *
 *     user's key → the bytes
 *
 * Its cardinality is kept in it once it was counted; counting is a write then, as in Redis.
 */
import { StoreError } from '../../errors.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import type { Version } from '../../engine/version.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { MurmurHash } from '../hashing/murmur-hash.ts';
import { putInPlace, readString } from '../strings/strings.ts';
import { estimateCardinality, HASH_BITS } from './estimate.ts';
import {
  cacheCardinality,
  cachedCardinality,
  denseRegister,
  emptyDense,
  emptyHyperLogLog,
  forgetCardinality,
  isDense,
  isHyperLogLog,
  REGISTERS,
  setDenseRegister,
} from './layout.ts';
import { SparseRegisters, visitRuns } from './sparse.ts';

const HASH_SEED = 0xadc83b19;
const INDEX_BITS = 14;
/** What going through all registers takes, in looks at keys. */
const REGISTERS_VISITS = 256;
/** What changing one of a sparse one takes. */
const SPARSE_VISITS = 8;

/** The string of a key is no HyperLogLog, which Redis answers with a text of its own. */
export class NotHyperLogLogError extends StoreError<'wrongType'> {
  constructor() {
    super('wrongType', 'Key is not a valid HyperLogLog string value.');
  }
}

/** The string of a key looks like a HyperLogLog, and its registers are damaged. */
export class DamagedHyperLogLogError extends StoreError<'invalidArgument'> {
  constructor() {
    super('invalidArgument', 'Corrupted HLL object detected');
  }
}

const hash = new MurmurHash();

/** Adds elements; a key without one becomes one, even without elements. @returns whether anything has changed. */
export function addElements(
  view: View,
  key: Uint8Array,
  count: number,
  elementAt: (index: number) => Uint8Array,
): boolean {
  const before = readHyperLogLog(view, key);
  const registers = new Registers(before?.value ?? emptyHyperLogLog());
  let hasChanged = before === undefined;
  for (let index = 0; index < count; index++) {
    const element = elementAt(index);
    view.budget.spendVisits(registers.isSparse ? SPARSE_VISITS : 1);
    view.budget.spendKeyBytes(element.length);
    if (view.budget.isSpent) throw budgetSpent(view.budget);
    hash.hash(element, HASH_SEED);
    if (registers.raise(hash.low & (REGISTERS - 1), patternLength(hash.low, hash.high))) hasChanged = true;
  }
  if (hasChanged) put(view, key, registers, before);
  return hasChanged;
}

/** The cardinality of one, from what was counted before or counted now. */
export function countOne(view: View, key: Uint8Array): bigint {
  const before = readHyperLogLog(view, key);
  if (before === undefined) return 0n;
  const cached = cachedCardinality(before.value);
  if (cached !== undefined) return cached;
  pay(view);
  const countByValue = new Uint32Array(64);
  countRegisters(before.value, countByValue);
  const cardinality = estimateCardinality(countByValue);
  const value = before.value.slice();
  cacheCardinality(value, cardinality);
  putInPlace(view, key, value, before);
  return cardinality;
}

/** The cardinality of several together. */
export function countUnion(view: ReadView, keys: Iterable<Uint8Array>): bigint {
  const highest = new Uint8Array(REGISTERS);
  for (const key of keys) raiseAll(view, key, highest);
  pay(view);
  const countByValue = new Uint32Array(64);
  for (const value of highest) countByValue[value] = (countByValue[value] ?? 0) + 1;
  return estimateCardinality(countByValue);
}

/** Joins several into the one at `target`, which takes part itself. */
export function mergeInto(view: View, target: Uint8Array, sources: Iterable<Uint8Array>): void {
  const highest = new Uint8Array(REGISTERS);
  let isAnyDense = raiseAll(view, target, highest);
  for (const source of sources) if (raiseAll(view, source, highest)) isAnyDense = true;
  const before = readHyperLogLog(view, target);
  const registers = new Registers(before?.value ?? emptyHyperLogLog());
  if (isAnyDense) registers.makeDense();
  for (const [index, value] of highest.entries()) {
    if (value === 0) continue;
    if (registers.isSparse) view.budget.spendVisits(SPARSE_VISITS);
    registers.raise(index, value);
  }
  if (view.budget.isSpent) throw budgetSpent(view.budget);
  put(view, target, registers, before);
}

function put(view: View, key: Uint8Array, registers: Registers, before: Version | undefined): void {
  const value = registers.takeBytes();
  forgetCardinality(value);
  putInPlace(view, key, value, before);
}

/** The registers of one while they are changed. */
class Registers {
  #sparse: SparseRegisters | undefined;
  #dense: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#sparse = isDense(bytes) ? undefined : new SparseRegisters(bytes);
    this.#dense = isDense(bytes) ? bytes.slice() : NO_BYTES;
  }

  get isSparse(): boolean {
    return this.#sparse !== undefined;
  }

  /** As they are now, for the caller to change. */
  takeBytes(): Uint8Array {
    this.#sparse?.own();
    return this.#sparse?.bytes ?? this.#dense;
  }

  raise(index: number, value: number): boolean {
    const raised = this.#sparse?.raise(index, value);
    if (raised === 'damaged') throw new DamagedHyperLogLogError();
    if (raised === 'full') this.makeDense();
    else if (raised !== undefined) return raised === 'raised';
    if (denseRegister(this.#dense, index) >= value) return false;
    setDenseRegister(this.#dense, index, value);
    return true;
  }

  makeDense(): void {
    if (this.#sparse === undefined) return;
    const { bytes } = this.#sparse;
    const dense = emptyDense(bytes);
    const isWhole = visitRuns(bytes, (value, first, length) => {
      for (let index = first; index < first + length; index++) setDenseRegister(dense, index, value);
    });
    if (!isWhole) throw new DamagedHyperLogLogError();
    this.#sparse = undefined;
    this.#dense = dense;
  }
}

function readHyperLogLog(view: ReadView, key: Uint8Array): Version | undefined {
  const version = readString(view, key);
  if (version !== undefined && !isHyperLogLog(version.value)) throw new NotHyperLogLogError();
  return version;
}

/** Raises each of `highest` to the register of the one at a key. @returns whether that is dense. */
function raiseAll(view: ReadView, key: Uint8Array, highest: Uint8Array): boolean {
  const bytes = readHyperLogLog(view, key)?.value;
  if (bytes === undefined) return false;
  pay(view);
  if (isDense(bytes)) {
    for (let index = 0; index < REGISTERS; index++) {
      const value = denseRegister(bytes, index);
      if (value > (highest[index] ?? 0)) highest[index] = value;
    }
    return true;
  }
  const isWhole = visitRuns(bytes, (value, first, length) => {
    for (let index = first; index < first + length; index++) {
      if (value > (highest[index] ?? 0)) highest[index] = value;
    }
  });
  if (!isWhole) throw new DamagedHyperLogLogError();
  return false;
}

function countRegisters(bytes: Uint8Array, countByValue: Uint32Array): void {
  if (isDense(bytes)) {
    for (let index = 0; index < REGISTERS; index++) {
      const value = denseRegister(bytes, index);
      countByValue[value] = (countByValue[value] ?? 0) + 1;
    }
    return;
  }
  let above = 0;
  const isWhole = visitRuns(bytes, (value, _first, length) => {
    countByValue[value] = (countByValue[value] ?? 0) + length;
    above += length;
  });
  if (!isWhole) throw new DamagedHyperLogLogError();
  countByValue[0] = REGISTERS - above;
}

function pay(view: ReadView): void {
  view.budget.spendVisits(REGISTERS_VISITS);
  if (view.budget.isSpent) throw budgetSpent(view.budget);
}

/** The zeros behind the bits of the register's index, and the 1 that ends them: 1 to 51. */
function patternLength(low: number, high: number): number {
  const lowRest = low >>> INDEX_BITS;
  if (lowRest !== 0) return 32 - Math.clz32(lowRest & -lowRest);
  const lowBits = 32 - INDEX_BITS;
  if (high !== 0) return lowBits + 32 - Math.clz32(high & -high);
  return HASH_BITS + 1;
}
