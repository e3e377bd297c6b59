/**
 * A connection of HTTP/2 (RFC 9113), as server and client have it alike, on a socket or TLS socket that it takes over.
 *
 * What it does:
 *  1. reads frames and gives each to its stream, or acts on it: SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM;
 *  2. joins header blocks (HEADERS, CONTINUATION) and takes padding and priority off;
 *  3. keeps both windows of the connection, and tells streams of theirs;
 *  4. sends what its streams send, at the end of the turn of the event loop, and reads no further while the peer does not read;
 *  5. bounds what the peer may do: requests in a turn, frames that bring nothing, broken streams, the time for a head;
 *  6. ends: by GOAWAY when the peer broke a rule, in peace when its last stream is done, at once when the socket is gone. Every
 *     stream is told, then the owner.
 *
 * What it leaves to server and client: which streams begin, and what their header blocks mean.
 * What it leaves alone on purpose: priorities (section 5.3.2), server push, extensions; the meaning of requests; time limits on
 * requests, on idle connections and on those that do not read, which are the owner's.
 *
 * An exception while bytes are read is a `Violation` or an `HpackError`: an error of the connection. Any other is a fault of the
 * user's code: the connection ends with INTERNAL_ERROR, and the exception goes on.
 */
import type { Socket } from 'node:net';
import type { Timer } from '../clock.ts';
import { http2 } from '../limits.ts';
import type { BodyStream, StreamCarrier } from './body-stream.ts';
import { Budget } from './budget.ts';
import type { ConnectionEnd, EndpointOptions } from './endpoint.ts';
import { errorCode, type ErrorCode } from './error-code.ts';
import { FrameReader, type FrameReceiver } from './frame-reader.ts';
import {
  GOAWAY_BYTES,
  PING_BYTES,
  PRIORITY_BYTES,
  WINDOW_DEFAULT,
  WORD_BYTES,
  flag,
  frameType,
  readErrorCode,
  readId,
  readWord,
  setting,
  writeWord,
} from './frame.ts';
import { HeaderBlockParts } from './header-block.ts';
import { HpackDecoder, HpackError } from './hpack/decoder.ts';
import { IdleFrames } from './idle-frames.ts';
import { Outbox, type OutboxOwner } from './outbox.ts';
import { RecentResets } from './recent-resets.ts';
import { Sender } from './sender.ts';
import { type PeerSettings, readSettings } from './settings.ts';
import { StreamTable } from './stream-table.ts';
import { type TurnTaker, type Turns, turnsOf } from './turns.ts';
import { Violation } from './violation.ts';
import { ReceiveWindow, widened } from './window.ts';

export abstract class Connection<Opened extends BodyStream>
  implements FrameReceiver, OutboxOwner, TurnTaker, StreamCarrier
{
  readonly sender: Sender;
  protected readonly options: EndpointOptions;
  protected readonly decoder: HpackDecoder;
  protected readonly streams = new StreamTable<Opened>();
  readonly #socket: Socket;
  readonly #isServer: boolean;
  readonly #turns: Turns;
  readonly #reader: FrameReader;
  readonly #parts: HeaderBlockParts;
  readonly #window: ReceiveWindow;
  readonly #idleFrames: IdleFrames;
  readonly #recentResets = new RecentResets();
  #brokenStreams: Budget | undefined;

  /** What the peer lets a new stream send. */
  #sendWindowBytes = WINDOW_DEFAULT;
  /** What the peer takes a new stream of ours to receive: the default until it has acknowledged our SETTINGS. */
  #streamWindowBytes = WINDOW_DEFAULT;
  #areSettingsAcknowledged = false;
  #havePeerSettings = false;
  #handshakeTimer: Timer | undefined;
  /** Runs while a head was on its way at the end of what was read; it is looked at again when it fires. */
  #headTimer: Timer | undefined;
  #headsBegun = 0;

  #isTurnAsked = false;
  #requestsInTurn = 0;
  /** What was read and has to wait for the next turn, or for the peer to read. */
  #rest: Buffer | undefined;

  #pingCount = 0;
  #pings: Map<number, PingWaiter> | undefined;
  #idleSinceMs: number | undefined;
  /** The connection closes when no stream is open. */
  #isLeaving = false;
  /** Nothing more is read or sent. */
  #isEnding = false;
  #isClosed = false;
  #end: ConnectionEnd | undefined;
  #peerGoaway: { readonly code: ErrorCode; readonly debugText: string } | undefined;
  #lingerTimer: Timer | undefined;

  constructor(socket: Socket, options: EndpointOptions, isServer: boolean) {
    this.options = options;
    this.#socket = socket;
    this.#isServer = isServer;
    this.#turns = turnsOf(options.clock);
    this.sender = new Sender(new Outbox(socket, this));
    this.decoder = new HpackDecoder(options.headerListBytesMax);
    this.#reader = new FrameReader(this, isServer);
    this.#parts = new HeaderBlockParts(options.headerListBytesMax);
    this.#window = new ReceiveWindow(Math.max(WINDOW_DEFAULT, options.connectionWindowBytes));
    this.#idleFrames = new IdleFrames(options.clock, this.sender);
    this.#idleSinceMs = options.clock.monotonicMs();
  }

  /** The open streams. */
  get streamCount(): number {
    return this.streams.size;
  }

  /** Since when no stream is open, by the monotonic clock; undefined while one is. */
  get idleSinceMs(): number | undefined {
    return this.streams.size === 0 ? this.#idleSinceMs : undefined;
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
  get streamWindowBytes(): number {
    return this.#streamWindowBytes;
  }

  /** The highest stream of the peer that was acted on. */
  protected abstract get lastPeerStreamId(): number;

  /** Whether no stream of this id has begun yet. */
  protected abstract isIdle(streamId: number): boolean;

  /** A header block is whole. It must be decoded whatever becomes of it. */
  protected abstract headerBlock(
    streamId: number,
    isEnd: boolean,
    buffer: Buffer,
    from: number,
    to: number,
  ): void;

  /** The peer's SETTINGS have been acted on, as far as both sides do. */
  protected abstract settingsReceived(settings: PeerSettings): void;

  protected abstract goawayReceived(lastStreamId: number, code: ErrorCode, debugText: string): void;

  /** A stream has left the table. */
  protected abstract streamClosed(): void;

  /** All is over: the owner is to be told. */
  protected abstract closed(end: ConnectionEnd): void;

  /** Closes at once, without a word. */
  protected destroySocket(error: Error | undefined): void {
    this.#end ??= { kind: 'owner', error };
    this.#lost();
    this.#socket.destroy();
  }

  /** Tells the peer an error, breaks off every stream and closes. */
  goaway(code: ErrorCode, debugText: string): void {
    this.#fail(code, debugText, { kind: 'owner', error: undefined });
  }

  /** Begins with what both sides send first. */
  protected open(settings: readonly (readonly [setting: number, value: number])[]): void {
    const { options, sender } = this;
    sender.settings([
      ...settings,
      [setting.INITIAL_WINDOW_SIZE, options.streamWindowBytes],
      [setting.MAX_HEADER_LIST_SIZE, options.headerListBytesMax],
    ]);
    const increment = options.connectionWindowBytes - WINDOW_DEFAULT;
    if (increment > 0) sender.windowUpdate(0, increment);
    this.#handshakeTimer = options.clock.setTimer(options.handshakeTimeoutMs, () => this.#handshakeTooLong());
    // It ends its side itself, behind what it has to say.
    this.#socket.allowHalfOpen = true;
    this.#socket
      .on('data', (chunk: Buffer) => this.#received(chunk))
      .on('end', () => this.#peerEnded())
      .on('error', (error) => this.#broken(error))
      .on('close', () => this.#socketClosed());
  }

  protected get isEnding(): boolean {
    return this.#isEnding;
  }

  protected get isLeaving(): boolean {
    return this.#isLeaving;
  }

  protected get haveSettings(): boolean {
    return this.#havePeerSettings;
  }

  /** Takes no new stream, and closes when the last one is done. */
  protected leaveWhenDone(): void {
    this.#isLeaving = true;
    if (this.streams.size === 0 && !this.#isEnding) this.#finish(this.#endOf(undefined));
  }

  protected add(stream: Opened): void {
    this.streams.add(stream);
    this.#idleSinceMs = undefined;
  }

  protected get sendWindowBytes(): number {
    return this.#sendWindowBytes;
  }

  /** One more request in this turn. */
  protected countRequest(): void {
    this.#requestsInTurn++;
    this.#askTurn();
  }

  protected isRecentlyReset(streamId: number): boolean {
    return this.#recentResets.has(streamId);
  }

  protected sendPing(waiter: PingWaiter): void {
    const payload = Buffer.alloc(PING_BYTES);
    const number = ++this.#pingCount;
    writeWord(payload, WORD_BYTES, number);
    (this.#pings ??= new Map()).set(number, waiter);
    this.sender.ping(payload, false);
  }

  /** @internal A frame has come: see `FrameReader`. */
  frame(type: number, flags: number, streamId: number, buffer: Buffer, from: number, to: number): boolean {
    if (this.#parts.streamId !== 0) this.#checkContinuation(type, streamId);
    if (!this.#havePeerSettings) checkFirst(type, flags);
    switch (type) {
      case frameType.DATA:
        this.#data(flags, streamId, buffer, from, to);
        break;
      case frameType.HEADERS:
        this.#headers(flags, streamId, buffer, from, to);
        break;
      case frameType.CONTINUATION:
        this.#continuation(flags, buffer, from, to);
        break;
      case frameType.WINDOW_UPDATE:
        this.#windowUpdate(streamId, buffer, from, to);
        break;
      case frameType.RST_STREAM:
        this.#reset(streamId, buffer, from, to);
        break;
      case frameType.SETTINGS:
        this.#settings(flags, streamId, buffer, from, to);
        break;
      case frameType.PING:
        this.#ping(flags, streamId, buffer, from, to);
        break;
      case frameType.GOAWAY:
        this.#goaway(streamId, buffer, from, to);
        break;
      case frameType.PRIORITY:
        this.#priority(streamId, buffer, from, to);
        break;
      case frameType.PUSH_PROMISE:
        throw new Violation(errorCode.PROTOCOL_ERROR, 'PUSH_PROMISE, where nothing may be pushed');
      default:
        // Section 5.5: extensions are passed over.
        this.#idleFrames.count();
    }
    return this.#mayReadOn;
  }

  /** @internal */
  outputBegun(): void {
    this.#askTurn();
  }

  /** @internal */
  outputTaken(): void {
    this.sender.beginTurn();
    this.#goOn();
  }

  /** @internal */
  endEarly(): void {
    this.sender.outbox.flush();
  }

  /** @internal */
  endTurn(): void {
    this.#isTurnAsked = false;
    this.#requestsInTurn = 0;
    const { sender } = this;
    sender.outbox.flush();
    if (this.streams.size === 0) this.#idleSinceMs ??= this.options.clock.monotonicMs();
    if (this.#isClosed) return;
    sender.beginTurn();
    this.#goOn();
  }

  /** @internal */
  newReceiveWindow(): ReceiveWindow {
    return new ReceiveWindow(this.#streamWindowBytes);
  }

  /** @internal */
  consumed(bytes: number): void {
    if (this.options.isConnectionWindowHeld) this.#openWindow(bytes);
  }

  /** @internal */
  sendReset(streamId: number, code: ErrorCode): void {
    if (this.#isEnding) return;
    this.#recentResets.add(streamId);
    this.sender.reset(streamId, code);
  }

  /** @internal A stream that the peer reset, or broke. */
  countViolation(): void {
    this.#brokenStreams ??= new Budget(this.options.clock, http2.resetsBurst, http2.resetsPerSecond);
    if (!this.#brokenStreams.take()) {
      throw new Violation(errorCode.ENHANCE_YOUR_CALM, 'too many streams that were reset or broke a rule');
    }
  }

  /** @internal */
  released(stream: BodyStream): void {
    this.streams.delete(stream.id);
    this.streamClosed();
    if (this.streams.size > 0) return;
    if (this.#isLeaving && !this.#isEnding) this.#finish(this.#endOf(undefined));
    else this.#askTurn();
  }

  get #mayReadOn(): boolean {
    return (
      this.#requestsInTurn < http2.requestsInTurnMax &&
      this.sender.outbox.unsentBytes < http2.unsentBytesMax &&
      !this.#isEnding
    );
  }

  #askTurn(): void {
    if (this.#isTurnAsked) return;
    this.#isTurnAsked = true;
    this.#turns.ask(this);
  }

  #received(chunk: Buffer): void {
    // What comes after the end is read, so that the socket closes in peace, and dropped.
    if (!this.#isEnding) this.#read(chunk);
  }

  #read(chunk: Buffer): void {
    let at: number;
    try {
      at = this.#reader.read(chunk, 0, chunk.length);
    } catch (error) {
      this.#readFailed(error);
      return;
    }
    if (!this.#mayReadOn && !this.#isEnding) {
      this.#rest = chunk.subarray(at);
      this.#socket.pause();
    }
    if (this.#parts.streamId !== 0 || this.#reader.isWithinHead) this.#watchHead();
  }

  #goOn(): void {
    const rest = this.#rest;
    if (rest === undefined || !this.#mayReadOn) return;
    this.#rest = undefined;
    this.#read(rest);
    // Read by what is called above.
    if ((this.#rest as Buffer | undefined) === undefined) this.#socket.resume();
  }

  #readFailed(error: unknown): void {
    if (error instanceof Violation) {
      this.#fail(error.code, error.message, {
        kind: 'violation',
        code: error.code,
        reason: error.message,
      });
    } else if (error instanceof HpackError) {
      const code = errorCode.COMPRESSION_ERROR;
      this.#fail(code, error.message, { kind: 'violation', code, reason: error.message });
    } else {
      this.#fail(errorCode.INTERNAL_ERROR, '', { kind: 'owner', error: undefined });
      throw error;
    }
  }

  #data(flags: number, streamId: number, buffer: Buffer, from: number, to: number): void {
    if (streamId === 0) throw onConnection('DATA');
    const frameBytes = to - from;
    if (!this.#window.take(frameBytes)) {
      throw new Violation(errorCode.FLOW_CONTROL_ERROR, 'more DATA than the window of the connection allows');
    }
    if (!this.options.isConnectionWindowHeld) this.#openWindow(frameBytes);
    let dataFrom = from;
    let dataTo = to;
    if ((flags & flag.PADDED) !== 0) {
      dataTo -= paddingOf(buffer, from, to);
      dataFrom++;
    }
    const isEnd = (flags & flag.END_STREAM) !== 0;
    if (dataFrom === dataTo && !isEnd) this.#idleFrames.count();
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      this.#checkKnown(streamId, 'DATA');
      this.consumed(frameBytes);
      if (!this.#recentResets.has(streamId)) this.refuse(streamId, errorCode.STREAM_CLOSED);
      return;
    }
    stream.receiveData(buffer, dataFrom, dataTo, frameBytes, isEnd);
  }

  /** A frame of the peer on a stream that is in no table, or can't be: RST_STREAM. */
  protected refuse(streamId: number, code: ErrorCode): void {
    this.sendReset(streamId, code);
    this.countViolation();
  }

  #headers(flags: number, streamId: number, buffer: Buffer, from: number, to: number): void {
    if (streamId === 0) throw onConnection('HEADERS');
    let blockFrom = from;
    let blockTo = to;
    if ((flags & flag.PADDED) !== 0) {
      blockTo -= paddingOf(buffer, from, to);
      blockFrom++;
    }
    if ((flags & flag.PRIORITY) !== 0) {
      if (blockTo - blockFrom < PRIORITY_BYTES) {
        throw new Violation(errorCode.FRAME_SIZE_ERROR, 'HEADERS without room for its priority');
      }
      blockFrom += PRIORITY_BYTES;
    }
    const isEnd = (flags & flag.END_STREAM) !== 0;
    if ((flags & flag.END_HEADERS) !== 0) {
      this.headerBlock(streamId, isEnd, buffer, blockFrom, blockTo);
    } else {
      this.#headsBegun++;
      this.#parts.begin(streamId, isEnd, buffer, blockFrom, blockTo);
    }
  }

  #continuation(flags: number, buffer: Buffer, from: number, to: number): void {
    const { streamId, isEnd } = this.#parts;
    if (streamId === 0) {
      throw new Violation(errorCode.PROTOCOL_ERROR, 'CONTINUATION without a header block to go on with');
    }
    const block = this.#parts.add((flags & flag.END_HEADERS) !== 0, buffer, from, to);
    if (block !== undefined) this.headerBlock(streamId, isEnd, block, 0, block.length);
  }

  #checkContinuation(type: number, streamId: number): void {
    if (type !== frameType.CONTINUATION || streamId !== this.#parts.streamId) {
      throw new Violation(errorCode.PROTOCOL_ERROR, 'a frame within the header block of a stream');
    }
  }

  #windowUpdate(streamId: number, buffer: Buffer, from: number, to: number): void {
    if (to - from !== WORD_BYTES) throw wrongSize('WINDOW_UPDATE');
    this.#idleFrames.count();
    const increment = readId(buffer, from);
    if (streamId === 0) {
      const window = widened(this.sender.window, increment);
      if (increment === 0) throw new Violation(errorCode.PROTOCOL_ERROR, 'a WINDOW_UPDATE of 0');
      if (window === undefined) {
        throw new Violation(errorCode.FLOW_CONTROL_ERROR, 'the window of the connection is beyond 2^31 - 1');
      }
      this.sender.window = window;
      this.sender.serveLine();
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      this.#checkKnown(streamId, 'WINDOW_UPDATE');
      return;
    }
    const window = widened(stream.sendWindow, increment);
    if (increment === 0) stream.violated(errorCode.PROTOCOL_ERROR);
    else if (window === undefined) stream.violated(errorCode.FLOW_CONTROL_ERROR);
    else this.#widenStream(stream, window);
  }

  #widenStream(stream: Opened, window: number): void {
    stream.sendWindow = window;
    if (stream.queuedBytes > 0) this.sender.join(stream);
  }

  #reset(streamId: number, buffer: Buffer, from: number, to: number): void {
    if (streamId === 0) throw onConnection('RST_STREAM');
    if (to - from !== WORD_BYTES) throw wrongSize('RST_STREAM');
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      this.#checkKnown(streamId, 'RST_STREAM');
      this.#idleFrames.count();
      return;
    }
    const code = readErrorCode(buffer, from);
    // Section 8.1: a server that has sent all of its response asks for no more of the request so. Elsewhere something is missing.
    const isMissing = code === errorCode.NO_ERROR && (this.#isServer || stream.isRemoteOpen);
    stream.over(isMissing ? errorCode.CANCEL : code, 'peer');
    if (this.#isServer) this.countViolation();
  }

  #settings(flags: number, streamId: number, buffer: Buffer, from: number, to: number): void {
    if (streamId !== 0) throw new Violation(errorCode.PROTOCOL_ERROR, 'SETTINGS on a stream');
    this.#idleFrames.count();
    if ((flags & flag.ACK) !== 0) {
      if (from !== to) throw wrongSize('an acknowledgement of SETTINGS');
      this.#settingsAcknowledged();
      return;
    }
    const settings = readSettings(buffer, from, to, this.#isServer);
    const { sender } = this;
    if (settings.maxFrameSize !== undefined) sender.frameBytesMax = settings.maxFrameSize;
    this.#havePeerSettings = true;
    if (settings.initialWindowSize !== undefined) this.#resizeSendWindows(settings.initialWindowSize);
    sender.settingsAck();
    this.#handshakeDone();
    this.settingsReceived(settings);
    sender.serveLine();
  }

  /** Section 6.9.2: what changes is the window of every stream, by the difference. */
  #resizeSendWindows(size: number): void {
    const difference = size - this.#sendWindowBytes;
    this.#sendWindowBytes = size;
    if (difference === 0) return;
    for (const stream of this.streams.all()) {
      const window = widened(stream.sendWindow, difference);
      if (window === undefined) {
        throw new Violation(
          errorCode.FLOW_CONTROL_ERROR,
          'SETTINGS_INITIAL_WINDOW_SIZE makes the window of a stream larger than 2^31 - 1',
        );
      }
      stream.sendWindow = window;
    }
    // Only now: what a stream sends may close another.
    for (const stream of this.streams.all()) {
      if (!stream.isClosed && stream.queuedBytes > 0) this.sender.join(stream);
    }
  }

  #settingsAcknowledged(): void {
    if (this.#areSettingsAcknowledged) return;
    this.#areSettingsAcknowledged = true;
    this.#streamWindowBytes = this.options.streamWindowBytes;
    for (const stream of this.streams.all()) stream.resizeWindow(this.#streamWindowBytes);
    this.#handshakeDone();
  }

  #ping(flags: number, streamId: number, buffer: Buffer, from: number, to: number): void {
    if (streamId !== 0) throw new Violation(errorCode.PROTOCOL_ERROR, 'PING on a stream');
    if (to - from !== PING_BYTES) throw wrongSize('PING');
    if ((flags & flag.ACK) === 0) {
      this.#idleFrames.count();
      this.sender.ping(buffer.subarray(from, to), true);
      return;
    }
    const number = readWord(buffer, from) === 0 ? readWord(buffer, from + WORD_BYTES) : 0;
    const waiter = this.#pings?.get(number);
    if (waiter === undefined) {
      this.#idleFrames.count();
      return;
    }
    this.#pings?.delete(number);
    waiter.answered();
  }

  #goaway(streamId: number, buffer: Buffer, from: number, to: number): void {
    if (streamId !== 0) throw new Violation(errorCode.PROTOCOL_ERROR, 'GOAWAY on a stream');
    if (to - from < GOAWAY_BYTES) throw wrongSize('GOAWAY');
    this.#idleFrames.count();
    const code = readErrorCode(buffer, from + WORD_BYTES);
    const textFrom = from + GOAWAY_BYTES;
    const debugText = buffer.toString('utf8', textFrom, Math.min(to, textFrom + http2.debugBytesMax));
    this.#peerGoaway = { code, debugText };
    this.goawayReceived(readId(buffer, from), code, debugText);
  }

  #priority(streamId: number, buffer: Buffer, from: number, to: number): void {
    if (streamId === 0) throw onConnection('PRIORITY');
    this.#idleFrames.count();
    if (to - from === PRIORITY_BYTES) return;
    // Section 6.3: an error of the stream; but one that is idle can't be reset.
    if (this.isIdle(streamId)) throw wrongSize('PRIORITY');
    const stream = this.streams.get(streamId);
    if (stream === undefined) this.refuse(streamId, errorCode.FRAME_SIZE_ERROR);
    else stream.violated(errorCode.FRAME_SIZE_ERROR);
  }

  /** Section 5.1: on a stream that has not begun only HEADERS and PRIORITY may come. */
  #checkKnown(streamId: number, name: string): void {
    if (this.isIdle(streamId)) {
      throw new Violation(errorCode.PROTOCOL_ERROR, `${name} on stream ${streamId}, which has not begun`);
    }
  }

  #openWindow(bytes: number): void {
    const increment = this.#window.consume(bytes);
    if (increment > 0 && !this.#isEnding) this.sender.windowUpdate(0, increment);
  }

  #handshakeDone(): void {
    if (!this.#havePeerSettings || !this.#areSettingsAcknowledged) return;
    this.#handshakeTimer?.cancel();
    this.#handshakeTimer = undefined;
  }

  #handshakeTooLong(): void {
    const reason = this.#havePeerSettings
      ? 'our SETTINGS were not acknowledged in time'
      : 'the preface and SETTINGS did not come in time';
    const code = errorCode.SETTINGS_TIMEOUT;
    this.#fail(code, reason, { kind: 'violation', code, reason });
  }

  #watchHead(): void {
    if (this.#headTimer !== undefined) return;
    const seen = this.#headsBegun;
    this.#headTimer = this.options.clock.setTimer(this.options.handshakeTimeoutMs, () => {
      this.#headTimer = undefined;
      const isOnItsWay = this.#parts.streamId !== 0 || this.#reader.isWithinHead;
      if (!isOnItsWay || this.#isEnding) return;
      if (seen !== this.#headsBegun) return this.#watchHead();
      const reason = 'a header block did not come in time';
      const code = errorCode.ENHANCE_YOUR_CALM;
      this.#fail(code, reason, { kind: 'violation', code, reason });
    });
  }

  /** Tells the peer what was wrong, and ends. */
  #fail(code: ErrorCode, debugText: string, end: ConnectionEnd): void {
    if (this.#isEnding) return;
    this.sender.goaway(this.lastPeerStreamId, code, debugText);
    this.#finish(end, code);
  }

  /** Sends what there is, then closes; the peer has some time to do so too. */
  #finish(end: ConnectionEnd, code: ErrorCode = errorCode.CANCEL): void {
    this.#isEnding = true;
    this.#end ??= end;
    this.#rest = undefined;
    this.#closeStreams(() => code);
    this.sender.outbox.end();
    this.#linger();
    this.#socket.resume();
  }

  /** The peer has some time to read what it was told, as long as it goes on reading, and to close. */
  #linger(): void {
    const { unsentBytes } = this;
    this.#lingerTimer = this.options.clock.setTimer(http2.lingerMs, () => {
      if (this.unsentBytes < unsentBytes) this.#linger();
      else this.#socket.destroy();
    });
  }

  #closeStreams(codeOf: (stream: Opened) => ErrorCode): void {
    for (const stream of this.streams.all()) if (!stream.isClosed) stream.over(codeOf(stream), 'connection');
  }

  /** Nothing more goes in or out, and what was not given to the socket never will. */
  #lost(): void {
    this.#isEnding = true;
    this.#rest = undefined;
    this.sender.outbox.close();
    this.#closeStreams((stream) => this.codeOfLoss(stream));
  }

  /** What a stream is told when the connection is lost. */
  protected abstract codeOfLoss(stream: Opened): ErrorCode;

  /** The peer has ended its side, and with it the connection: replies to what came before still go out. */
  #peerEnded(): void {
    if (this.#isEnding) return;
    const end = this.#endOf(undefined);
    if (this.#isServer) {
      this.#finish(end);
      return;
    }
    this.#end ??= end;
    this.#lost();
    this.#socket.end();
    this.#linger();
  }

  #broken(error: Error): void {
    this.#end ??= this.#endOf(error);
    this.#lost();
  }

  #endOf(error: Error | undefined): ConnectionEnd {
    const goaway = this.#peerGoaway;
    if (goaway !== undefined && goaway.code !== errorCode.NO_ERROR) return { kind: 'peer', ...goaway };
    if (error === undefined && this.streams.size === 0) return { kind: 'done' };
    return { kind: 'io', error };
  }

  #socketClosed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end ??= this.#endOf(undefined);
    this.#handshakeTimer?.cancel();
    this.#headTimer?.cancel();
    this.#lingerTimer?.cancel();
    this.#lost();
    for (const waiter of this.#pings?.values() ?? []) waiter.lost();
    this.#pings = undefined;
    this.closed(this.#end);
  }
}

/** Who waits for the answer to a PING. */
export interface PingWaiter {
  answered(): void;
  /** The connection ended before. */
  lost(): void;
}

/** Section 3.4: each side begins with SETTINGS. */
function checkFirst(type: number, flags: number): void {
  if (type !== frameType.SETTINGS || (flags & flag.ACK) !== 0) {
    throw new Violation(errorCode.PROTOCOL_ERROR, 'the first frame is not SETTINGS');
  }
}

/** The bytes of padding at the end of a frame that begins with their number. Section 6.1. */
function paddingOf(buffer: Buffer, from: number, to: number): number {
  if (from === to)
    throw new Violation(errorCode.FRAME_SIZE_ERROR, 'a padded frame without the length of its padding');
  const padding = buffer[from]!;
  if (padding > to - from - 1) throw new Violation(errorCode.PROTOCOL_ERROR, 'more padding than frame');
  return padding;
}

function onConnection(name: string): Violation {
  return new Violation(errorCode.PROTOCOL_ERROR, `${name} on stream 0`);
}

function wrongSize(name: string): Violation {
  return new Violation(errorCode.FRAME_SIZE_ERROR, `${name} of a wrong length`);
}
