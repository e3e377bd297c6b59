/** What goes wrong between a follower and its writer, as the caller is told. */
import { StoreError } from '../../errors.ts';

/** The call is for a writer that is not known, or has not got the call: nothing was changed. */
export function noWriterError(why: string, writerAddress: string): StoreError {
  return new StoreError('notWriter', `${why}; nothing was changed: try again`, { writerAddress });
}

/** Nothing came back of a call that the writer may have got. @param isRead it could not change anything. */
export function lostCallError(writerAddress: string, why: string, isRead: boolean): StoreError {
  if (isRead) return noWriterError(`the connection to the writer at ${writerAddress} was lost: ${why}`, '');
  return new StoreError(
    'storageFailed',
    `the connection to the writer at ${writerAddress} was lost while the call was under way (${why}): it may have taken effect, or not`,
  );
}

/** Another node has become the writer while the call waited for an answer of the one before, which may stand still. */
export function overtakenCallError(oldAddress: string, writerAddress: string, isRead: boolean): StoreError {
  const why = `the writer at ${oldAddress} did not answer, and the node at ${writerAddress} has taken over`;
  if (isRead) return noWriterError(why, writerAddress);
  return new StoreError(
    'storageFailed',
    `${why} while the call was under way: it may have taken effect, or not`,
  );
}

/** A call that was passed on has met a node that is no writer, either: the cluster is between two of them. */
export function forwardedTwiceError(writerAddress: string): StoreError {
  return noWriterError(
    'the call was passed on to this node, which is not the writer any more',
    writerAddress,
  );
}
