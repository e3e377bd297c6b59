/**
 * The last streams that were reset from here: what the peer had sent on them before it learned of that is dropped without a
 * word (RFC 9113, section 5.1, "closed").
 */
import { http2 } from '../../limits.ts';

export class RecentResets {
  /** A ring, made with the first one. */
  #ids: Uint32Array | undefined;
  #next = 0;

  add(streamId: number): void {
    this.#ids ??= new Uint32Array(http2.resetsRemembered);
    this.#ids[this.#next] = streamId;
    this.#next = (this.#next + 1) % http2.resetsRemembered;
  }

  has(streamId: number): boolean {
    return this.#ids?.includes(streamId) ?? false;
  }
}
