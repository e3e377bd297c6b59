/**
 * Flow control (RFC 9113, sections 5.2 and 6.9). The window of a receiver is what the peer may still send; it is opened again
 * as bytes are consumed, by halves, so that an update is sent for many frames. The window of a sender is a number, since a
 * stream has one from its beginning.
 */
import { WINDOW_MAX } from '../frames/frame.ts';

export class ReceiveWindow {
  #size: number;
  /** What the peer may send. Below zero after the size was lowered. */
  #openBytes: number;
  /** What was consumed and not told to the peer. */
  #consumedBytes = 0;

  constructor(size: number) {
    this.#size = size;
    this.#openBytes = size;
  }

  /** The peer has sent so much. @returns false: it was not allowed to. */
  take(bytes: number): boolean {
    this.#openBytes -= bytes;
    return bytes === 0 || this.#openBytes >= 0;
  }

  /** So much of it was consumed. @returns by how much the window is to be opened now; 0: not yet. */
  consume(bytes: number): number {
    this.#consumedBytes += bytes;
    if (this.#consumedBytes === 0 || this.#consumedBytes < this.#size / 2) return 0;
    const increment = this.#consumedBytes;
    this.#openBytes += increment;
    this.#consumedBytes = 0;
    return increment;
  }

  /** The peer has learned of another size. */
  resize(size: number): void {
    this.#openBytes += size - this.#size;
    this.#size = size;
  }
}

/** The window of a sender after an update. @returns undefined: it would be too large, which is an error of the peer. */
export function widened(window: number, increment: number): number | undefined {
  const sum = window + increment;
  return sum > WINDOW_MAX ? undefined : sum;
}
