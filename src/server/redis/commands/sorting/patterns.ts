/**
 * What `BY` and `GET` of SORT name: for each element the value of a key whose name has the element in place of the first `*`, or
 * of a field of a hash there (`weight_*->field`); `#` is the element itself.
 */
import { StoreError } from '../../../../errors.ts';
import { fixed } from '../../../../limits.ts';
import { budgetSpent } from '../../../../store/views/draft.ts';
import type { ReadView } from '../../../../store/views/view.ts';
import { findElement } from '../../../../types/collections/element-table.ts';
import { toDatabaseKey } from '../../../../types/databases/database-keys.ts';
import { hashType, readHash } from '../../../../types/hash/hash.ts';
import { readString } from '../../../../types/strings/strings.ts';
import type { Arguments } from '../command.ts';

const STAR = 0x2a;
const ARROW = '->';
/** So many values that are not read are written in the time of a visit. */
const VALUES_PER_VISIT = 4;

export class ElementPattern {
  /** Whether it is `#`. */
  readonly isElement: boolean;
  /** Whether it has no `*`, so that it names nothing. */
  readonly isFixed: boolean;
  readonly #database: number;
  readonly #prefix: Uint8Array;
  readonly #postfix: Uint8Array;
  readonly #field: Uint8Array | undefined;

  constructor(args: Arguments, index: number, database: number) {
    const bytes = Buffer.from(args.bytes(index));
    this.#database = database;
    this.isElement = bytes.length === 1 && bytes[0] === 0x23;
    const star = bytes.indexOf(STAR);
    this.isFixed = star < 0;
    const arrow = bytes.indexOf(ARROW, star + 1);
    const hasField = arrow >= 0 && arrow + ARROW.length < bytes.length;
    this.#prefix = bytes.subarray(0, Math.max(0, star));
    this.#postfix = bytes.subarray(star + 1, hasField ? arrow : bytes.length);
    this.#field = hasField ? bytes.subarray(arrow + ARROW.length) : undefined;
  }

  /** `undefined`: there is nothing, or something of another type. Throws `limitReached`. */
  valueOf(view: ReadView, element: Uint8Array): Uint8Array | undefined {
    if (this.isElement || this.isFixed) {
      // It reads nothing, and there may be many patterns for each element.
      view.budget.spendVisits(1 / VALUES_PER_VISIT);
      if (view.budget.isSpent) throw budgetSpent(view.budget);
      return this.isElement ? element : undefined;
    }
    const length = this.#prefix.length + element.length + this.#postfix.length;
    if (length === 0 || length > fixed.keyBytesMax) return undefined;
    const name = new Uint8Array(length);
    name.set(this.#prefix);
    name.set(element, this.#prefix.length);
    name.set(this.#postfix, this.#prefix.length + element.length);
    const key = toDatabaseKey(this.#database, name);
    try {
      if (this.#field === undefined) return readString(view, key)?.value;
      const hash = readHash(view, key);
      return hash && findElement(view, hash, hashType, this.#field);
    } catch (error) {
      if (error instanceof StoreError && error.code === 'wrongType') return undefined;
      throw error;
    }
  }
}
