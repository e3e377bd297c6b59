/**
 * Times to live of a hash's fields: what HEXPIRE, HPERSIST and HTTL do. A deadline is in milliseconds since 1970-01-01 UTC.
 * `collections/timed-table.ts` says where it lies and who removes a field.
 */
import type { Version } from '../../engine/version.ts';
import type { ReadView } from '../../store/views/view.ts';
import { deadlineOfElement } from '../collections/element-table.ts';
import type { TableEdit } from '../collections/table-edit.ts';
import { ttlUntil } from '../deadlines.ts';
import { type DeadlineCondition, isMet } from '../keys/expiry.ts';
import { hashType } from './hash.ts';

/** `noField`: there is none. `unchanged`: the condition does not hold. `deleted`: the deadline has passed. */
export type FieldOutcome = 'noField' | 'unchanged' | 'set' | 'deleted';

/** Sets a field's deadline; with one that has passed the field is removed. @param instantMs of the view. */
export function setFieldDeadline(
  edit: TableEdit,
  field: Uint8Array,
  deadlineMs: number,
  instantMs: number,
  condition: DeadlineCondition = {},
): FieldOutcome {
  const currentMs = edit.deadlineOf(field);
  if (currentMs === undefined) return 'noField';
  if (!isMet(condition, currentMs, deadlineMs)) return 'unchanged';
  const ttlMs = ttlUntil(deadlineMs, instantMs);
  if (ttlMs > 0) {
    edit.touch(field, ttlMs);
    return 'set';
  }
  edit.remove(field);
  return 'deleted';
}

/** Takes a field's deadline away. @returns `unchanged`: it had none. */
export function removeFieldDeadline(edit: TableEdit, field: Uint8Array): Exclude<FieldOutcome, 'deleted'> {
  const currentMs = edit.deadlineOf(field);
  if (currentMs === undefined) return 'noField';
  if (currentMs === 0) return 'unchanged';
  edit.touch(field, 0);
  return 'set';
}

/** A field's deadline; 0: it has none; `undefined`: there is no such field. */
export function deadlineOfField(
  view: ReadView,
  hash: Version | undefined,
  field: Uint8Array,
): number | undefined {
  return hash && deadlineOfElement(view, hash, hashType, field);
}
