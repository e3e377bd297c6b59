/**
 * `TableEdit`: named elements (`element-table.ts`) while one command changes them. Changes of a packed table are put together in
 * memory; the elements of a spread one are written at once, and the metadata by `save`, once.
 *
 * When a change would make the packed form too long the elements are spread, in the same transaction, under a new id. A table that has
 * become empty is deleted.
 *
 * Example, what adding a member to a set is:
 *
 *     const edit = TableEdit.open(view, key, type);
 *     const isNew = edit.add(member);
 *     edit.save();
 */
import type { EngineRange } from '../../engine/engine.ts';
import type { Version } from '../../engine/version.ts';
import { assert, StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { elementKey, elementsWithTag, subOf } from '../../store/collections/collection-keys.ts';
import type { PutOptions, View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { hasLifetime, keepLifetime } from '../lifetime.ts';
import { payVisits, type TableType } from './element-table.ts';
import {
  isPacked,
  ITEMS_START,
  PACKED,
  PACKED_BYTES_MAX,
  PACKED_ELEMENTS_MAX,
  putMetadata,
  readCollection,
  readCount,
  spreadMetadata,
} from './metadata.ts';
import { ItemCursor, sizeOfItem, spliceItems } from './packed-items.ts';
import { putHolder, timedMetadata } from './timed-table.ts';

const EMPTY_ROW: Uint8Array = Uint8Array.of(PACKED);

const NONE: readonly Uint8Array[] = [];

export class TableEdit {
  readonly #view: View;
  readonly #key: Uint8Array;
  readonly #type: TableType;
  readonly #before: Version | undefined;
  /** The packed form; `undefined`: the table is spread. */
  #row: Uint8Array | undefined;
  /** Of a spread table; else 0. */
  #id = 0;
  /** Of a spread table, or once it has been asked for; else -1. */
  #count = -1;
  #isChanged = false;
  /** Whether elements may have a time to live: then the table is spread. */
  #isTimed = false;
  /** Of the keys of a spread table's elements; made when it is needed. */
  #range: EngineRange | undefined;

  private constructor(view: View, key: Uint8Array, type: TableType, before: Version | undefined) {
    this.#view = view;
    this.#key = key;
    this.#type = type;
    this.#before = before;
    if (before === undefined || isPacked(before)) {
      this.#row = before?.value ?? EMPTY_ROW;
      return;
    }
    this.#id = before.collectionId;
    const { count, restStart } = readCount(before);
    this.#count = count;
    this.#isTimed = restStart < before.value.length;
  }

  /** Throws `wrongType`. */
  static open(view: View, key: Uint8Array, type: TableType): TableEdit {
    return new TableEdit(view, key, type, readCollection(view, key, type.kind));
  }

  /** Of a version that was read already. */
  static of(view: View, key: Uint8Array, type: TableType, version: Version): TableEdit {
    return new TableEdit(view, key, type, version);
  }

  /** An empty one that takes the place of what is there, with another lifetime and of any type, once it is saved. */
  static replace(view: View, key: Uint8Array, type: TableType): TableEdit {
    return new TableEdit(view, key, type, undefined);
  }

  /** How many elements there are now; those past their deadline and not removed yet count. Of a timed table it is exact once it is saved. */
  get count(): number {
    if (this.#count < 0) {
      const cursor = new ItemCursor(this.#row ?? EMPTY_ROW, ITEMS_START);
      let items = 0;
      while (cursor.next()) items++;
      this.#count = this.#type.hasValues ? items / 2 : items;
    }
    return this.#count;
  }

  /** The value of an element as it is now; `undefined`: there is none. */
  get(name: Uint8Array): Uint8Array | undefined {
    if (this.#row === undefined) {
      if (name.length > fixed.memberBytesMax) return undefined;
      return this.#view.read(elementKey(this.#id, this.#type.tag, name))?.value;
    }
    const cursor = this.#seek(this.#row, name);
    if (cursor === undefined) return undefined;
    return this.#type.hasValues && cursor.next() ? cursor.item : NO_BYTES;
  }

  /** When an element's time to live is over; 0: never; `undefined`: there is no such element. */
  deadlineOf(name: Uint8Array): number | undefined {
    if (this.#row !== undefined) return this.#seek(this.#row, name) === undefined ? undefined : 0;
    return this.#versionOf(name)?.expireTimeMs;
  }

  /** What an element's next value takes over of the time to live that it has; `undefined`: there is none. */
  lifetimeOf(name: Uint8Array): PutOptions | undefined {
    const version = this.#isTimed ? this.#versionOf(name) : undefined;
    return version !== undefined && hasLifetime(version) ? keepLifetime(version) : undefined;
  }

  /** Gives an element another time to live from now; 0: for ever. @returns whether there is such an element. */
  touch(name: Uint8Array, ttlMs: number): boolean {
    if (this.deadlineOf(name) === undefined) return false;
    this.#beginTimes();
    this.#view.touch(elementKey(this.#id, this.#type.tag, name), ttlMs);
    this.#isChanged = true;
    return true;
  }

  /**
   * Gives an element a value. @param lifetime its time to live, or its deadline; left out: it lives for ever.
   * @returns whether it is new.
   */
  set(name: Uint8Array, value: Uint8Array, lifetime?: PutOptions): boolean {
    this.#checkName(name);
    if (lifetime !== undefined) this.#beginTimes();
    if (this.#row !== undefined) {
      const isNew = this.#setPacked(this.#row, name, value);
      if (isNew !== undefined) return isNew;
      this.#spread(this.#row);
    }
    const key = elementKey(this.#id, this.#type.tag, name);
    const isNew = this.#view.readMeta(key) === undefined;
    this.#view.put(key, value, lifetime);
    if (isNew) this.#count++;
    this.#isChanged = true;
    return isNew;
  }

  /** Adds an element without a value. @returns whether it is new; else nothing has changed. */
  add(name: Uint8Array): boolean {
    this.#checkName(name);
    if (this.#row !== undefined) {
      if (this.#seek(this.#row, name) !== undefined) return false;
      if (this.#append(this.#row, [name])) return true;
      this.#spread(this.#row);
    }
    const key = elementKey(this.#id, this.#type.tag, name);
    if (this.#view.readMeta(key) !== undefined) return false;
    this.#view.put(key, NO_BYTES);
    this.#count++;
    this.#isChanged = true;
    return true;
  }

  /** @returns whether there was such an element. */
  remove(name: Uint8Array): boolean {
    if (this.#row !== undefined) {
      const cursor = this.#seek(this.#row, name);
      if (cursor === undefined) return false;
      const from = cursor.itemStart;
      if (this.#type.hasValues) cursor.next();
      this.#row = spliceItems(this.#row, from, cursor.end, NONE);
      if (this.#count > 0) this.#count--;
    } else {
      if (name.length > fixed.memberBytesMax) return false;
      if (this.#view.delete(elementKey(this.#id, this.#type.tag, name)) === undefined) return false;
      this.#count--;
    }
    this.#isChanged = true;
    return true;
  }

  /** Takes elements of a spread table out by their places, ascending. @returns their names. */
  removeAt(places: Float64Array): Uint8Array[] {
    assert(this.#row === undefined, 'elements that are found by their places have keys of their own');
    this.#range ??= elementsWithTag(this.#id, this.#type.tag);
    const keys = this.#view.deleteElementsAt(this.#range, places);
    this.#count -= keys.length;
    this.#isChanged ||= keys.length > 0;
    return keys.map(subOf);
  }

  /** The name of an element, by its place in the table's order, from 0 on. */
  nameAt(index: number): Uint8Array {
    assert(index >= 0 && index < this.count, 'the index of an element is below their count');
    if (this.#row !== undefined) {
      const cursor = new ItemCursor(this.#row, ITEMS_START);
      const items = this.#type.hasValues ? 2 * index : index;
      for (let item = 0; item <= items; item++) cursor.next();
      return cursor.item;
    }
    this.#range ??= elementsWithTag(this.#id, this.#type.tag);
    const found = this.#view.select(this.#range, index);
    assert(found !== undefined, 'a spread table has as many keys as its metadata counts');
    return subOf(found);
  }

  /** Writes the metadata, if something has changed, or deletes a table without elements. Nothing may be changed after that. */
  save(): void {
    if (!this.#isChanged) return;
    // An element that took the place of one past its deadline was new, and its key was not.
    if (this.#isTimed) this.#count = this.#view.count(elementsWithTag(this.#id, this.#type.tag));
    if (this.isEmpty) this.#view.delete(this.#key);
    else {
      const value = this.#row ?? this.#spreadMetadata();
      putMetadata(this.#view, this.#key, this.#type.kind, value, this.#before, this.#id);
    }
  }

  #spreadMetadata(): Uint8Array {
    return this.#isTimed ? timedMetadata(this.#count) : spreadMetadata(this.#count).value;
  }

  get isEmpty(): boolean {
    return this.#row === undefined ? this.#count === 0 : this.#row.length === ITEMS_START;
  }

  /** @returns `undefined`: it has no room. */
  #setPacked(row: Uint8Array, name: Uint8Array, value: Uint8Array): boolean | undefined {
    const cursor = this.#seek(row, name);
    if (cursor === undefined) return this.#append(row, [name, value]) ? true : undefined;
    cursor.next();
    const { itemStart, end } = cursor;
    if (row.length - (end - itemStart) + sizeOfItem(value) > PACKED_BYTES_MAX) return undefined;
    this.#row = spliceItems(row, itemStart, end, [value]);
    this.#isChanged = true;
    return false;
  }

  /** @returns whether there was room. */
  #append(row: Uint8Array, items: readonly Uint8Array[]): boolean {
    let bytes = row.length;
    for (const item of items) bytes += sizeOfItem(item);
    if (bytes > PACKED_BYTES_MAX || this.count >= PACKED_ELEMENTS_MAX) return false;
    this.#row = spliceItems(row, row.length, row.length, items);
    this.#count++;
    this.#isChanged = true;
    return true;
  }

  #seek(row: Uint8Array, name: Uint8Array): ItemCursor | undefined {
    payVisits(this.#view, 1);
    const cursor = new ItemCursor(row, ITEMS_START);
    const { hasValues } = this.#type;
    let count = 0;
    for (; cursor.next(); count++) {
      if (cursor.isItem(name)) return cursor;
      if (hasValues) cursor.next();
    }
    this.#count = count;
    return undefined;
  }

  #versionOf(name: Uint8Array): Version | undefined {
    if (name.length > fixed.memberBytesMax) return undefined;
    return this.#view.readMeta(elementKey(this.#id, this.#type.tag, name));
  }

  /** From now on elements may have a time to live. */
  #beginTimes(): void {
    if (this.#isTimed) return;
    if (this.#row !== undefined) this.#spread(this.#row);
    putHolder(this.#view, this.#id, this.#key);
    this.#isTimed = this.#isChanged = true;
  }

  /** Gives each element of a row a key of its own. */
  #spread(row: Uint8Array): void {
    const { tag, hasValues } = this.#type;
    this.#count = this.count;
    this.#row = undefined;
    this.#id = this.#view.newCollectionId();
    this.#isChanged = true;
    const cursor = new ItemCursor(row, ITEMS_START);
    while (cursor.next()) {
      const key = elementKey(this.#id, tag, cursor.item);
      this.#view.put(key, hasValues && cursor.next() ? cursor.item : NO_BYTES);
    }
  }

  #checkName({ length }: Uint8Array): void {
    if (length <= fixed.memberBytesMax) return;
    const what = this.#type.hasValues ? 'field' : 'member';
    throw new StoreError(
      'invalidArgument',
      `the ${what} is ${length} bytes long; at most ${fixed.memberBytesMax} are allowed`,
    );
  }
}
