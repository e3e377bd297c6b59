/** How many bytes the shared log holds, as far as a node knows: those of the batches that it has read or written since its start, up to its bound. */
import { Fifo } from '../store/fifo.ts';

/** Positions that are counted together. */
const GROUP = 64;

interface Group {
  /** Of its last record. */
  position: number;
  bytes: number;
  count: number;
}

export class StoredBytes {
  readonly #bytesMax: number;
  readonly #groups = new Fifo<Group>();
  #bytes = 0;

  /** @param bytesMax what the log may hold. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** One came behind those that are known. */
  add(position: number, bytes: number): void {
    this.#bytes += bytes;
    const last = this.#groups.last();
    if (last === undefined || last.count === GROUP) this.#groups.push({ position, bytes, count: 1 });
    else {
      last.position = position;
      last.bytes += bytes;
      last.count++;
    }
  }

  /** Of a node that follows, which is not told what is trimmed: of more than the log may hold, the oldest have gone. */
  leaveOutBeyond(): void {
    for (
      let first = this.#groups.peek();
      first !== undefined && this.#bytes - first.bytes >= this.#bytesMax;
    ) {
      this.#groups.shift();
      this.#bytes -= first.bytes;
      first = this.#groups.peek();
    }
  }

  /** Those before a position are gone. A group counts until all of it is. */
  trimmed(before: number): void {
    for (let first = this.#groups.peek(); first !== undefined && first.position < before;) {
      this.#groups.shift();
      this.#bytes -= first.bytes;
      first = this.#groups.peek();
    }
  }
}
