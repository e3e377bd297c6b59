/**
 * What stands behind the calls on collections: a store in process, or a connection to a server. The calls themselves, their
 * options and what they hand out are the same code for both, so that a program written for one runs with the other.
 *
 * The arguments have been checked by then. Whatever is given to a door is read before its call returns: the caller may use its
 * buffers again as soon as it has the promise. Errors are those of the face: a `StoreError`, or a `KelpError` with the same code.
 */
import type { CollectionAnswers, CollectionArguments, CollectionKind } from '../api-collections.ts';
import type { CollectionCallChecks } from '../arguments/collection-calls.ts';
import type { Held } from '../paged-list.ts';
import type { CollectionReadAnswer, CollectionReadKind, CollectionReads } from './reads.ts';

/**
 * @typeParam Beside the options that every call takes besides its own.
 * @typeParam BesideReads those of reads.
 */
export interface CollectionDoor<Beside extends object, BesideReads extends Beside = Beside> {
  /** The checks of what the calls take as options. */
  readonly checks: CollectionCallChecks;
  /** @param wrong what a check has found. @returns the error `invalidArgument`. */
  invalidArgument(wrong: string): Error;
  /** Makes a change. Those that only tell something, such as a combination without a destination, are reads of the newest state. */
  change<Kind extends CollectionKind>(
    kind: Kind,
    given: CollectionArguments[Kind],
    options: Beside,
  ): Promise<CollectionAnswers[Kind] & { readonly revision: number }>;
  /** The options for the next part of a read whose parts so far showed a revision; 0: there were none. */
  goingOn(options: BesideReads, shownAt: number): BesideReads;
  /**
   * Keeps a revision (0: the visible one) and what comes after it readable for a read of several parts: history does not move past it, as a checkpoint
   * makes it do, for as long as a long reply may hold it back. `undefined`: nothing is kept, and what the parts find is for them to tell.
   */
  hold(revision: number): Held | undefined;
  read<Kind extends CollectionReadKind>(
    kind: Kind,
    asked: CollectionReads[Kind],
    options: BesideReads,
  ): Promise<CollectionReadAnswer<Kind>>;
}
