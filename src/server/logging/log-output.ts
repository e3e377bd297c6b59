/**
 * Writes the lines of the log at the pace at which they are read, and never waits. What waits for a reader is bounded:
 * once it would be more, lines are dropped until all that waits has been read, and then a line tells how many there
 * were. A reader that is gone, or a full disk, is no reason to stop serving either: lines that can't be written count as
 * dropped, and the next one is tried again.
 */
import type { Writable } from 'node:stream';
import { serverFixed } from '../../limits.ts';

export interface LogStream extends Pick<Writable, 'write' | 'writableLength' | 'on'> {
  readonly isTTY?: boolean;
}

/** As much of a terminal as makes it wait, or not, for one that has stopped to show what it is sent. */
interface BlockingStream {
  readonly _handle?: { setBlocking?(isBlocking: boolean): unknown };
}

export class LogOutput {
  readonly isTTY: boolean;
  /** Told after a gap, with the count of lines that were dropped since it was last told. */
  onGapEnd: (lineCount: number) => void = () => undefined;
  readonly #stream: LogStream;
  #isDropping = false;
  #droppedCount = 0;
  #toldCount = 0;

  constructor(stream: LogStream) {
    this.isTTY = stream.isTTY === true;
    this.#stream = stream;
    // The callback of each write tells; without a listener the event would end the process.
    stream.on('error', () => undefined);
    // Node blocks on a terminal, so one that is held by Ctrl-S, or behind a line that is down, would halt the server.
    if (this.isTTY) (stream as BlockingStream)._handle?.setBlocking?.(false);
  }

  /** All lines that were dropped. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  write(line: string): void {
    const { writableLength } = this.#stream;
    if (writableLength > 0 && writableLength + line.length > serverFixed.logWaitingCharactersMax) {
      this.#isDropping = true;
    }
    if (this.#isDropping) this.#droppedCount++;
    else this.#stream.write(line, this.#onWritten);
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (error) this.#droppedCount++;
    if (this.#stream.writableLength > 0) return;
    this.#isDropping = false;
    const untoldCount = this.#droppedCount - this.#toldCount;
    if (error || untoldCount === 0) return;
    this.#toldCount = this.#droppedCount;
    this.onGapEnd(untoldCount);
  };
}
