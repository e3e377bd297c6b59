/** Places in a store's history, as clients name them: what goes on from one is refused where the history is another one. */
import { StoreError } from '../../errors.ts';
import type { Incarnations } from './incarnations.ts';

/** A revision, and the incarnation that is said to have written it; '': that is not said. */
export interface Place {
  readonly revision: number;
  readonly incarnation: string;
}

/** The history that there is. */
export interface Present {
  readonly incarnations: Incarnations;
  /** That is visible. */
  readonly newestRevision: number;
}

/**
 * Other changes than those that were seen would be taken for what comes before a place. All histories of a store begin
 * alike: revision 0 is in all of them.
 * @param what goes on from there.
 */
export function checkPlace(
  what: string,
  { revision, incarnation }: Place,
  { incarnations, newestRevision }: Present,
): void {
  if (incarnation === '' || revision === 0) return;
  const details = incarnations.differenceFrom(revision, incarnation, newestRevision);
  if (details === undefined) return;
  const { sharedRevision } = details;
  const here =
    revision > newestRevision
      ? `the newest revision here is ${newestRevision}`
      : `here ${details.incarnation || 'an older incarnation, which is not known any more,'} wrote it`;
  const shared = sharedRevision === 0 ? '' : ` Up to revision ${sharedRevision} both histories are the same.`;
  throw new StoreError(
    'historyDiffers',
    `${what} goes on behind revision ${revision} of incarnation ${incarnation}, but ${here}: the store's files were put back from a copy, or writes that were not flushed were lost.${shared} Read the present state and go on from there`,
    details,
  );
}

/** An incarnation of a request; left out gives ''. */
export function checkIncarnation(incarnation = ''): string {
  if (incarnation === '' || /^[0-9a-f]{32}$/.test(incarnation)) return incarnation;
  throw new StoreError('invalidArgument', 'incarnation is none of a store: 32 hexadecimal digits');
}
