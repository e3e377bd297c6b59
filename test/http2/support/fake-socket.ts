/**
 * The socket of a connection, whose other end a test plays: bytes go in and out within the calls, and what happens later in
 * a real one happens at the next turn of the clock.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { type Frame, FrameSplitter } from './frames.ts';
import type { StepClock } from './step-clock.ts';

interface Unsent {
  readonly bytes: number;
  /** What it keeps alive. */
  readonly memoryBytes: number;
  readonly taken: (() => void) | undefined;
}

export class FakeSocket extends EventEmitter {
  readonly remoteAddress = '127.0.0.1';
  /** As a TLS socket it has what is not sent in a second form. */
  encrypted = false;
  /** As a real one it would end its side with the peer's, unless told otherwise. */
  allowHalfOpen = false;
  destroyed = false;
  bytesRead = 0;
  bytesWritten = 0;
  /** Whether the peer reads: what is written is gone at once. Otherwise it waits, for `take`. */
  isRead = true;
  /** Set when the connection has ended its side: it writes nothing more. */
  isEnded = false;
  /** Is given what is written, ... */
  written: (bytes: Buffer) => void = () => undefined;
  /** ... and told of the end. */
  ended: () => void = () => undefined;
  readonly #clock: StepClock;
  readonly #splitter = new FrameSplitter();
  #unsent: Unsent[] = [];
  /** What was written since it was corked; undefined while it is not. */
  #corked: Unsent[] | undefined;
  #input: Buffer[] = [];
  #isPaused = false;
  #isPeerEnded = false;
  #isEndTold = false;

  constructor(clock: StepClock, prefaceBytes = 0) {
    super();
    this.#clock = clock;
    this.#splitter.skip(prefaceBytes);
  }

  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  /** What was written. */
  get frames(): readonly Frame[] {
    return this.#splitter.frames;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** What the socket holds since the peer does not read. */
  get writableLength(): number {
    return [...this.#unsent, ...(this.#corked ?? [])].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The memory that is kept alive by that. */
  get writableMemoryBytes(): number {
    const plainBytes = this.#unsent.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    return this.encrypted ? plainBytes + this.writableLength : plainBytes;
  }

  /** What came from the peer and was not read, since reading is paused. */
  get unreadBytes(): number {
    return this.#input.reduce((sum, { length }) => sum + length, 0);
  }

  // What the peer does.

  receive(bytes: Uint8Array): void {
    if (this.destroyed || this.#isPeerEnded) return;
    // As from a real one, the memory is the reader's.
    this.#input.push(Buffer.from(bytes));
    this.#deliver();
  }

  /** The peer sends nothing more. */
  receiveEnd(): void {
    if (this.destroyed || this.#isPeerEnded) return;
    this.#isPeerEnded = true;
    this.#deliver();
  }

  /** The connection is lost. */
  fail(): void {
    if (this.destroyed) return;
    this.emit('error', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    this.destroy();
  }

  /** The peer reads the oldest thing that was written. @returns whether there was one. */
  take(): boolean {
    const [unsent] = this.#unsent;
    if (unsent === undefined) return false;
    this.#unsent = this.#unsent.slice(1);
    unsent.taken?.();
    return true;
  }

  /** From now on the peer reads. */
  readAll(): void {
    this.isRead = true;
    while (this.take());
  }

  // What the connection does.

  write(bytes: Uint8Array, taken?: () => void): boolean {
    if (this.isEnded) throw new Error('written after the end');
    if (this.destroyed) {
      // As Node: nothing goes out, and the callback comes.
      if (taken !== undefined) this.#clock.yieldNow(taken);
      return false;
    }
    this.bytesWritten += bytes.length;
    this.written(Buffer.from(bytes));
    this.#splitter.push(bytes);
    const unsent: Unsent = { bytes: bytes.length, memoryBytes: bytes.buffer.byteLength, taken };
    if (this.#corked !== undefined) this.#corked.push(unsent);
    else return this.#send(unsent);
    return false;
  }

  #send(unsent: Unsent): boolean {
    if (this.isRead && this.#unsent.length === 0) {
      // As Node calls back: soon, never within.
      if (unsent.taken !== undefined) this.#clock.yieldNow(unsent.taken);
      return true;
    }
    this.#unsent.push(unsent);
    return false;
  }

  end(): void {
    this.isEnded = true;
    this.ended();
    if (this.#isPeerEnded) this.#clock.yieldNow(() => this.destroy());
  }

  pause(): this {
    this.#isPaused = true;
    return this;
  }

  resume(): this {
    this.#isPaused = false;
    if (this.#input.length > 0 || (this.#isPeerEnded && !this.#isEndTold))
      this.#clock.yieldNow(() => this.#deliver());
    return this;
  }

  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#input = [];
    const unsent = this.#unsent;
    this.#unsent = [];
    // As Node does, what was not sent is called back for before the end is told.
    this.#clock.yieldNow(() => {
      for (const { taken } of unsent) taken?.();
      this.emit('close');
    });
    return this;
  }

  cork(): void {
    this.#corked ??= [];
  }

  /** As in Node, all of it is one write, whose parts are called back for together. */
  uncork(): void {
    const corked = this.#corked ?? [];
    this.#corked = undefined;
    if (corked.length === 0 || this.destroyed) return;
    this.#send({
      bytes: corked.reduce((sum, { bytes }) => sum + bytes, 0),
      memoryBytes: corked.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      taken: () => {
        for (const { taken } of corked) taken?.();
      },
    });
  }

  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  #deliver(): void {
    while (!this.#isPaused && !this.destroyed) {
      const chunk = this.#input.shift();
      if (chunk === undefined) break;
      this.bytesRead += chunk.length;
      this.emit('data', chunk);
    }
    if (
      this.#isPeerEnded &&
      !this.#isEndTold &&
      this.#input.length === 0 &&
      !this.#isPaused &&
      !this.destroyed
    ) {
      this.#isEndTold = true;
      this.emit('end');
      if (this.isEnded) this.#clock.yieldNow(() => this.destroy());
    }
  }
}
