/** The bytes of one body that wait to be sent, as the pieces in which they came. */

export class BodyQueue {
  byteLength = 0;
  #pieces: Uint8Array[] = [];
  /** The piece that comes next, and what of it is gone. */
  #next = 0;
  #goneBytes = 0;

  push(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.byteLength += bytes.length;
  }

  /** Moves the next `count` bytes, which there must be, to `target` from `at` on. */
  move(count: number, target: Buffer, at: number): void {
    this.byteLength -= count;
    const end = at + count;
    let to = at;
    while (to < end) {
      const piece = this.#pieces[this.#next]!;
      const part = Math.min(piece.length - this.#goneBytes, end - to);
      target.set(piece.subarray(this.#goneBytes, this.#goneBytes + part), to);
      to += part;
      this.#goneBytes += part;
      if (this.#goneBytes === piece.length) this.#dropPiece();
    }
  }

  #dropPiece(): void {
    this.#goneBytes = 0;
    this.#next++;
    if (this.#next < this.#pieces.length / 2) return;
    this.#pieces = this.#pieces.slice(this.#next);
    this.#next = 0;
  }
}
