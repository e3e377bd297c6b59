/**
 * `LuaOperations`: what Lua does with values, as section 2.8 of its manual tells, with the messages of Lua 5.1. Generated code calls it where it
 * does not do the work in line; libraries call it for what has metamethods.
 *
 * `name` is how a message calls the value, like `local 'x'`; without one it is told of by its type alone.
 */
import type { LuaBudget } from '../budget.ts';
import { isTrue, numberOf, textOf, typeName } from '../conversions.ts';
import {
  allOf,
  first,
  LuaError,
  type LuaFunction,
  type LuaResult,
  LuaTable,
  type LuaValue,
} from '../value.ts';
import { CallIterator, FieldIterator, ItemIterator, type LuaIterator } from './iterators.ts';

/** What a chunk is called: `source` as it was given, `name` as messages show it. */
export interface Chunk {
  readonly source: string;
  readonly name: string;
}

type Name = string | undefined;

/** `__index` and `__newindex` are followed so often. */
const INDEX_LOOPS_MAX = 100;
/** What a call from within the runtime or a library takes of the stack. */
const NATIVE_SLOTS = 100;
/** A string that is made has so many bytes beside its own. */
const STRING_BYTES = 24;
/** A list of values is copied for nothing up to so many. */
const FREE_VALUES = 8;
/** What an error takes that leaves a function. */
const LEAVE_STEPS = 20;
/** What it takes to write a number as text. */
const NUMBER_STEPS = 10;

export class LuaOperations {
  readonly budget: LuaBudget;
  readonly first = first;
  readonly allOf = allOf;
  /** `next` of the base library, and what its `ipairs` gives: loops by them go over the table itself. */
  next: LuaFunction | undefined = undefined;
  nextItem: LuaFunction | undefined = undefined;
  readonly #stringMetatable: LuaTable;
  /** Where names are looked for that are of no local variable. */
  globals: LuaTable;

  constructor(budget: LuaBudget, stringMetatable: LuaTable, globals: LuaTable) {
    this.budget = budget;
    this.#stringMetatable = stringMetatable;
    this.globals = globals;
  }

  // Calls

  /** Calls a function, or what has `__call`. */
  call(callee: LuaValue, args: readonly LuaValue[]): LuaResult {
    const { budget } = this;
    const slots = NATIVE_SLOTS + args.length;
    if ((budget.depthLeft -= slots) < 0) this.failDepth(slots);
    budget.spendSteps(1);
    const result = (typeof callee === 'function' ? callee : this.callee(callee, undefined))(...args);
    budget.depthLeft += slots;
    return result;
  }

  /** What calls a value that is no function: its arguments are evaluated before the call fails, if it does. */
  callee(value: LuaValue, name: Name): LuaFunction {
    const metamethod = this.metamethod(value, '__call');
    if (typeof metamethod === 'function') return (...args) => this.call(metamethod, [value, ...args]);
    return () => this.#failType('call', value, name);
  }

  /** @param slots that were taken and are given back, since the function did not begin. */
  failDepth(slots: number): never {
    this.budget.depthLeft += slots;
    throw new LuaError('stack overflow');
  }

  /** Values that are copied behind others: many are paid for. */
  spread(values: readonly LuaValue[]): readonly LuaValue[] {
    if (values.length > FREE_VALUES) this.budget.spendSteps(values.length >> 3);
    return values;
  }

  /** An error leaves a function of Lua, which takes much longer than a call; it is paid for by what comes next. */
  leave(error: unknown, line: number, chunk: Chunk): unknown {
    this.budget.stepsLeft -= LEAVE_STEPS;
    if (error instanceof LuaError) error.leave(chunk.source, chunk.name, line);
    return error;
  }

  /** The table `arg` of a function whose parameters end with `...`. */
  argTable(args: readonly LuaValue[]): LuaTable {
    const table = this.newTable([...args]);
    table.set('n', args.length);
    return table;
  }

  // Tables

  newTable(items: LuaValue[]): LuaTable {
    return new LuaTable(this.budget, items);
  }

  /** Without metamethods, by a function of Lua. */
  setRaw(table: LuaTable, key: LuaValue, value: LuaValue): void {
    try {
      table.set(key, value);
    } catch (error) {
      throw error instanceof LuaError ? error.atFunction() : error;
    }
  }

  /** Items of a constructor that has fields, too; `count` items stand before these. */
  setItems(table: LuaTable, count: number, items: readonly LuaValue[]): void {
    table.setItems(count, items);
  }

  global(name: string): LuaValue {
    const value = this.globals.get(name);
    return value !== undefined || this.globals.metatable === undefined
      ? value
      : this.index(this.globals, name, undefined);
  }

  setGlobal(value: LuaValue, name: string): void {
    this.setIndex(this.globals, name, value, undefined);
  }

  /** `object[key]`. */
  index(object: LuaValue, key: LuaValue, name: Name): LuaValue {
    if (object instanceof LuaTable) {
      const value = object.get(key);
      if (value !== undefined || object.metatable === undefined) return value;
    }
    return this.#indexByMetamethods(object, key, name);
  }

  #indexByMetamethods(object: LuaValue, key: LuaValue, name: Name): LuaValue {
    let holder = object;
    for (let loop = 0; loop < INDEX_LOOPS_MAX; loop++) {
      let handler: LuaValue;
      if (holder instanceof LuaTable) {
        const value = holder.get(key);
        if (value !== undefined) return value;
        handler = holder.metatable?.get('__index');
        if (handler === undefined) return undefined;
      } else {
        handler = this.metamethod(holder, '__index');
        if (handler === undefined) this.#failType('index', holder, loop === 0 ? name : undefined);
      }
      if (typeof handler === 'function') return first(this.call(handler, [holder, key]));
      this.budget.spendSteps(1);
      holder = handler;
    }
    throw new LuaError('loop in gettable');
  }

  /** `object[key] = value`. */
  setIndex(object: LuaValue, key: LuaValue, value: LuaValue, name: Name): void {
    if (object instanceof LuaTable && object.metatable === undefined) this.setRaw(object, key, value);
    else this.#setByMetamethods(object, key, value, name);
  }

  #setByMetamethods(object: LuaValue, key: LuaValue, value: LuaValue, name: Name): void {
    let holder = object;
    for (let loop = 0; loop < INDEX_LOOPS_MAX; loop++) {
      let handler: LuaValue;
      if (holder instanceof LuaTable) {
        handler = holder.metatable?.get('__newindex');
        // A key that no table can have is told of before anything is called.
        if (handler === undefined || holder.get(key) !== undefined || !canBeKey(key)) {
          this.setRaw(holder, key, value);
          return;
        }
      } else {
        handler = this.metamethod(holder, '__newindex');
        if (handler === undefined) this.#failType('index', holder, loop === 0 ? name : undefined);
      }
      if (typeof handler === 'function') {
        this.call(handler, [holder, key, value]);
        return;
      }
      this.budget.spendSteps(1);
      holder = handler;
    }
    throw new LuaError('loop in settable');
  }

  metatableOf(value: LuaValue): LuaTable | undefined {
    if (value instanceof LuaTable) return value.metatable;
    return typeof value === 'string' ? this.#stringMetatable : undefined;
  }

  metamethod(value: LuaValue, event: string): LuaValue {
    return this.metatableOf(value)?.get(event);
  }

  // Loops

  /** What a generic `for` steps by. */
  iterate(step: LuaValue, state: LuaValue, control: LuaValue): LuaIterator {
    if (state instanceof LuaTable && typeof step === 'function') {
      if (step === this.next && control === undefined) return new FieldIterator(state);
      if (step === this.nextItem && control === 0) return new ItemIterator(state);
    }
    return new CallIterator(typeof step === 'function' ? step : this.callee(step, undefined), state, control);
  }

  /** A bound of a numeric `for`. */
  forNumber(value: LuaValue, what: string): number {
    return this.#numberOf(value) ?? fail(`'for' ${what} must be a number`);
  }

  // Arithmetic

  add(a: LuaValue, b: LuaValue, nameA: Name, nameB: Name): LuaValue {
    const x = this.#numberOf(a);
    const y = this.#numberOf(b);
    return x !== undefined && y !== undefined ? x + y : this.#arithmetic('__add', a, b, nameA, nameB);
  }

  subtract(a: LuaValue, b: LuaValue, nameA: Name, nameB: Name): LuaValue {
    const x = this.#numberOf(a);
    const y = this.#numberOf(b);
    return x !== undefined && y !== undefined ? x - y : this.#arithmetic('__sub', a, b, nameA, nameB);
  }

  multiply(a: LuaValue, b: LuaValue, nameA: Name, nameB: Name): LuaValue {
    const x = this.#numberOf(a);
    const y = this.#numberOf(b);
    return x !== undefined && y !== undefined ? x * y : this.#arithmetic('__mul', a, b, nameA, nameB);
  }

  divide(a: LuaValue, b: LuaValue, nameA: Name, nameB: Name): LuaValue {
    const x = this.#numberOf(a);
    const y = this.#numberOf(b);
    return x !== undefined && y !== undefined ? x / y : this.#arithmetic('__div', a, b, nameA, nameB);
  }

  modulo(a: LuaValue, b: LuaValue, nameA: Name, nameB: Name): LuaValue {
    const x = this.#numberOf(a);
    const y = this.#numberOf(b);
    return x !== undefined && y !== undefined
      ? x - Math.floor(x / y) * y
      : this.#arithmetic('__mod', a, b, nameA, nameB);
  }

  power(a: LuaValue, b: LuaValue, nameA: Name, nameB: Name): LuaValue {
    const x = this.#numberOf(a);
    const y = this.#numberOf(b);
    if (x === undefined || y === undefined) return this.#arithmetic('__pow', a, b, nameA, nameB);
    // C gives 1 where JavaScript gives NaN.
    if (x === 1 || (x === -1 && (y === Infinity || y === -Infinity))) return 1;
    return x ** y;
  }

  negate(a: LuaValue, name: Name): LuaValue {
    const x = this.#numberOf(a);
    return x !== undefined ? -x : this.#arithmetic('__unm', a, a, name, name);
  }

  #arithmetic(event: string, a: LuaValue, b: LuaValue, nameA: Name, nameB: Name): LuaValue {
    const handler = this.#binaryHandler(event, a, b);
    if (handler !== undefined) return first(this.call(handler, [a, b]));
    if (this.#numberOf(a) === undefined) this.#failType('perform arithmetic on', a, nameA);
    this.#failType('perform arithmetic on', b, nameB);
  }

  #binaryHandler(event: string, a: LuaValue, b: LuaValue): LuaValue {
    return this.metamethod(a, event) ?? this.metamethod(b, event);
  }

  #numberOf(value: LuaValue): number | undefined {
    if (typeof value === 'string') this.budget.spendLook(value.length);
    return numberOf(value);
  }

  // Strings

  concat(a: LuaValue, b: LuaValue, nameA: string, nameB: string): LuaValue {
    const x = this.#textOf(a);
    const y = this.#textOf(b);
    if (x !== undefined && y !== undefined) {
      this.budget.spendBytes(STRING_BYTES + x.length + y.length);
      return x + y;
    }
    const handler = this.#binaryHandler('__concat', a, b);
    if (handler !== undefined) return first(this.call(handler, [a, b]));
    if (x === undefined) this.#failType('concatenate', a, nameA);
    this.#failType('concatenate', b, nameB);
  }

  /** @param names of all, with a NUL between; empty where there is none. */
  concatAll(values: readonly LuaValue[], names: string): LuaValue {
    const parts: string[] = [];
    let length = 0;
    for (const value of values) {
      const part = this.#textOf(value);
      if (part === undefined) return this.#concatByPairs(values, names);
      parts.push(part);
      length += part.length;
    }
    this.budget.spendBytes(STRING_BYTES * values.length + length);
    return parts.join('');
  }

  #textOf(value: LuaValue): string | undefined {
    if (typeof value === 'string') return value;
    if (typeof value === 'number') this.budget.spendSteps(NUMBER_STEPS);
    return textOf(value);
  }

  /** From the right, as Lua does it. */
  #concatByPairs(values: readonly LuaValue[], names: string): LuaValue {
    const nameOf = names.split('\0');
    let value = values.at(-1);
    for (let index = values.length - 2; index >= 0; index--)
      value = this.concat(values[index], value, nameOf[index] ?? '', nameOf[index + 1] ?? '');
    return value;
  }

  length(value: LuaValue, name: Name): number {
    if (value instanceof LuaTable || typeof value === 'string') return value.length;
    this.#failType('get length of', value, name);
  }

  /** `tostring`, with `__tostring`. */
  tostring(value: LuaValue): LuaValue {
    const handler = this.metamethod(value, '__tostring');
    return handler === undefined ? this.text(value) : first(this.call(handler, [value]));
  }

  /** As `tostring` shows it without metamethods. */
  text(value: LuaValue): string {
    switch (typeof value) {
      case 'string':
        return value;
      case 'number':
        return textOf(value) ?? '';
      case 'undefined':
        return 'nil';
      case 'boolean':
        return String(value);
      default:
        return value instanceof LuaTable || typeof value === 'function'
          ? `${typeName(value)}: ${this.#addressOf(value)}`
          : value.text;
    }
  }

  readonly #addresses = new WeakMap<LuaTable | LuaFunction, string>();
  #addressCount = 0;

  /** What stands for the address of a table or a function: counted, so that scripts are deterministic. */
  #addressOf(value: LuaTable | LuaFunction): string {
    let address = this.#addresses.get(value);
    if (address === undefined) {
      this.budget.spendBytes(2 * STRING_BYTES);
      address = `0x${(FIRST_ADDRESS + ADDRESS_STEP * ++this.#addressCount).toString(16)}`;
      this.#addresses.set(value, address);
    }
    return address;
  }

  // Comparisons

  isEqual(a: LuaValue, b: LuaValue): boolean {
    if (a === b) {
      if (typeof a === 'string') this.budget.spendLook(a.length);
      return true;
    }
    if (a instanceof LuaTable && b instanceof LuaTable) {
      const handler = this.#sameHandler('__eq', a, b);
      return handler !== undefined && isTrue(first(this.call(handler, [a, b])));
    }
    if (typeof a === 'string' && typeof b === 'string' && a.length === b.length)
      this.budget.spendLook(a.length);
    return false;
  }

  isLess(a: LuaValue, b: LuaValue): boolean {
    if (typeof a === 'number' && typeof b === 'number') return a < b;
    if (typeof a === 'string' && typeof b === 'string') {
      this.budget.spendLook(Math.min(a.length, b.length));
      return a < b;
    }
    const handler = typeName(a) === typeName(b) ? this.#sameHandler('__lt', a, b) : undefined;
    if (handler === undefined) failOrder(a, b);
    return isTrue(first(this.call(handler, [a, b])));
  }

  isLessOrEqual(a: LuaValue, b: LuaValue): boolean {
    if (typeof a === 'number' && typeof b === 'number') return a <= b;
    if (typeof a === 'string' && typeof b === 'string') {
      this.budget.spendLook(Math.min(a.length, b.length));
      return a <= b;
    }
    if (typeName(a) === typeName(b)) {
      const handler = this.#sameHandler('__le', a, b);
      if (handler !== undefined) return isTrue(first(this.call(handler, [a, b])));
      const less = this.#sameHandler('__lt', b, a);
      if (less !== undefined) return !isTrue(first(this.call(less, [b, a])));
    }
    failOrder(a, b);
  }

  /** Of two values a metamethod for comparing, which both must have. */
  #sameHandler(event: string, a: LuaValue, b: LuaValue): LuaValue {
    const handler = this.metamethod(a, event);
    if (handler === undefined) return undefined;
    return this.isEqualRaw(handler, this.metamethod(b, event)) ? handler : undefined;
  }

  isEqualRaw(a: LuaValue, b: LuaValue): boolean {
    if (typeof a === 'string' && typeof b === 'string') this.budget.spendLook(Math.min(a.length, b.length));
    return a === b;
  }

  #failType(what: string, value: LuaValue, name: Name): never {
    const type = typeName(value);
    throw new LuaError(
      name === undefined || name === ''
        ? `attempt to ${what} a ${type} value`
        : `attempt to ${what} ${name} (a ${type} value)`,
    );
  }
}

/** Addresses look like those of a process of 64 bits. */
const FIRST_ADDRESS = 0x55_0000_000000;
const ADDRESS_STEP = 0x40;

function canBeKey(key: LuaValue): boolean {
  return key !== undefined && !(typeof key === 'number' && Number.isNaN(key));
}

function failOrder(a: LuaValue, b: LuaValue): never {
  const typeA = typeName(a);
  const typeB = typeName(b);
  throw new LuaError(
    typeA === typeB ? `attempt to compare two ${typeA} values` : `attempt to compare ${typeA} with ${typeB}`,
  );
}

function fail(text: string): never {
  throw new LuaError(text);
}
