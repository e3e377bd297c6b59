/** Where an export goes, piece by piece: each is taken before the next one is made. */
import type { Writable } from 'node:stream';

/** Resolves when the piece is taken, and its bytes are the caller's again. */
export type Sink = (piece: Uint8Array) => Promise<void>;

/** Runs work that writes to a stream, which it leaves open. */
export async function whileWritingTo<Result>(
  stream: Writable,
  work: (sink: Sink) => Promise<Result>,
): Promise<Result> {
  // The callback of the write tells; without a listener the event would end the process.
  const ignore = (): void => undefined;
  stream.on('error', ignore);
  try {
    return await work(
      (piece) =>
        new Promise((resolve, reject) => {
          stream.write(piece, (error) => (error ? reject(error) : resolve()));
        }),
    );
  } finally {
    // The event of a write that failed comes behind its callback.
    setImmediate(() => stream.off('error', ignore));
  }
}
