/** Where an export goes, piece by piece: each is taken before the next one is made. */
import type { Writable } from 'node:stream';

/** Resolves when the piece is taken, and its bytes are the caller's again. */
export type Sink = (piece: Uint8Array) => Promise<void>;

/**
 * Runs work that writes to a stream, which it leaves open. A write ends with the signal, whose reason it rejects with, and with
 * the stream: the callback of a write never comes once the stream is destroyed under it, or has a reader that reads no more.
 */
export async function whileWritingTo<Result>(
  stream: Writable,
  signal: AbortSignal | undefined,
  work: (sink: Sink) => Promise<Result>,
): Promise<Result> {
  /** Of the write under way. */
  let end: (reason: unknown) => void = () => undefined;
  // Without a listener the event would end the process.
  const onError = (error: Error): void => end(error);
  const onClose = (): void => end(new Error('the stream was closed before it had taken everything'));
  const onAbort = (): void => end(signal?.reason);
  stream.on('error', onError).on('close', onClose);
  signal?.addEventListener('abort', onAbort);
  try {
    return await work(
      (piece) =>
        new Promise((resolve, reject) => {
          end = reject;
          stream.write(piece, (error) => (error ? reject(error) : resolve()));
        }),
    );
  } finally {
    stream.off('close', onClose);
    signal?.removeEventListener('abort', onAbort);
    // The event of a write that failed comes behind its callback.
    setImmediate(() => stream.off('error', onError));
  }
}
