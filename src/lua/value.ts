/**
 * The values of Lua 5.1 as values of JavaScript.
 *
 * - nil is `undefined`; booleans and numbers are JavaScript's.
 * - A string is a string of JavaScript with one character for each byte (codes 0 to 255, never others).
 * - A function is a plain function of JavaScript. It takes its arguments as they are, missing ones are nil.
 * - A function gives one value as itself and others as an array: none as `NONE`, several in order. An array is never a value, so
 *   who reads a result takes `first` or `allOf` of it; both take an array of any length. Arrays of results are never changed.
 */
import { hash, randomInt } from 'node:crypto';
import { AnswerError } from '../errors.ts';
import type { LuaBudget } from './budget.ts';

export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction | LuaLightUserdata;
export type LuaFunction = (...args: LuaValue[]) => LuaResult;
export type LuaResult = LuaValue | readonly LuaValue[];

/** The result of a function that returns nothing. */
export const NONE: readonly LuaValue[] = Object.freeze([]);

/** The first value of a result; nil when there is none. */
export function first(result: LuaResult): LuaValue {
  return isSeveral(result) ? result[0] : result;
}

/** All values of a result. */
export function allOf(result: LuaResult): readonly LuaValue[] {
  return isSeveral(result) ? result : [result];
}

function isSeveral(result: LuaResult): result is readonly LuaValue[] {
  return Array.isArray(result);
}

/** A pointer that scripts can only compare, like `cjson.null`. */
export class LuaLightUserdata {
  /** How `tostring` shows it. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
    Object.freeze(this);
  }
}

/**
 * An error of a script; `pcall` gives its value. A text gets the position of the function that raised it, `chunk:line: ` in front,
 * when it leaves that function.
 */
export class LuaError extends AnswerError {
  override readonly name = 'LuaError';
  value: LuaValue;
  /** The chunk and the line of the innermost function of Lua that it left; undefined: none yet. */
  source: string | undefined = undefined;
  line = 0;
  /** How many functions of Lua it has yet to leave until it gets a position; 0: it has what it gets. */
  #level: number;

  /**
   * @param level as `error` takes it: 1 is the position of the function of Lua that called what failed, 2 where that was called,
   *   0 gives it none.
   */
  constructor(value: LuaValue, level = 1) {
    super(typeof value === 'string' ? value : '(error object is not a string)');
    this.value = value;
    this.#level = typeof value === 'string' ? level : 0;
  }

  /** It was raised by a function of Lua itself, not by one that it called: it gets the position of that. */
  atFunction(): this {
    this.#level = 1;
    return this;
  }

  /** It leaves a function of Lua, by a line. */
  leave(source: string, name: string, line: number): void {
    if (this.source === undefined) {
      this.source = source;
      this.line = line;
    }
    if (this.#level === 0 || --this.#level > 0 || typeof this.value !== 'string') return;
    this.value = `${name}:${line}: ${this.value}`;
    this.message = this.value;
  }
}

/**
 * What a table of Lua is paid for, in bytes, as V8 takes them: the object with an array, and room for more elements once one comes;
 * an element, with what an array that grows has to spare; the lists of its fields, first for one and then for more; a field, with its
 * place in the map.
 */
const TABLE_BYTES = 160;
const ROOM_BYTES = 128;
const ITEM_BYTES = 16;
const FIRST_FIELD_BYTES = 64;
const FIELD_ROOM_BYTES = 256;
const FIELD_BYTES = 80;
/** A key of the map that is made of another one. */
const MAPPED_KEY_BYTES = 64;
/** V8 hashes longer strings by their length alone. */
const HASHED_LENGTH_MAX = 16_383;
/** A byte that goes through SHA-256 takes some 1 to 3 ns. */
const DIGESTED_BYTES_OF_STEP = 16;
/** So many fields are found by looking at each. */
const SCANNED_FIELDS_MAX = 8;

/**
 * A table: an array for the keys 1 to n and fields in the order in which they came, found by a map when there are many.
 *
 * - The last element of the array is never nil, so n is a border. Others may be.
 * - No field has the key n + 1, nor one of 1 to n.
 * - A field that was set to nil keeps its place until the fields are packed, which only a new key does: so a traversal goes on from
 *   any key that it was given.
 */
export class LuaTable {
  metatable: LuaTable | undefined = undefined;
  /** As Redis protects its globals: every assignment fails, raw ones too. */
  isReadOnly = false;
  readonly #budget: LuaBudget;
  readonly #items: LuaValue[];
  #keys: LuaValue[] = NO_FIELDS;
  #values: LuaValue[] = NO_FIELDS;
  #placeByKey: Map<LuaValue, number> | undefined = undefined;
  /** Fields that are not nil, and fields with a number as key, nil or not. */
  #fieldCount = 0;
  #numericCount = 0;

  /** @param items the values of 1 to n, which the table keeps as its own. */
  constructor(budget: LuaBudget, items: LuaValue[] = []) {
    budget.spendBytes(TABLE_BYTES + ITEM_BYTES * items.length);
    this.#budget = budget;
    this.#items = items;
    this.#trim();
  }

  /** A border: n where n is not nil and n + 1 is; 0 where 1 is nil. */
  get length(): number {
    return this.#items.length;
  }

  /** Without metamethods. */
  get(key: LuaValue): LuaValue {
    if (typeof key === 'number') {
      const items = this.#items;
      if (key >= 1 && key <= items.length) {
        const value = items[key - 1];
        if (value !== undefined || Number.isInteger(key)) return value;
      }
    }
    if (this.#fieldCount === 0) return undefined;
    const place = this.#placeOf(key);
    return place < 0 ? undefined : this.#values[place];
  }

  /** Without metamethods. Throws, without a position, for nil and NaN as key, and when the table is read-only. */
  set(key: LuaValue, value: LuaValue): void {
    if (this.isReadOnly) throw new LuaError('Attempt to modify a readonly table', 0);
    if (typeof key === 'number') {
      const items = this.#items;
      const count = items.length;
      if (key >= 1 && key <= count && Number.isInteger(key)) {
        items[key - 1] = value;
        if (value === undefined && key === count) this.#trim();
        return;
      }
      if (key === count + 1) {
        if (value === undefined) return;
        this.#budget.spendBytes(count === 0 ? ITEM_BYTES + ROOM_BYTES : ITEM_BYTES);
        items.push(value);
        if (this.#numericCount > 0) this.#takeFields();
        return;
      }
      if (Number.isNaN(key)) throw new LuaError('table index is NaN', 0);
      this.#setField(key + 0, value);
    } else {
      if (key === undefined) throw new LuaError('table index is nil', 0);
      this.#setField(key, value);
    }
  }

  /** Sets the keys that follow on `count`, also to nil; the last that is not nil becomes a border where those before have reached `count`. */
  setItems(count: number, values: readonly LuaValue[]): void {
    const items = this.#items;
    const isAppended = items.length === count;
    if (isAppended) this.#budget.spendBytes(ITEM_BYTES * values.length + (count === 0 ? ROOM_BYTES : 0));
    for (let index = 0; index < values.length; index++) {
      const value = values[index];
      const key = count + index + 1;
      if (!isAppended) this.set(key, value);
      else {
        if (this.#numericCount > 0) this.#setField(key, undefined);
        items.push(value);
      }
    }
    if (!isAppended) return;
    this.#trim();
    if (this.#numericCount > 0) this.#takeFields();
  }

  /**
   * The field that follows on `key` in a traversal, which begins with nil and ends with `undefined`. Fields may be assigned during one,
   * also nil; with new keys it may leave some out or show some twice. Throws when there never was such a key.
   */
  next(key: LuaValue): [LuaValue, LuaValue] | undefined {
    const position = this.nextPosition(key === undefined ? 0 : this.#positionOf(key));
    return position === 0 ? undefined : [this.keyAt(position), this.valueAt(position)];
  }

  /**
   * A traversal by positions: begins with 0, ends when it gets 0. A position holds until a key comes new: 1 and up are the elements of the
   * array, -1 and below fields.
   */
  nextPosition(position: number): number {
    let place = -position;
    if (position >= 0) {
      const items = this.#items;
      for (let next = position; next < items.length; next++) {
        if (items[next] !== undefined) return next + 1;
        this.#budget.spendSteps(1);
      }
      place = 0;
    }
    const values = this.#values;
    for (; place < values.length; place++) {
      if (values[place] !== undefined) return -place - 1;
      this.#budget.spendSteps(1);
    }
    return 0;
  }

  keyAt(position: number): LuaValue {
    return position > 0 ? position : this.#keys[-position - 1];
  }

  valueAt(position: number): LuaValue {
    return position > 0 ? this.#items[position - 1] : this.#values[-position - 1];
  }

  #positionOf(key: LuaValue): number {
    const isIndex = typeof key === 'number' && key >= 1 && Number.isInteger(key);
    if (isIndex && key <= this.#items.length) return key;
    const place = this.#placeOf(key);
    if (place >= 0) return -place - 1;
    // It was the last of the array and was set to nil since.
    if (isIndex) return this.#items.length;
    throw new LuaError("invalid key to 'next'", 0);
  }

  #placeOf(key: LuaValue): number {
    if (typeof key === 'string') this.#budget.spendLook(key.length);
    const places = this.#placeByKey;
    return places === undefined ? this.#keys.indexOf(key) : (places.get(mapKeyOf(key, this.#budget)) ?? -1);
  }

  #setField(key: LuaValue, value: LuaValue): void {
    const place = this.#placeOf(key);
    if (place >= 0) {
      const isNew = this.#values[place] === undefined;
      if (isNew !== (value === undefined)) this.#fieldCount += isNew ? 1 : -1;
      this.#values[place] = value;
      return;
    }
    if (value === undefined) return;
    this.#spendField();
    if (this.#keys.length >= SCANNED_FIELDS_MAX && this.#fieldCount < this.#keys.length >> 1) this.#pack();
    // A list that is made with an element has no room to spare: many tables have one field alone.
    if (this.#keys.length === 0) {
      this.#keys = [key];
      this.#values = [value];
    } else {
      this.#keys.push(key);
      this.#values.push(value);
    }
    this.#fieldCount++;
    if (typeof key === 'number') this.#numericCount++;
    if (this.#placeByKey !== undefined)
      this.#placeByKey.set(mapKeyOf(key, this.#budget), this.#keys.length - 1);
    else if (this.#keys.length > SCANNED_FIELDS_MAX) this.#mapKeys();
  }

  #spendField(): void {
    const { length } = this.#keys;
    this.#budget.spendBytes(
      length === 0
        ? FIELD_BYTES + FIRST_FIELD_BYTES
        : length === 1
          ? FIELD_BYTES + FIELD_ROOM_BYTES
          : FIELD_BYTES,
    );
  }

  #mapKeys(): void {
    this.#placeByKey = new Map(this.#keys.map((key, place) => [mapKeyOf(key, this.#budget), place]));
  }

  /** Takes out the places of fields that are nil: their keys' order stays. */
  #pack(): void {
    const isKept = this.#values.map((value) => value !== undefined);
    this.#keys = this.#keys.filter((_, place) => isKept[place]);
    this.#values = this.#values.filter((value) => value !== undefined);
    this.#numericCount = this.#keys.reduce<number>(
      (count, key) => count + (typeof key === 'number' ? 1 : 0),
      0,
    );
    this.#placeByKey = undefined;
    if (this.#keys.length > SCANNED_FIELDS_MAX) this.#mapKeys();
  }

  /** Fields whose keys follow on the array now become elements of it. */
  #takeFields(): void {
    const items = this.#items;
    for (;;) {
      const place = this.#placeOf(items.length + 1);
      const value = place < 0 ? undefined : this.#values[place];
      if (value === undefined) return;
      this.#budget.spendSteps(1);
      this.#values[place] = undefined;
      this.#fieldCount--;
      items.push(value);
    }
  }

  #trim(): void {
    const items = this.#items;
    while (items.length > 0 && items[items.length - 1] === undefined) items.pop();
  }
}

const NO_FIELDS: LuaValue[] = [];
/** Odd, so that no two integers become one. */
const MULTIPLIER = 2 * randomInt(2 ** 30) + 1;
/** No string of Lua has such a character. */
const MADE_KEY = '\u0100';

/**
 * What stands in a map for a key, so that a script can't choose keys that V8 puts into one bucket: it hashes numbers as every process
 * does, and of long strings nothing but the length.
 */
function mapKeyOf(key: LuaValue, budget: LuaBudget): LuaValue {
  if (typeof key === 'number') {
    if ((key | 0) === key) return Math.imul(key, MULTIPLIER);
    budget.spendBytes(MAPPED_KEY_BYTES);
    return `${MADE_KEY}${key}`;
  }
  if (typeof key !== 'string' || key.length <= HASHED_LENGTH_MAX) return key;
  budget.spendSteps(Math.ceil(key.length / DIGESTED_BYTES_OF_STEP));
  return `${MADE_KEY}#${hash('sha256', Buffer.from(key, 'latin1'), 'base64')}`;
}
