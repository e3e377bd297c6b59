/**
 * Copies of values until the calls of a turn have run, since callers may use their buffers again at once. Short ones go to
 * memory that is used for one turn after the other.
 */
import type { Value } from '../../api.ts';
import { bytesOf } from '../../arguments/value.ts';
import { fixed } from '../../limits.ts';

const SLOT_BYTES = 512;

export class KeptValues {
  readonly #slots: Slot[] = [];
  #used = 0;

  /** A value that stays as it is until `release`. */
  keep(value: Value): Uint8Array {
    const bytes = bytesOf(value);
    if (typeof value === 'string') return bytes;
    if (bytes.length > SLOT_BYTES || this.#used === fixed.turnCallsMax) return Buffer.from(bytes);
    const slot = (this.#slots[this.#used++] ??= new Slot());
    return slot.take(bytes);
  }

  /** What was kept is needed no more. */
  release(): void {
    this.#used = 0;
  }
}

class Slot {
  readonly #bytes = new Uint8Array(SLOT_BYTES);
  /** Of the length that was needed last, since values are often alike. */
  #view = this.#bytes;

  take(bytes: Uint8Array): Uint8Array {
    this.#bytes.set(bytes);
    if (this.#view.length !== bytes.length) this.#view = this.#bytes.subarray(0, bytes.length);
    return this.#view;
  }
}
