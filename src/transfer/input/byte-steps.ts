/** Bytes that come in pieces of any length, taken in steps of the length that their reader wants. */
import type { SnapshotSource } from '../../snapshot/section-reader.ts';
import { untilAborted } from '../../until-aborted.ts';

/** What `importFrom` reads: a stream of Node, or any other iteration of bytes or text. */
export type InputPieces = AsyncIterable<Uint8Array | string>;

export class ByteSteps implements SnapshotSource {
  bytesRead = 0;
  readonly #signal: AbortSignal | undefined;
  readonly #source: AsyncIterator<Uint8Array | string>;
  /** The source, until the signal is aborted. */
  readonly #pieces: AsyncIterator<Uint8Array | string>;
  #rest: Uint8Array = new Uint8Array(0);

  /** @param signal aborting it makes the reads reject with its reason, also one that waits for a piece. */
  constructor(pieces: InputPieces, signal?: AbortSignal) {
    this.#source = pieces[Symbol.asyncIterator]();
    const source: InputPieces = { [Symbol.asyncIterator]: () => this.#source };
    this.#pieces = signal === undefined ? this.#source : untilAborted(source, signal);
    this.#signal = signal;
  }

  /** Whether the first bytes are these; they are read again all the same. */
  async beginWith(bytes: Uint8Array): Promise<boolean> {
    while (this.#rest.length < bytes.length) {
      const piece = await this.#nextPiece();
      if (piece === undefined) return false;
      this.#rest = Buffer.concat([this.#rest, piece]);
    }
    return Buffer.from(bytes).equals(this.#rest.subarray(0, bytes.length));
  }

  /** The next bytes, `bytesMax` at most, which are to be read before the next call; `undefined` at the end. */
  async next(bytesMax: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const piece = await this.#nextPiece();
      if (piece === undefined) return undefined;
      this.#rest = piece;
    }
    const step = this.#rest.subarray(0, bytesMax);
    this.#rest = this.#rest.subarray(step.length);
    this.bytesRead += step.length;
    return step;
  }

  /** Reads on from where the last read has ended. */
  async read(buffer: Uint8Array): Promise<number> {
    let length = 0;
    while (length < buffer.length) {
      const step = await this.next(buffer.length - length);
      if (step === undefined) break;
      buffer.set(step, length);
      length += step.length;
    }
    return length;
  }

  /** Nothing more is read. */
  async close(): Promise<void> {
    if (this.#signal !== undefined) await this.#pieces.return?.();
    const ended = this.#source.return?.();
    // One that was broken off may wait for a piece that never comes.
    if (this.#signal?.aborted) ended?.catch(() => undefined);
    else await ended;
  }

  async #nextPiece(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#pieces.next();
    if (done === true) return undefined;
    return typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  }
}
