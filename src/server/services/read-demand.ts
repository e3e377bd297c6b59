/**
 * How new a read must be, as each request says it that reads: its fields `consistency` and `min_revision`. A store that is alone
 * meets all that can be asked for, at once: it has every revision that it told anyone of.
 */
import { Consistency } from '../../../gen/kelp/v1/types_codec.ts';
import { StoreError } from '../../errors.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { wholeNumber } from './request-fields.ts';

/** The fields of such a request. */
export interface ReadDemand {
  readonly consistency: number;
  readonly minRevision: number;
}

/** The revisions that can be read. */
export type ReadableRevisions = Pick<KvStore, 'visibleRevision' | 'oldestRevision'>;

/** Throws `invalidArgument`, and `revisionFuture` for a revision that no reply of the store can have named. */
export function checkReadDemand(store: ReadableRevisions, demand: ReadDemand): void {
  const { consistency, minRevision } = demand;
  // Most are plain.
  if (consistency === Consistency.UNSPECIFIED && minRevision === 0) return;
  checkConsistency(consistency);
  checkMinRevision(store, wholeNumber('min_revision', minRevision));
}

/** Throws `revisionFuture`. */
export function checkMinRevision(store: ReadableRevisions, minRevision: number): void {
  const { visibleRevision: newestRevision } = store;
  if (minRevision <= newestRevision) return;
  throw new StoreError(
    'revisionFuture',
    `min_revision is ${minRevision}, which has not been reached; the newest is ${newestRevision}`,
    { requestedRevision: minRevision, oldestRevision: store.oldestRevision, newestRevision },
  );
}

function checkConsistency(consistency: number): void {
  switch (consistency) {
    case Consistency.UNSPECIFIED:
    case Consistency.LINEARIZABLE:
    case Consistency.LOCAL:
      return;
    default:
      throw new StoreError(
        'invalidArgument',
        `consistency is ${consistency}, which is not known; it must be CONSISTENCY_LINEARIZABLE or CONSISTENCY_LOCAL`,
      );
  }
}
