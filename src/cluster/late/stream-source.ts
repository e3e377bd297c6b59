/** The bytes of a snapshot that come from another node, piece by piece, as what a reader of snapshots reads. */
import type { SnapshotSource } from '../../snapshot/section-reader.ts';
import { assert } from '../../errors.ts';

export class StreamSource implements SnapshotSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();
  #position = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    assert(position === this.#position, 'a stream is read from its beginning to its end');
    let count = 0;
    while (count < buffer.length) {
      if (this.#piece.length === 0) {
        const next = await this.#pieces.next();
        if (next.done === true) break;
        this.#piece = next.value;
        continue;
      }
      const taken = this.#piece.subarray(0, buffer.length - count);
      buffer.set(taken, count);
      this.#piece = this.#piece.subarray(taken.length);
      count += taken.length;
    }
    this.#position += count;
    return count;
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}
