/**
 * Frames that are longer than a piece, kept in memory while readers are within one.
 *
 * A transaction may change so much that what reads it stops many times on the way, and many watches may read it beside
 * each other. So a long frame is read and checked once for all of them. What is kept is bounded: beyond that, and one
 * frame alone may be longer, the frame that was used least recently goes, and is read again by those that were within it.
 */
import { fixed } from '../../limits.ts';

export interface LongFrame {
  readonly buffer: Buffer;
  /** Whether its checksum was found right. */
  isChecked: boolean;
  /** The readers that are within it; it goes with the last of them. */
  readonly holders: Set<object>;
}

export class LongFrames {
  /** By the place in the log; the one that was used last comes last. */
  readonly #frames = new Map<string, LongFrame>();
  #bytes = 0;
  #lastTurn: Promise<void> = Promise.resolve();

  /** The bytes of all frames that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The frame that begins at a place; `holder` is within it from now on. */
  hold(place: string, holder: object): LongFrame | undefined {
    const frame = this.#frames.get(place);
    if (frame === undefined) return undefined;
    this.#frames.delete(place);
    this.#frames.set(place, frame);
    frame.holders.add(holder);
    return frame;
  }

  /** Keeps a frame that was read; `holder` is within it. */
  keep(place: string, buffer: Buffer, holder: object): LongFrame {
    const frame = { buffer, isChecked: false, holders: new Set([holder]) };
    this.#drop(place);
    this.#frames.set(place, frame);
    this.#bytes += buffer.length;
    for (const oldest of this.#frames.keys()) {
      if (this.#bytes <= fixed.longFramesBytesMax || this.#frames.size === 1) break;
      this.#drop(oldest);
    }
    return frame;
  }

  /** A reader has left the frame. */
  leave(place: string, holder: object): void {
    const frame = this.#frames.get(place);
    if (frame?.holders.delete(holder) === true && frame.holders.size === 0) this.#drop(place);
  }

  /**
   * Waits until no other reader loads a long frame: it may be the same one, and several at once would be memory that is
   * not counted here.
   * @returns ends the turn.
   */
  async takeTurn(): Promise<() => void> {
    const last = this.#lastTurn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastTurn = promise;
    await last;
    return resolve;
  }

  #drop(place: string): void {
    const frame = this.#frames.get(place);
    if (frame === undefined) return;
    this.#frames.delete(place);
    this.#bytes -= frame.buffer.length;
  }
}
