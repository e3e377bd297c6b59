/**
 * `LuaReply`: the reply of a command that a script has called, as a value of Lua. It stands in the place of the writer that makes bytes
 * of it.
 *
 * As in Redis 7.0:
 *
 *     integer, bulk      number, string
 *     status, error      { ok = text }, { err = text, ignore_error_stats_update = true }
 *     array, push        a table from 1 on
 *     null               false; nil once the script has asked for RESP3
 *     of RESP3 alone     map { map = table }, set { set = { [element] = true } }, double { double = number },
 *                        big number { big_number = text }, verbatim { verbatim_string = { format, string } }, boolean
 *
 * Invariant: while no array is open, `value` is the last reply as a whole.
 */
import { LuaTable, type LuaValue } from '../../../lua/value.ts';
import type { LuaBudget } from '../../../lua/budget.ts';
import { coordinateText, doubleText } from '../protocol/double-text.ts';
import type { RunningReply } from '../commands/running-call.ts';

/** What lacks elements. */
interface OpenTable {
  readonly table: LuaTable;
  readonly kind: 'array' | 'map' | 'set';
  /** Elements, keys and values that are to come; infinite: until `endArray`. */
  left: number;
  count: number;
  key: LuaValue;
}

export class LuaReply implements RunningReply {
  version: 2 | 3 = 2;
  value: LuaValue;
  /** Whether `value` is an error as a whole. */
  isError = false;
  readonly #budget: LuaBudget;
  #open: OpenTable[] = [];
  #length = 0;
  #byteLength = 0;

  constructor(budget: LuaBudget) {
    this.#budget = budget;
  }

  /** How many values were written. */
  get length(): number {
    return this.#length;
  }

  /** Of the texts among them. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Forgets all. @param length 0: there is one reply at a time. */
  rollBack(length: number): void {
    this.#length = length;
    this.#byteLength = 0;
    this.#open.length = 0;
    this.value = undefined;
    this.isError = false;
  }

  ok(): void {
    this.simple('OK');
  }

  simple(text: string): void {
    this.#byteLength += text.length;
    this.#add(this.#field('ok', text));
  }

  error(text: string): void {
    this.isError = this.#open.length === 0;
    this.#byteLength += text.length;
    this.#add(errorTable(this.#budget, text, true));
  }

  integer(value: number | bigint): void {
    this.#add(Number(value));
  }

  bulk(bytes: Uint8Array): void {
    this.#text(latin1Of(bytes));
  }

  text(text: string): void {
    this.#text(isAscii(text) ? text : latin1Of(Buffer.from(text, 'utf8')));
  }

  nil(): void {
    this.#add(this.version === 3 ? undefined : false);
  }

  nilArray(): void {
    this.nil();
  }

  array(count: number): void {
    this.#begin('array', count);
  }

  map(count: number): void {
    if (this.version === 3) this.#begin('map', 2 * count, this.#wrapped('map'));
    else this.#begin('array', 2 * count);
  }

  set(count: number): void {
    if (this.version === 3) this.#begin('set', count, this.#wrapped('set'));
    else this.#begin('array', count);
  }

  push(count: number): void {
    this.#begin('array', count);
  }

  double(value: number): void {
    if (this.version === 3) this.#add(this.#field('double', value));
    else this.#text(doubleText(value));
  }

  coordinate(value: number): void {
    if (this.version === 3) this.double(value);
    else this.#text(coordinateText(value));
  }

  boolean(value: boolean): void {
    this.#add(this.version === 3 ? value : Number(value));
  }

  bigNumber(value: bigint): void {
    if (this.version === 3) this.#add(this.#field('big_number', value.toString()));
    else this.#text(value.toString());
  }

  verbatim(format: string, text: string | Uint8Array): void {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
    if (this.version === 2) {
      this.bulk(bytes);
      return;
    }
    const parts = new LuaTable(this.#budget);
    parts.set('format', format);
    this.#byteLength += bytes.length;
    parts.set('string', latin1Of(bytes));
    this.#add(this.#field('verbatim_string', parts));
  }

  beginArray(): number {
    this.#begin('array', Infinity);
    return 0;
  }

  endArray(): void {
    this.#open.pop();
    this.#settle();
  }

  #text(text: string): void {
    this.#budget.spendBytes(text.length);
    this.#byteLength += text.length;
    this.#add(text);
  }

  #field(name: string, value: LuaValue): LuaTable {
    const table = new LuaTable(this.#budget);
    table.set(name, value);
    return table;
  }

  /** A table in a field of another one, which is what the reply has. */
  #wrapped(name: string): LuaTable {
    const table = new LuaTable(this.#budget);
    this.#add(this.#field(name, table), true);
    return table;
  }

  #begin(kind: OpenTable['kind'], count: number, wrapped?: LuaTable): void {
    const table = wrapped ?? new LuaTable(this.#budget);
    if (wrapped === undefined) this.#add(table, true);
    this.#open.push({ table, kind, left: count, count: 0, key: undefined });
    this.#settle();
  }

  /** @param isOpened it gets elements of its own before what is open gets its next one. */
  #add(value: LuaValue, isOpened = false): void {
    this.#length++;
    const open = this.#open.at(-1);
    if (open === undefined) {
      this.value = value;
      return;
    }
    open.left--;
    open.count++;
    if (open.kind === 'array') {
      if (value !== undefined) open.table.set(open.count, value);
    } else if (open.kind === 'set') {
      if (value !== undefined) open.table.set(value, true);
    } else if (open.count % 2 === 1) open.key = value;
    else if (open.key !== undefined) open.table.set(open.key, value);
    if (!isOpened) this.#settle();
  }

  /** What has got its last element is closed. */
  #settle(): void {
    for (let open = this.#open.at(-1); open?.left === 0; open = this.#open.at(-1)) this.#open.pop();
  }
}

/**
 * An error as scripts know it.
 * @param text with its code; one that is a single word has the code ERR.
 * @param isCounted a command has failed, whose error was counted.
 */
export function errorTable(budget: LuaBudget, text: string, isCounted: boolean): LuaTable {
  const table = new LuaTable(budget);
  table.set('err', text.includes(' ') ? text : `ERR ${text}`);
  if (isCounted) table.set('ignore_error_stats_update', true);
  return table;
}

const LOOP_BYTES_MAX = 16;

function latin1Of(bytes: Uint8Array): string {
  const { length } = bytes;
  if (length > LOOP_BYTES_MAX) return Buffer.prototype.latin1Slice.call(bytes, 0, length);
  let text = '';
  for (let index = 0; index < length; index++) text += String.fromCharCode(bytes[index] ?? 0);
  return text;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) >= 0x80) return false;
  return true;
}
