/**
 * The output of one connection: frames are written straight into a buffer that goes to the socket at the end of the turn of
 * the event loop, or when it is full. A connection without output has no buffer.
 *
 *     free buffers -> current -> waiting -> socket -> free buffers
 *
 * - Bytes go to the socket only when it has taken all earlier ones: a peer that does not read makes `waiting` grow, by one
 *   buffer for each 64 KiB. How far is the connection's business, by `unsentBytes`.
 * - A buffer is used again once the socket has let go of it.
 * - What stays, in the socket or behind it, counts as the memory that it keeps (`unread-output.ts`), which is little for little:
 *   a peer that does not read keeps no whole buffers for a few bytes. What a TLS socket has it keeps in its encrypted form too.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { http2 } from '../../limits.ts';
import { type OutputHolder, unreadOutput } from './unread-output.ts';

export interface OutboxOwner {
  /** There is output, after there was none: `flush` is wanted at the end of the turn. */
  outputBegun(): void;
  /** The socket has taken what it was given, later than at once; less is unsent now. */
  outputTaken(): void;
  /** All of it was dropped for want of memory, and the socket is destroyed. Called within calls of the outbox. */
  outputCut(): void;
}

/** A buffer and what of it was written. */
interface Output {
  readonly buffer: Buffer;
  readonly length: number;
}

const NO_BUFFER = Buffer.alloc(0);
/** Takes what is written to a connection that has ended. */
const sink = Buffer.allocUnsafeSlow(http2.outputBytes);
const freeBuffers: Buffer[] = [];

export class Outbox implements OutputHolder {
  /** What is being written to, at the places that `reserve` tells, ... */
  buffer: Buffer = NO_BUFFER;
  /** ... and where its output ends: set by the one that reserved, to the end of what it wrote. */
  length = 0;
  /** The stream whose DATA frame is the last thing in `buffer`, so that more may be added to it; 0: none. */
  dataStreamId = 0;
  /** Where the header of that frame stands. */
  dataAt = 0;
  /** All that the socket was given. */
  #givenBytes = 0;
  readonly #socket: Socket;
  readonly #isEncrypted: boolean;
  readonly #owner: OutboxOwner;
  #waiting: Output[] = [];
  #waitingBytes = 0;
  #inSocket: Output[] = [];
  #inSocketBytes = 0;
  /** Callbacks that are still to come for what the socket took at once. */
  #idleCallbacks = 0;
  /** Whether the socket kept what it was given last, as TLS always does for a while. */
  #isSocketSlow = false;
  /** The memory of `buffer`, once that stays behind what the socket has. */
  #parkedBytes = 0;
  #isEnding = false;
  #isClosed = false;
  readonly #onTaken = (): void => this.#taken();

  constructor(socket: Socket, owner: OutboxOwner) {
    this.#socket = socket;
    this.#isEncrypted = (socket as Partial<TLSSocket>).encrypted === true;
    this.#owner = owner;
  }

  /** What was written here and the socket has not taken yet, or can't send since the peer does not read. */
  get unsentBytes(): number {
    return this.#inSocketBytes + this.#waitingBytes + this.#writtenBytes;
  }

  /** So much waits that bodies are to wait in their streams. */
  get isBusy(): boolean {
    return this.unsentBytes >= Math.min(http2.waitingOutputBytesMax, unreadOutput.connectionBytesMax);
  }

  /** So much waits that nothing more is to be read from the peer. */
  get isFull(): boolean {
    return this.unsentBytes >= unreadOutput.connectionBytesMax;
  }

  /** All output so far, in bytes, sent or not: where the next frame begins. */
  get position(): number {
    return this.#givenBytes + this.#waitingBytes + this.#writtenBytes;
  }

  /** What of it the socket was given, or is to be given before it ends. */
  get givenBytes(): number {
    return this.#isEnding ? this.position : this.#givenBytes;
  }

  /** Makes room for so many bytes, 64 KiB at most, in `buffer`. @returns where. */
  reserve(bytes: number): number {
    this.dataStreamId = 0;
    if (this.#isEnding) this.length = 0;
    else if (this.length + bytes > this.buffer.length) this.#nextBuffer();
    return this.length;
  }

  /** Gives what there is to the socket, unless that still has something. */
  flush(): void {
    if (this.#isClosed || this.#socket.destroyed) return;
    if (this.#inSocketBytes > 0) {
      if (this.#parkedBytes === 0 && this.#writtenBytes > 0) this.#park();
      return;
    }
    if (this.#writtenBytes > 0) {
      const { buffer, length } = this;
      this.#leaveBuffer();
      if (this.#waiting.length === 0) {
        this.#give(buffer, length);
        return;
      }
      this.#wait(buffer, length);
    }
    if (this.#waiting.length > 0) this.#giveWaiting();
  }

  /** Ends the socket behind all that was written so far. What is written from now on goes nowhere. */
  end(): void {
    if (this.#isEnding) return;
    const { buffer, length } = this;
    this.#leaveBuffer();
    if (length > 0) this.#wait(buffer, length);
    this.#isEnding = true;
    this.#sinkOutput();
    if (this.#inSocketBytes === 0 && !this.#socket.destroyed) this.#giveWaiting();
    this.#endSocket();
  }

  /** Nothing of it will be sent any more. */
  close(): void {
    if (this.#isClosed) return;
    if (!this.#isEnding && this.buffer.length > 0) free(this.buffer);
    this.#isClosed = true;
    this.#isEnding = true;
    this.#sinkOutput();
    unreadOutput.releaseAll(this);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  cut(): void {
    this.close();
    this.#owner.outputCut();
    this.#socket.destroy();
  }

  /** What of `buffer` is to be sent. */
  get #writtenBytes(): number {
    return this.#isEnding ? 0 : this.length;
  }

  #sinkOutput(): void {
    this.buffer = sink;
    this.length = 0;
    this.dataStreamId = 0;
  }

  #nextBuffer(): void {
    const { buffer, length } = this;
    this.#leaveBuffer();
    if (length === 0) this.#owner.outputBegun();
    else if (this.#inSocketBytes === 0) this.#give(buffer, length);
    else this.#wait(buffer, length);
    // That may have cut it.
    if (!this.#isClosed) this.buffer = freeBuffers.pop() ?? Buffer.allocUnsafeSlow(http2.outputBytes);
  }

  #leaveBuffer(): void {
    if (this.#parkedBytes > 0) {
      unreadOutput.release(this, this.#parkedBytes, false);
      this.#parkedBytes = 0;
    }
    this.buffer = NO_BUFFER;
    this.length = 0;
    this.dataStreamId = 0;
  }

  #wait(buffer: Buffer, length: number): void {
    this.#waiting.push({ buffer, length });
    this.#waitingBytes += length;
    unreadOutput.hold(this, buffer.length);
  }

  #give(output: Buffer, length: number): void {
    if (this.#isClosed) return;
    this.#givenBytes += length;
    const buffer = this.#isSocketSlow && isLittle(output, length) ? moved(output, length, length) : output;
    this.#socket.write(length === buffer.length ? buffer : buffer.subarray(0, length), this.#onTaken);
    this.#isSocketSlow = this.#socket.writableLength > 0;
    if (this.#isSocketSlow) {
      const inSocket = { buffer, length };
      this.#inSocket.push(inSocket);
      this.#inSocketBytes += length;
      unreadOutput.hold(this, this.#memoryInSocket(inSocket));
    } else {
      this.#idleCallbacks++;
      free(buffer);
    }
  }

  #giveWaiting(): void {
    if (this.#isEnding) this.#givePieces();
    else this.#giveAll();
  }

  /** One after the other: Node tells of what it is given together when all of it is taken, and so of no progress before. */
  #givePieces(): void {
    while (this.#inSocketBytes === 0) {
      const output = this.#waiting.shift();
      if (output === undefined) return;
      this.#waitingBytes -= output.length;
      unreadOutput.release(this, output.buffer.length, false);
      this.#give(output.buffer, output.length);
    }
  }

  #giveAll(): void {
    const waiting = this.#waiting;
    for (const { buffer } of waiting) unreadOutput.release(this, buffer.length, false);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#socket.cork();
    for (const { buffer, length } of waiting) this.#give(buffer, length);
    this.#socket.uncork();
  }

  /** What was written stays behind what the socket has; more may follow in the same buffer. */
  #park(): void {
    const { buffer, length } = this;
    // As much again as waits already, so that many small pieces become few.
    const capacity = Math.max(2 * length, this.#waitingBytes, http2.littleOutputBytesMin);
    if (isLittle(buffer, capacity)) this.buffer = moved(buffer, length, capacity);
    this.#parkedBytes = this.buffer.length;
    unreadOutput.hold(this, this.#parkedBytes);
  }

  #taken(): void {
    if (this.#idleCallbacks > 0) {
      this.#idleCallbacks--;
      return;
    }
    const output = this.#inSocket.shift();
    if (output === undefined) return;
    this.#inSocketBytes -= output.length;
    unreadOutput.release(this, this.#memoryInSocket(output), true);
    // What a socket that is destroyed had is never sent.
    if (this.#isClosed || this.#socket.destroyed) return;
    free(output.buffer);
    if (this.#inSocketBytes > 0) return;
    this.flush();
    this.#owner.outputTaken();
    this.#endSocket();
  }

  #memoryInSocket({ buffer, length }: Output): number {
    return this.#isEncrypted ? buffer.length + length : buffer.length;
  }

  #endSocket(): void {
    if (this.#isEnding && !this.#isClosed && this.#waiting.length === 0) this.#socket.end();
  }
}

function isLittle(buffer: Buffer, length: number): boolean {
  return length <= buffer.length * http2.littleOutputShareMax;
}

/** The output of a buffer in one of `capacity` bytes; the buffer is free. */
function moved(buffer: Buffer, length: number, capacity: number): Buffer {
  // One from a pool would keep more than itself.
  const small = Buffer.allocUnsafeSlow(capacity);
  small.set(buffer.subarray(0, length));
  free(buffer);
  return small;
}

/** Takes back a buffer that nothing uses, unless it is a small one. */
function free(buffer: Buffer): void {
  if (buffer.length === http2.outputBytes && freeBuffers.length < http2.outputsKept) freeBuffers.push(buffer);
}
