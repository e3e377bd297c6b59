/** Calls that give a field of a hash a value, or add a member to a set, and go through the store together (`spread-calls.ts`). */
import type { PlacedChange } from '../../engine/version.ts';
import type { ElementChanges } from '../../store/collections/element-calls.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import type { TableType } from './element-table.ts';
import { SpreadCalls } from './spread-calls.ts';

export class TableCalls extends SpreadCalls {
  readonly #hasValues: boolean;
  readonly #values: Uint8Array[] = [];

  /** @param callsMax that go together. */
  constructor({ kind, tag, hasValues }: TableType, callsMax: number) {
    super(kind, tag, callsMax);
    this.#hasValues = hasValues;
  }

  /** @param element as `nextPlace` has given it. @param value of a member: nothing. It stays as it is until the call is done. */
  add(element: Uint8Array, value: Uint8Array): void {
    this.#values[this.length] = value;
    this.addElement(element, element.length + value.length);
  }

  override decide(index: number, found: PlacedChange | undefined, changes: ElementChanges): void {
    const isNew = found === undefined;
    if (isNew || this.#hasValues)
      changes.put(this.elements[index] ?? NO_BYTES, this.#values[index] ?? NO_BYTES);
    this.note(index, isNew, changes);
  }
}
