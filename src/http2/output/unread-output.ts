/**
 * The memory that all connections of the process hold for output which their peers do not read, or not yet: one sum with a
 * ceiling. What would be beyond it is made room for at once, by cutting connections: the one first whose socket has taken
 * nothing for longest. Whether a peer was answered long ago or is asked to wait makes no difference.
 */
import { http2 } from '../../limits.ts';

export interface OutputHolder {
  /** Drops what it holds, which is over by the time that this returns. It may be within a call that makes it hold more. */
  cut(): void;
}

class UnreadOutput {
  #bytes = 0;
  /** Those that hold something, in the order in which their sockets last took some of it. */
  readonly #bytesByHolder = new Map<OutputHolder, number>();

  /** What one connection may leave unsent before bodies wait in their streams and nothing more is read from its peer. */
  get connectionBytesMax(): number {
    if (this.#bytes < http2.ampleUnsentBytesOfAll) return http2.unsentBytesMax;
    return this.#bytes < http2.scarceUnsentBytesOfAll ? http2.outputBytes : 1;
  }

  /** A holder has so much more. */
  hold(holder: OutputHolder, bytes: number): void {
    this.#bytes += bytes;
    this.#bytesByHolder.set(holder, (this.#bytesByHolder.get(holder) ?? 0) + bytes);
    while (this.#bytes > http2.unsentBytesOfAllMax) this.#cutLongestStalled();
  }

  /** The socket of a holder has taken so much, or it was moved to less memory. */
  release(holder: OutputHolder, bytes: number, isTaken: boolean): void {
    const heldBytes = this.#bytesByHolder.get(holder);
    if (heldBytes === undefined) return;
    this.#bytes -= bytes;
    // To the end of the order.
    if (isTaken || bytes === heldBytes) this.#bytesByHolder.delete(holder);
    if (bytes < heldBytes) this.#bytesByHolder.set(holder, heldBytes - bytes);
  }

  /** It holds nothing more. */
  releaseAll(holder: OutputHolder): void {
    this.#bytes -= this.#bytesByHolder.get(holder) ?? 0;
    this.#bytesByHolder.delete(holder);
  }

  #cutLongestStalled(): void {
    for (const holder of this.#bytesByHolder.keys()) {
      this.releaseAll(holder);
      holder.cut();
      return;
    }
  }
}

export const unreadOutput = new UnreadOutput();
