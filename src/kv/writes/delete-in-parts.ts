/**
 * Deletes of a range in parts, each a transaction of its own: what one part does, and what came of those so far.
 *
 * A part takes so few keys that it holds nothing else up; the next one goes on where it ended, so that what is written behind
 * stays.
 */
import type { DeleteRangeResult } from '../../api.ts';
import type { EngineRange } from '../../engine/engine.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { DeletedEntries, View } from '../../store/views/view.ts';

const PART_LIMITS = { keysMax: fixed.deletePartKeysMax, bytesMax: fixed.deletePartBytesMax };

interface DeletedPart extends DeletedEntries {
  readonly revision: number;
}

export function deletePart(view: View, range: EngineRange): DeletedPart {
  // Keys past their deadline are looked at and not deleted, however many they are.
  view.budget.begin(fixed.pageVisitsMax);
  const deleted = view.deleteRange(range, PART_LIMITS);
  return { ...deleted, revision: view.replyRevision };
}

/** The parts so far with one more. One that deleted nothing counts only while none has. */
export function withPart(done: DeleteRangeResult, { count, revision }: DeletedPart): DeleteRangeResult {
  const isFirst = done.deletedCount === 0;
  return {
    firstRevision: isFirst ? revision : done.firstRevision,
    revision: isFirst || count > 0 ? revision : done.revision,
    deletedCount: done.deletedCount + count,
  };
}

/** @param reason why there is no next part. */
export function partlyDeleted(done: DeleteRangeResult, reason: unknown): StoreError<'partlyDeleted'> {
  const { firstRevision, revision, deletedCount } = done;
  const what = `${deletedCount} keys were deleted in revisions ${firstRevision} to ${revision} before the delete ended early`;
  const why = reason instanceof Error ? reason.message : String(reason);
  return new StoreError(
    'partlyDeleted',
    `${what}: ${why}`,
    { firstRevision, revision, deletedCount },
    { cause: reason },
  );
}
