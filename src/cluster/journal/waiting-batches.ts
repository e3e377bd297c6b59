/**
 * What a writer has committed and has not given to the shared log yet: batches, the oldest first, each no longer than one of the
 * shared log may be. Records join the newest one; a record that finds no room there begins the next.
 */
import { sharedLog as limits } from '../../limits.ts';
import { Fifo } from '../../store/fifo.ts';
import { Batch } from '../../wal/frames/batch.ts';

/** Buffers of batches that are kept to be used again. */
const SPARES_MAX = 2;

export class WaitingBatches {
  /** Gathers records; it may be empty. */
  #newest = new Batch();
  /** Full, or given up to the shared log before it was. */
  readonly #sealed = new Fifo<Batch>();
  readonly #spares: Batch[] = [];
  /** Of all that wait. */
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether one of them takes nothing more. */
  get hasSealed(): boolean {
    return this.#sealed.length > 0;
  }

  /** Where records are reserved. Another one after each `room`. */
  get buffer(): Buffer {
    return this.#newest.buffer;
  }

  /** The batch with room for so many bytes more: no more than one may have. */
  room(byteCount: number): Batch {
    if (!this.#newest.isEmpty && this.#newest.payloadBytes + byteCount > limits.batchBytesMax) {
      this.#sealed.push(this.#newest);
      this.#newest = this.#spares.pop() ?? new Batch();
    }
    return this.#newest;
  }

  /** What was reserved last joins. */
  commit(sequence: number, revision: number): number {
    return this.#joined(() => this.#newest.commit(sequence, revision));
  }

  commitRow(sequence: number, revision: number, end: number): number {
    return this.#joined(() => this.#newest.commitRow(sequence, revision, end));
  }

  /** Takes the oldest; `undefined`: none waits. It is to be given back. */
  take(): Batch | undefined {
    let batch = this.#sealed.shift();
    if (batch === undefined) {
      if (this.#newest.isEmpty) return undefined;
      batch = this.#newest;
      this.#newest = this.#spares.pop() ?? new Batch();
    }
    this.#bytes -= batch.payloadBytes;
    return batch;
  }

  /** Its bytes are needed no more. */
  giveBack(batch: Batch): void {
    if (this.#spares.length >= SPARES_MAX) return;
    batch.clear();
    this.#spares.push(batch);
  }

  /** @returns by how many bytes. */
  #joined(join: () => void): number {
    const bytesBefore = this.#newest.payloadBytes;
    join();
    const joinedBytes = this.#newest.payloadBytes - bytesBefore;
    this.#bytes += joinedBytes;
    return joinedBytes;
  }
}
