/**
 * The messages that groups of watches share, all together: bounded in bytes, the oldest go first. A watch that comes too late
 * for one makes its own.
 */
import { fixed } from '../../../limits.ts';

/** Where a message is found while it is kept. */
export interface SharedAmong {
  forget(message: SharedMessage): void;
}

export interface SharedMessage {
  readonly group: SharedAmong;
  readonly revision: number;
  /** The changes of the revision that messages before it have dealt with ... */
  readonly changesFrom: number;
  /** ... and those that are dealt with behind it; `undefined`: all of them. */
  readonly changesTo: number | undefined;
  /** Made by the form of the group. */
  readonly item: unknown;
  readonly eventCount: number;
  /** What it takes. */
  readonly bytes: number;
  /** The watches that may still take it. */
  takersLeft: number;
}

/** What a message takes besides its bytes, where it is kept and as an object of its form. */
const SHARED_BYTES = 512;

export class SharedMessages {
  /** In the order in which they were made. */
  readonly #kept = new Set<SharedMessage>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Its group has it by now. */
  keep(message: SharedMessage): void {
    this.#kept.add(message);
    this.#bytes += SHARED_BYTES + message.bytes;
    for (const oldest of this.#kept) {
      if (this.#bytes <= fixed.sharedWatchBytesMax) break;
      this.drop(oldest);
    }
  }

  /** One that was dropped before stays so. */
  drop(message: SharedMessage): void {
    if (!this.#kept.delete(message)) return;
    this.#bytes -= SHARED_BYTES + message.bytes;
    message.group.forget(message);
  }
}
