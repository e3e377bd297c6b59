/**
 * The socket under a connection: the base that knows bytes, turns of the event loop and the end, and nothing of frames.
 *
 * - What comes is read at once, unless the connection has had its share of this turn, in requests or in bytes, or the peer does
 *   not read what it is sent: then the rest waits, and so does the socket.
 * - What is sent goes at the end of the turn.
 * - The end comes once, in one of two ways. `finish`: streams are told, what was sent still goes, then the socket is ended, and
 *   the peer has some time to do so too. `lose`: the socket is gone, and what was not given to it is dropped. In both the owner
 *   is told when the socket is closed.
 */
import type { Socket } from 'node:net';
import type { Timer } from '../../clock.ts';
import { http2 } from '../../limits.ts';
import type { ConnectionEnd, EndpointOptions } from '../contract/endpoint.ts';
import { errorCode, type ErrorCode } from '../contract/error-code.ts';
import { Outbox, type OutboxOwner } from '../output/outbox.ts';
import { Sender } from '../output/sender.ts';
import { type TurnTaker, type Turns, turnsOf } from '../output/turns.ts';

/** The connection that a socket belongs to, for listeners that all sockets share: four of its own would take 300 bytes. */
const owner = Symbol('connection');

interface OwnedSocket extends Socket {
  [owner]?: SocketSide;
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[owner]?.socketReceived(chunk);
}

function onEnd(this: OwnedSocket): void {
  this[owner]?.socketEnded();
}

function onError(this: OwnedSocket, error: Error): void {
  this[owner]?.socketFailed(error);
}

function onClose(this: OwnedSocket): void {
  this[owner]?.socketClosed();
}

export abstract class SocketSide implements OutboxOwner, TurnTaker {
  readonly sender: Sender;
  protected readonly options: EndpointOptions;
  readonly #socket: Socket;
  readonly #turns: Turns;
  #isTurnAsked = false;
  #requestsInTurn = 0;
  /** When the first of them was begun. */
  #firstRequestMs = 0;
  /** What was read since the last turn that was asked for. */
  #readBytes = 0;
  /** What was read and has to wait. */
  #rest: Buffer | undefined;
  #idleSinceMs: number | undefined;
  /** Nothing more is read, or sent by streams. */
  #isEnding = false;
  #isClosed = false;
  #end: ConnectionEnd | undefined;
  #lingerTimer: Timer | undefined;

  constructor(socket: Socket, options: EndpointOptions) {
    this.options = options;
    this.#socket = socket;
    this.#turns = turnsOf(options.clock);
    this.sender = new Sender(new Outbox(socket, this));
    this.#idleSinceMs = options.clock.monotonicMs();
  }

  /** The open streams. */
  abstract get streamCount(): number;

  /** Since when no stream is open, by the monotonic clock; undefined while one is. */
  get idleSinceMs(): number | undefined {
    return this.streamCount === 0 ? this.#idleSinceMs : undefined;
  }

  /** What was sent and is not in the socket's hands yet, or stays there because the peer does not read. */
  get unsentBytes(): number {
    return this.sender.outbox.unsentBytes;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  /** The connection keeps the process alive, as it does from the start, ... */
  ref(): void {
    this.#socket.ref();
  }

  /** ... or does not. */
  unref(): void {
    this.#socket.unref();
  }

  /** @internal */
  outputBegun(): void {
    this.askTurn();
  }

  /** @internal */
  outputTaken(): void {
    this.sender.beginTurn();
    this.#goOn();
  }

  /** @internal */
  outputCut(): void {
    this.#end ??= {
      kind: 'violation',
      code: errorCode.ENHANCE_YOUR_CALM,
      reason: 'the peer does not read what it is sent, and memory for it ran out',
    };
    this.#isEnding = true;
    this.#rest = undefined;
  }

  /** @internal */
  endEarly(): void {
    this.sender.outbox.flush();
  }

  /** @internal */
  endTurn(): void {
    this.#isTurnAsked = false;
    this.#requestsInTurn = 0;
    this.#readBytes = 0;
    const { sender } = this;
    sender.outbox.flush();
    if (this.streamCount === 0) this.#idleSinceMs ??= this.options.clock.monotonicMs();
    if (this.#isClosed) return;
    sender.beginTurn();
    this.#goOn();
  }

  /** Reads what has come, and acts on it. @returns where it stopped: before the end only when `mayReadOn` is false. */
  protected abstract read(bytes: Buffer): number;

  /** The peer has ended its side. */
  protected abstract peerEnded(): void;

  /** Streams are told that the connection ends, and with which code. */
  protected abstract breakOff(code: ErrorCode): void;

  /** Streams are told that the connection is lost. */
  protected abstract breakOffLost(): void;

  /** How the connection ended if nothing was said before: the socket failed or was closed. */
  protected abstract endOf(error: Error | undefined): ConnectionEnd;

  /** All is over: timers are to be cancelled, and the owner told. */
  protected abstract closed(end: ConnectionEnd): void;

  /** Begins to read. */
  protected begin(): void {
    const socket = this.#socket;
    // It ends its side itself, behind what it has to say.
    socket.allowHalfOpen = true;
    (socket as OwnedSocket)[owner] = this;
    socket.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
    if (socket.destroyed) this.options.clock.yieldNow(() => this.socketClosed());
  }

  /** No more is read or begun, and streams are over; the socket may take a little to close. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Whether another frame may be read now. */
  protected get mayReadOn(): boolean {
    return this.#requestsInTurn < http2.requestsInTurnMax && !this.sender.outbox.isFull && !this.#isEnding;
  }

  /** One more request in this turn. */
  protected countRequest(): void {
    const nowMs = this.options.clock.monotonicMs();
    if (this.#requestsInTurn++ === 0) this.#firstRequestMs = nowMs;
    // What they do is bounded for each of them, and so many that do much would hold up all others.
    else if (nowMs - this.#firstRequestMs >= http2.requestsInTurnMsMax) this.#requestsInTurn = Infinity;
    this.askTurn();
  }

  protected askTurn(): void {
    if (this.#isTurnAsked) return;
    this.#isTurnAsked = true;
    this.#turns.ask(this);
  }

  protected noLongerIdle(): void {
    this.#idleSinceMs = undefined;
  }

  /** Sends what there is, then ends the socket. */
  protected finish(end: ConnectionEnd, code: ErrorCode = errorCode.CANCEL): void {
    this.#isEnding = true;
    this.#end ??= end;
    this.#rest = undefined;
    // First: what waits still goes, and streams are told of that.
    this.sender.outbox.end();
    this.breakOff(code);
    this.#linger();
    // What still comes is read, so that the socket closes in peace, and dropped.
    this.#socket.resume();
  }

  /** Drops what there is. */
  protected lose(end: ConnectionEnd): void {
    this.#end ??= end;
    this.#isEnding = true;
    this.#rest = undefined;
    this.sender.outbox.close();
    this.breakOffLost();
  }

  protected loseAndEnd(end: ConnectionEnd): void {
    this.lose(end);
    this.#socket.end();
    this.#linger();
  }

  protected loseAndDestroy(end: ConnectionEnd): void {
    this.lose(end);
    this.#socket.destroy();
  }

  /** @internal */
  socketReceived(chunk: Buffer): void {
    if (!this.#isEnding) this.#read(chunk);
  }

  /** @internal */
  socketEnded(): void {
    if (!this.#isEnding) this.peerEnded();
  }

  /** @internal After an error of TLS Node leaves the socket open. */
  socketFailed(error: Error): void {
    this.loseAndDestroy(this.endOf(error));
  }

  #read(bytes: Buffer): void {
    const at = this.read(bytes);
    this.#readBytes += at;
    if (this.#isEnding || (this.mayReadOn && this.#readBytes < http2.readInTurnBytesMax)) return;
    this.#rest = bytes.subarray(at);
    this.#socket.pause();
    this.askTurn();
  }

  #goOn(): void {
    const rest = this.#rest;
    if (rest === undefined || !this.mayReadOn) return;
    this.#rest = undefined;
    this.#read(rest);
    // There may be a rest again.
    if (!this.#hasRest) this.#socket.resume();
  }

  get #hasRest(): boolean {
    return this.#rest !== undefined;
  }

  /** The peer has some time to read what it was told, more while it goes on reading, and to close. */
  #linger(untilMs = this.options.clock.monotonicMs() + http2.lingerMsMax): void {
    const { unsentBytes } = this;
    const { clock } = this.options;
    const delayMs = unsentBytes > 0 ? http2.lingerStalledMs : http2.lingerMs;
    this.#lingerTimer = clock.setTimer(Math.min(delayMs, untilMs - clock.monotonicMs()), () => {
      if (this.unsentBytes < unsentBytes && clock.monotonicMs() < untilMs) this.#linger(untilMs);
      else this.#socket.destroy();
    });
  }

  /** Whether its socket is closed, as one says it. */
  get destroyed(): boolean {
    return this.#isClosed;
  }

  /** @internal */
  socketClosed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const end = this.#end ?? this.endOf(undefined);
    this.#lingerTimer?.cancel();
    this.lose(end);
    this.closed(end);
  }
}
