/** What a generic `for` steps by: `step` goes on, and tells whether there is a further turn; then the values of that turn can be read. */
import { first, type LuaFunction, type LuaResult, type LuaTable, type LuaValue } from '../value.ts';

export interface LuaIterator {
  first: LuaValue;
  second: LuaValue;
  step(): boolean;
  /** The value at a place of 2 and more. */
  further(place: number): LuaValue;
}

/** By a function, which is called for each turn with the state and the value before. */
export class CallIterator implements LuaIterator {
  first: LuaValue;
  second: LuaValue = undefined;
  readonly #function: LuaFunction;
  readonly #state: LuaValue;
  #result: LuaResult = undefined;

  constructor(step: LuaFunction, state: LuaValue, control: LuaValue) {
    this.#function = step;
    this.#state = state;
    this.first = control;
  }

  step(): boolean {
    const result = this.#function(this.#state, this.first);
    this.#result = result;
    this.first = first(result);
    this.second = this.further(1);
    return this.first !== undefined;
  }

  further(place: number): LuaValue {
    return Array.isArray(this.#result) ? (this.#result as readonly LuaValue[])[place] : undefined;
  }
}

/** `pairs`. */
export class FieldIterator implements LuaIterator {
  first: LuaValue = undefined;
  second: LuaValue = undefined;
  readonly #table: LuaTable;
  #position = 0;

  constructor(table: LuaTable) {
    this.#table = table;
  }

  step(): boolean {
    const position = this.#table.nextPosition(this.#position);
    this.#position = position;
    if (position === 0) return false;
    this.first = this.#table.keyAt(position);
    this.second = this.#table.valueAt(position);
    return true;
  }

  further(): LuaValue {
    return undefined;
  }
}

/** `ipairs`. */
export class ItemIterator implements LuaIterator {
  first: LuaValue = undefined;
  second: LuaValue = undefined;
  readonly #table: LuaTable;
  #index = 0;

  constructor(table: LuaTable) {
    this.#table = table;
  }

  step(): boolean {
    const value = this.#table.get(++this.#index);
    if (value === undefined) return false;
    this.first = this.#index;
    this.second = value;
    return true;
  }

  further(): LuaValue {
    return undefined;
  }
}
