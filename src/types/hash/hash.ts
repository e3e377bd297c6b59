/**
 * Hashes: fields with values, as a table of named elements (`collections/element-table.ts` says how they lie).
 *
 *     key → metadata, kind 1
 *     FA id 'f' field → value      of a spread one
 *
 * Fields may have a time to live: `field-deadlines.ts`, `collections/timed-table.ts`.
 */
import type { Version } from '../../engine/version.ts';
import { StoreError } from '../../errors.ts';
import { tags } from '../../store/collections/collection-keys.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import type { TableType } from '../collections/element-table.ts';
import { readCollection } from '../collections/metadata.ts';
import { TableEdit } from '../collections/table-edit.ts';
import { kinds } from '../../store/collections/kinds.ts';

export const hashType: TableType = { kind: kinds.hash, tag: tags.field, hasValues: true };

/** `undefined`: there is no such hash. Throws `wrongType`. */
export function readHash(view: ReadView, key: Uint8Array): Version | undefined {
  return readCollection(view, key, kinds.hash);
}

/** Throws `wrongType`. */
export function editHash(view: View, key: Uint8Array): TableEdit {
  return TableEdit.open(view, key, hashType);
}

/**
 * Gives a field the value that a function makes of its present one; it keeps its time to live.
 * @param change is given `undefined` for a field that is not there; what it throws stands against the change.
 */
export function changeField(
  view: View,
  key: Uint8Array,
  field: Uint8Array,
  change: (value: Uint8Array | undefined) => Uint8Array,
): void {
  const edit = editHash(view, key);
  edit.set(field, change(edit.get(field)), edit.lifetimeOf(field));
  edit.save();
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** As Redis prints it, and nothing else. */
const DECIMAL = /^(?:0|-?[1-9]\d{0,18})$/;

/** Adds to a field, which begins at 0. Throws `notAnInteger`, `integerOverflow`. @returns the sum. */
export function incrementField(view: View, key: Uint8Array, field: Uint8Array, delta: bigint): bigint {
  let sum = delta;
  changeField(view, key, field, (value) => {
    sum += value === undefined ? 0n : parseInteger(value);
    if (sum < INT64_MIN || sum > INT64_MAX) {
      throw new StoreError('integerOverflow', 'the sum does not fit into a signed 64-bit integer');
    }
    return Buffer.from(sum.toString(), 'latin1');
  });
  return sum;
}

function parseInteger(value: Uint8Array): bigint {
  const text = value.length <= 20 ? Buffer.from(value).toString('latin1') : '';
  const number = DECIMAL.test(text) ? BigInt(text) : undefined;
  if (number === undefined || number < INT64_MIN || number > INT64_MAX) {
    throw new StoreError(
      'notAnInteger',
      'the value of the field is not the decimal text of a signed 64-bit integer',
    );
  }
  return number;
}
