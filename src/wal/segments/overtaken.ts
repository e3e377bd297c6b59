/** How a journal ends whose node is the writer of its cluster no more, and what writes get there. */
import { StoreError } from '../../errors.ts';

/** Another node writes now: what was committed and is not stored in the shared log by then may be there, or not. */
export class OvertakenError extends Error {
  /** '': it is not known. */
  readonly writerAddress: string;

  constructor(writerAddress: string, message?: string) {
    const other = writerAddress === '' ? 'another node' : `the node at ${writerAddress}`;
    super(message ?? `${other} writes now`);
    this.writerAddress = writerAddress;
  }
}

/** The node gives up its role, so that another one writes, since its own disk takes nothing. */
export class DiskStalledError extends OvertakenError {
  readonly stalledMs: number;

  constructor(stalledMs: number) {
    super('', `the disk of this node has taken nothing for ${stalledMs} ms, so another node is to write`);
    this.stalledMs = stalledMs;
  }
}

/**
 * A write is refused since another node writes: it did not happen.
 * @param writer as the shared log tells it; '': it is not known. What is beyond the first comma is not for clients of this door.
 */
export function notWriterError(writer: string): StoreError<'notWriter'> {
  const [writerAddress = ''] = writer.split(',');
  const where =
    writerAddress === ''
      ? 'no node writes now; try again in a moment'
      : `the node at ${writerAddress} does; send it there, or try again`;
  return new StoreError('notWriter', `this node does not write: ${where}. This call has changed nothing`, {
    writerAddress,
  });
}
