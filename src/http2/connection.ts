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
  setting,
} from './frame.ts';
import { HeaderBlockParts } from './header-block.ts';
import { HpackDecoder, HpackError } from './hpack/decoder.ts';
import { IdleFrames } from './idle-frames.ts';
import { Pings, type PingWaiter } from './pings.ts';
import { RecentResets } from './recent-resets.ts';
import { type PeerSettings, readSettings } from './settings.ts';
import { SocketSide } from './socket-side.ts';
import { StreamTable } from './stream-table.ts';
import { Violation } from './violation.ts';
import { ReceiveWindow, widened } from './window.ts';

export abstract class Connection<Opened extends BodyStream>
  extends SocketSide
  implements FrameReceiver, StreamCarrier
{
  protected readonly decoder: HpackDecoder;
  protected readonly streams = new StreamTable<Opened>();
  readonly #isServer: boolean;
  readonly #reader: FrameReader;
  readonly #parts: HeaderBlockParts;
  readonly #window: ReceiveWindow;
  readonly #idleFrames: IdleFrames;
  readonly #recentResets = new RecentResets();
  readonly #pings = new Pings();
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
  /** Tells such a head from the one before. */
  #headCount = 0;

  /** The connection closes when no stream is open. */
  #isLeaving = false;
  #peerGoaway: { readonly code: ErrorCode; readonly debugText: string } | undefined;

  constructor(socket: Socket, options: EndpointOptions, isServer: boolean) {
    super(socket, options);
    this.#isServer = isServer;
    this.decoder = new HpackDecoder(options.headerListBytesMax);
    this.#reader = new FrameReader(this, isServer);
    this.#parts = new HeaderBlockParts(options.headerListBytesMax);
    this.#window = new ReceiveWindow(Math.max(WINDOW_DEFAULT, options.connectionWindowBytes));
    this.#idleFrames = new IdleFrames(options.clock, this.sender);
  }

  override get streamCount(): number {
    return this.streams.size;
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

  /** What a stream is told when the connection is lost. */
  protected abstract codeOfLoss(stream: Opened): ErrorCode;

  protected abstract tellOwner(end: ConnectionEnd): void;

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
    this.begin();
  }

  protected get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** Takes no new stream, and closes when the last one is done. */
  protected leaveWhenDone(): void {
    this.#isLeaving = true;
    if (this.streams.size === 0 && !this.isEnding) this.finish(this.endOf(undefined));
  }

  protected add(stream: Opened): void {
    this.streams.add(stream);
    this.noLongerIdle();
  }

  protected get sendWindowBytes(): number {
    return this.#sendWindowBytes;
  }

  protected isRecentlyReset(streamId: number): boolean {
    return this.#recentResets.has(streamId);
  }

  protected sendPing(waiter: PingWaiter): void {
    this.sender.ping(this.#pings.add(waiter), false);
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
    return this.mayReadOn;
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
    if (this.isEnding) return;
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
    if (this.#isLeaving && !this.isEnding) this.finish(this.endOf(undefined));
    else this.askTurn();
  }

  protected override read(bytes: Buffer): number {
    try {
      return this.#reader.read(bytes, 0, bytes.length);
    } catch (error) {
      this.#readFailed(error);
      return bytes.length;
    } finally {
      if (this.#isHeadOnItsWay) this.#watchHead();
    }
  }

  /** The peer has ended its side, and with it the connection: a server's replies to what came before still go out. */
  protected override peerEnded(): void {
    const end = this.endOf(undefined);
    if (this.#isServer) this.finish(end);
    else this.loseAndEnd(end);
  }

  protected override breakOff(code: ErrorCode): void {
    for (const stream of this.streams.all()) if (!stream.isClosed) stream.over(code, 'connection');
  }

  protected override breakOffLost(): void {
    for (const stream of this.streams.all()) {
      if (!stream.isClosed) stream.over(this.codeOfLoss(stream), 'connection');
    }
  }

  protected override endOf(error: Error | undefined): ConnectionEnd {
    const goaway = this.#peerGoaway;
    if (goaway !== undefined && goaway.code !== errorCode.NO_ERROR) return { kind: 'peer', ...goaway };
    if (error === undefined && this.streams.size === 0) return { kind: 'done' };
    return { kind: 'io', error };
  }

  protected override closed(end: ConnectionEnd): void {
    this.#handshakeTimer?.cancel();
    this.#headTimer?.cancel();
    this.#pings.lose();
    this.tellOwner(end);
  }

  #readFailed(error: unknown): void {
    if (error instanceof Violation) {
      this.#failViolated(error.code, error.message);
    } else if (error instanceof HpackError) {
      this.#failViolated(errorCode.COMPRESSION_ERROR, error.message);
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
    this.#headCount++;
    if ((flags & flag.END_HEADERS) !== 0) {
      this.headerBlock(streamId, isEnd, buffer, blockFrom, blockTo);
    } else {
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
    if (!this.#pings.answered(buffer, from)) this.#idleFrames.count();
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
    if (increment > 0 && !this.isEnding) this.sender.windowUpdate(0, increment);
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
    this.#failViolated(errorCode.SETTINGS_TIMEOUT, reason);
  }

  get #isHeadOnItsWay(): boolean {
    return (this.#parts.streamId !== 0 || this.#reader.isWithinHead) && !this.isEnding;
  }

  #watchHead(): void {
    if (this.#headTimer !== undefined) return;
    const seen = this.#headCount;
    this.#headTimer = this.options.clock.setTimer(this.options.handshakeTimeoutMs, () => {
      this.#headTimer = undefined;
      if (!this.#isHeadOnItsWay) return;
      if (seen === this.#headCount) {
        this.#failViolated(errorCode.ENHANCE_YOUR_CALM, 'a header block did not come in time');
      } else {
        this.#watchHead();
      }
    });
  }

  #failViolated(code: ErrorCode, reason: string): void {
    this.#fail(code, reason, { kind: 'violation', code, reason });
  }

  /** Tells the peer what was wrong, and ends. */
  #fail(code: ErrorCode, debugText: string, end: ConnectionEnd): void {
    if (this.isEnding) return;
    this.sender.goaway(this.lastPeerStreamId, code, debugText);
    this.finish(end, code);
  }
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
