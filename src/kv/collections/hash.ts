/** Operations on hashes, and reads of them. */
import { bytesOf } from '../../arguments/value.ts';
import { StoreError } from '../../errors.ts';
import { encodeKey } from '../../store/views/keys.ts';
import type { View } from '../../store/views/view.ts';
import { changeField, editHash, incrementField } from '../../types/hash/hash.ts';
import {
  addLongDoubles,
  formatLongDouble,
  LONG_DOUBLE_ZERO,
  type LongDouble,
  parseLongDouble,
} from '../../types/strings/long-double.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { checkSome, creating, type Preparers, someBytes } from './prepared.ts';

export const hashPreparers: Preparers<'hashSet' | 'hashDelete' | 'hashIncrement'> = {
  hashSet({ key: named, fields, onlyIfAbsent = false, ttlMs }) {
    const key = encodeKey(named);
    checkSome('fields', fields);
    const given = fields.map(({ name, value }) => ({ name: bytesOf(name), value: bytesOf(value) }));
    return (view) =>
      creating(view, key, ttlMs, () => {
        const edit = editHash(view, key);
        // Of several with one name the last one counts, also where none may be there before.
        const written = onlyIfAbsent ? given.filter(({ name }) => edit.get(name) === undefined) : given;
        let addedCount = 0;
        for (const { name, value } of written) if (edit.set(name, value)) addedCount++;
        edit.save();
        return { addedCount, count: edit.count };
      });
  },

  hashDelete({ key: named, names }) {
    const key = encodeKey(named);
    const given = someBytes('names', names);
    return (view) => {
      const edit = editHash(view, key);
      let deletedCount = 0;
      for (const name of given) if (edit.remove(name)) deletedCount++;
      edit.save();
      return { deletedCount, count: edit.count };
    };
  },

  hashIncrement({ key: named, name, delta, floatDelta, ttlMs }) {
    const key = encodeKey(named);
    const field = bytesOf(name);
    if ((delta === undefined) === (floatDelta === undefined))
      throw new StoreError('invalidArgument', 'either delta or floatDelta is added, and exactly one of them');
    if (delta !== undefined) {
      return (view) =>
        creating(view, key, ttlMs, () => ({
          value: Buffer.from(incrementField(view, key, field, BigInt(delta)).toString(), 'latin1'),
        }));
    }
    const added = parseLongDouble(Buffer.from(String(floatDelta), 'latin1'));
    if (added === undefined || added.infinity !== 0)
      throw new StoreError('invalidArgument', 'floatDelta must be a finite number');
    return (view) => creating(view, key, ttlMs, () => ({ value: addToField(view, key, field, added) }));
  },
};

/** Throws `notAFloat`, `notANumber`. @returns the sum as text. */
function addToField(view: View, key: Uint8Array, field: Uint8Array, added: LongDouble): Uint8Array {
  let text: Uint8Array = NO_BYTES;
  changeField(view, key, field, (value) => {
    const before = value === undefined ? LONG_DOUBLE_ZERO : parseLongDouble(value);
    if (before === undefined)
      throw new StoreError('notAFloat', 'the value of the field is not the decimal text of a number');
    const sum = addLongDoubles(before, added);
    if (sum === undefined || sum.infinity !== 0)
      throw new StoreError('notANumber', 'the sum is not a finite number');
    return (text = Buffer.from(formatLongDouble(sum), 'latin1'));
  });
  return text;
}
