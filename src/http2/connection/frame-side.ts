/**
 * The frames of a connection: what each must look like by itself (RFC 9113, sections 3.4, 4 and 6), whatever its stream is.
 *
 * - Padding and priority are taken off, header blocks in several frames are joined; what is handed on is only valid within
 *   the call.
 * - The first frame of the peer is SETTINGS, and within a header block nothing else comes.
 * - A head that was begun has to come in time.
 *
 * An exception while bytes are read is a `Violation` or an `HpackError`: an error of the connection (section 5.4.1), which ends
 * by GOAWAY. Any other is a fault of the user's code: the connection ends with INTERNAL_ERROR, and the exception goes on.
 */
import type { Socket } from 'node:net';
import type { Timer } from '../../clock.ts';
import { http2 } from '../../limits.ts';
import type { ConnectionEnd, EndpointOptions } from '../contract/endpoint.ts';
import { errorCode, type ErrorCode } from '../contract/error-code.ts';
import { FrameReader, type FrameReceiver } from '../frames/frame-reader.ts';
import {
  GOAWAY_BYTES,
  PING_BYTES,
  PRIORITY_BYTES,
  WORD_BYTES,
  flag,
  frameType,
  readErrorCode,
  readId,
} from '../frames/frame.ts';
import { HeaderBlockParts } from '../frames/header-block.ts';
import { HpackError } from '../hpack/decoder.ts';
import { type PeerSettings, readSettings } from '../frames/settings.ts';
import { SocketSide } from './socket-side.ts';
import { Violation } from '../frames/violation.ts';

export abstract class FrameSide extends SocketSide implements FrameReceiver {
  protected readonly isServer: boolean;
  readonly #reader: FrameReader;
  readonly #parts: HeaderBlockParts;
  #havePeerSettings = false;
  /** Runs while a head was on its way at the end of what was read; it is looked at again when it fires. */
  #headTimer: Timer | undefined;
  /** Tells such a head from the one before. */
  #headCount = 0;

  constructor(socket: Socket, options: EndpointOptions, isServer: boolean) {
    super(socket, options);
    this.isServer = isServer;
    this.#reader = new FrameReader(this, isServer);
    this.#parts = new HeaderBlockParts(options.headerListBytesMax);
  }

  /** Tells the peer an error, breaks off every stream and closes. */
  goaway(code: ErrorCode, debugText: string): void {
    this.#fail(code, debugText, { kind: 'owner', error: undefined });
  }

  /** @internal A frame is whole: see `FrameReader`. */
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
        if (to - from !== WORD_BYTES) throw wrongSize('WINDOW_UPDATE');
        this.windowUpdateReceived(streamId, readId(buffer, from));
        break;
      case frameType.RST_STREAM:
        checkOnStream(streamId, 'RST_STREAM');
        if (to - from !== WORD_BYTES) throw wrongSize('RST_STREAM');
        this.resetReceived(streamId, readErrorCode(buffer, from));
        break;
      case frameType.SETTINGS:
        checkOnConnection(streamId, 'SETTINGS');
        this.#settings(flags, buffer, from, to);
        break;
      case frameType.PING:
        checkOnConnection(streamId, 'PING');
        if (to - from !== PING_BYTES) throw wrongSize('PING');
        this.pingReceived((flags & flag.ACK) !== 0, buffer.subarray(from, to));
        break;
      case frameType.GOAWAY:
        checkOnConnection(streamId, 'GOAWAY');
        this.#goaway(buffer, from, to);
        break;
      case frameType.PRIORITY:
        checkOnStream(streamId, 'PRIORITY');
        if (to - from >= WORD_BYTES) checkDependency(streamId, buffer, from);
        this.priorityReceived(streamId, to - from === PRIORITY_BYTES);
        break;
      case frameType.PUSH_PROMISE:
        throw new Violation(errorCode.PROTOCOL_ERROR, 'PUSH_PROMISE, where nothing may be pushed');
      default:
        // Section 5.5: extensions are passed over.
        this.unknownReceived();
    }
    return this.mayReadOn;
  }

  /** The highest stream of the peer that was acted on. */
  protected abstract get lastPeerStreamId(): number;

  /** The body lies from `from` to `to`; `frameBytes` count for the windows. */
  protected abstract dataReceived(
    streamId: number,
    buffer: Buffer,
    from: number,
    to: number,
    frameBytes: number,
    isEnd: boolean,
  ): void;

  /** A header block is whole. It must be decoded whatever becomes of it. */
  protected abstract headerBlock(
    streamId: number,
    isEnd: boolean,
    buffer: Buffer,
    from: number,
    to: number,
  ): void;

  /** @param streamId 0: the window of the connection. */
  protected abstract windowUpdateReceived(streamId: number, increment: number): void;

  protected abstract resetReceived(streamId: number, code: ErrorCode): void;

  protected abstract settingsReceived(settings: PeerSettings): void;

  protected abstract settingsAcknowledged(): void;

  protected abstract pingReceived(isAnswer: boolean, payload: Buffer): void;

  protected abstract goawayReceived(lastStreamId: number, code: ErrorCode, debugText: string): void;

  /** @param isWhole false: it has another length than it must have, which is an error of the stream. */
  protected abstract priorityReceived(streamId: number, isWhole: boolean): void;

  protected abstract unknownReceived(): void;

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

  protected override closed(_end: ConnectionEnd): void {
    this.#headTimer?.cancel();
  }

  protected get havePeerSettings(): boolean {
    return this.#havePeerSettings;
  }

  /** The peer broke a rule: it is told which, and the connection ends. */
  protected failViolated(code: ErrorCode, reason: string): void {
    this.#fail(code, reason, { kind: 'violation', code, reason });
  }

  #fail(code: ErrorCode, debugText: string, end: ConnectionEnd): void {
    if (this.isEnding) return;
    this.sender.goaway(this.lastPeerStreamId, code, debugText);
    this.finish(end, code);
  }

  #readFailed(error: unknown): void {
    if (error instanceof Violation) {
      this.failViolated(error.code, error.message);
    } else if (error instanceof HpackError) {
      this.failViolated(errorCode.COMPRESSION_ERROR, error.message);
    } else {
      this.goaway(errorCode.INTERNAL_ERROR, '');
      throw error;
    }
  }

  #data(flags: number, streamId: number, buffer: Buffer, from: number, to: number): void {
    checkOnStream(streamId, 'DATA');
    let dataFrom = from;
    let dataTo = to;
    if ((flags & flag.PADDED) !== 0) {
      dataTo -= paddingOf(buffer, from, to);
      dataFrom++;
    }
    this.dataReceived(streamId, buffer, dataFrom, dataTo, to - from, (flags & flag.END_STREAM) !== 0);
  }

  #headers(flags: number, streamId: number, buffer: Buffer, from: number, to: number): void {
    checkOnStream(streamId, 'HEADERS');
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
      checkDependency(streamId, buffer, blockFrom);
      blockFrom += PRIORITY_BYTES;
    }
    const isEnd = (flags & flag.END_STREAM) !== 0;
    this.#headCount++;
    if ((flags & flag.END_HEADERS) !== 0) this.headerBlock(streamId, isEnd, buffer, blockFrom, blockTo);
    else this.#parts.begin(streamId, isEnd, buffer, blockFrom, blockTo);
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

  #settings(flags: number, buffer: Buffer, from: number, to: number): void {
    if ((flags & flag.ACK) !== 0) {
      if (from !== to) throw wrongSize('an acknowledgement of SETTINGS');
      this.settingsAcknowledged();
    } else {
      const settings = readSettings(buffer, from, to, this.isServer);
      this.#havePeerSettings = true;
      this.settingsReceived(settings);
    }
  }

  #goaway(buffer: Buffer, from: number, to: number): void {
    if (to - from < GOAWAY_BYTES) throw wrongSize('GOAWAY');
    const textFrom = from + GOAWAY_BYTES;
    const debugText = buffer.toString('utf8', textFrom, Math.min(to, textFrom + http2.debugBytesMax));
    this.goawayReceived(readId(buffer, from), readErrorCode(buffer, from + WORD_BYTES), debugText);
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
        this.failViolated(errorCode.ENHANCE_YOUR_CALM, 'a header block did not come in time');
      } else {
        this.#watchHead();
      }
    });
  }
}

/** Section 3.4: each side begins with SETTINGS. */
function checkFirst(type: number, flags: number): void {
  if (type !== frameType.SETTINGS || (flags & flag.ACK) !== 0) {
    throw new Violation(errorCode.PROTOCOL_ERROR, 'the first frame is not SETTINGS');
  }
}

function checkOnStream(streamId: number, name: string): void {
  if (streamId === 0) throw new Violation(errorCode.PROTOCOL_ERROR, `${name} on stream 0`);
}

function checkOnConnection(streamId: number, name: string): void {
  if (streamId !== 0) throw new Violation(errorCode.PROTOCOL_ERROR, `${name} on stream ${streamId}`);
}

/** RFC 7540, section 5.3.1: the one thing in a priority that is an error still, to peers that know these. */
function checkDependency(streamId: number, buffer: Buffer, at: number): void {
  if (readId(buffer, at) === streamId) {
    throw new Violation(errorCode.PROTOCOL_ERROR, `stream ${streamId} depends on itself`);
  }
}

/** The bytes of padding at the end of a frame that begins with their number. Section 6.1. */
function paddingOf(buffer: Buffer, from: number, to: number): number {
  if (from === to) {
    throw new Violation(errorCode.FRAME_SIZE_ERROR, 'a padded frame without the length of its padding');
  }
  const padding = buffer[from]!;
  if (padding > to - from - 1) throw new Violation(errorCode.PROTOCOL_ERROR, 'more padding than frame');
  return padding;
}

function wrongSize(name: string): Violation {
  return new Violation(errorCode.FRAME_SIZE_ERROR, `${name} of a wrong length`);
}
