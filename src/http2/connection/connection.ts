/**
 * A connection of HTTP/2 (RFC 9113), as server and client have it alike, on a socket or TLS socket that it takes over.
 *
 * What it does:
 *  1. gives each frame to its stream, or acts on it: SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM;
 *  2. keeps both windows of the connection, and tells streams of theirs;
 *  3. tells apart streams that are open, were reset from here, are closed, or have not begun (section 5.1);
 *  4. bounds what the peer may do: frames that bring nothing, streams that it resets or breaks, the time for SETTINGS;
 *  5. closes when its last stream is done and it was to be left, by either side.
 *
 * What lies below: `FrameSide` reads frames and has them in their form, `SocketSide` has the socket, the turns of the event
 * loop and the end, `Sender` what is sent.
 * What it leaves to server and client: which streams begin, and what their header blocks mean.
 * What it leaves alone on purpose: priorities (section 5.3.2), server push, extensions; the meaning of requests; time limits on
 * requests, on idle connections and on those that do not read, which are the owner's.
 */
import type { Socket } from 'node:net';
import type { Timer } from '../../clock.ts';
import { http2 } from '../../limits.ts';
import type { BodyStream, StreamCarrier } from '../streams/body-stream.ts';
import { Budget } from './budget.ts';
import type { ConnectionEnd, EndpointOptions } from '../contract/endpoint.ts';
import { errorCode, type ErrorCode } from '../contract/error-code.ts';
import { FrameSide } from './frame-side.ts';
import { WINDOW_DEFAULT, setting } from '../frames/frame.ts';
import { HpackDecoder } from '../hpack/decoder.ts';
import { IdleFrames } from './idle-frames.ts';
import { Pings, type PingWaiter } from './pings.ts';
import { RecentResets } from './recent-resets.ts';
import type { PeerSettings } from '../frames/settings.ts';
import { StreamTable } from '../streams/stream-table.ts';
import { Violation } from '../frames/violation.ts';
import { ReceiveWindow, widened } from '../output/window.ts';

export abstract class Connection<Opened extends BodyStream> extends FrameSide implements StreamCarrier {
  protected readonly decoder: HpackDecoder;
  protected readonly streams = new StreamTable<Opened>();
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
  #handshakeTimer: Timer | undefined;

  /** The connection closes when no stream is open. */
  #isLeaving = false;
  #peerGoaway: { readonly code: ErrorCode; readonly debugText: string } | undefined;

  constructor(socket: Socket, options: EndpointOptions, isServer: boolean) {
    super(socket, options, isServer);
    this.decoder = new HpackDecoder(options.headerListBytesMax);
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

  /** Whether no stream of this id has begun yet. */
  protected abstract isIdle(streamId: number): boolean;

  /** The peer's SETTINGS have been acted on, as far as both sides do. */
  protected abstract settingsApplied(settings: PeerSettings): void;

  /** The peer takes no more streams above this one, and has told why. */
  protected abstract peerGoingAway(lastStreamId: number, code: ErrorCode, debugText: string): void;

  /** The peer has reset a stream, which has had its end. */
  protected abstract resetByPeer(stream: Opened): void;

  /** A stream has left the table. */
  protected abstract streamClosed(): void;

  /** What a stream is told when the connection is lost. */
  protected abstract codeOfLoss(stream: Opened): ErrorCode;

  protected abstract tellOwner(end: ConnectionEnd): void;

  protected get isLeaving(): boolean {
    return this.#isLeaving;
  }

  protected get sendWindowBytes(): number {
    return this.#sendWindowBytes;
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

  /** Takes no new stream, and closes when the last one is done. */
  protected leaveWhenDone(): void {
    this.#isLeaving = true;
    if (this.streams.size === 0 && !this.isEnding) this.finish(this.endOf(undefined));
  }

  protected add(stream: Opened): void {
    this.streams.add(stream);
    this.noLongerIdle();
  }

  /** Whether a header block on a stream that is closed is to be passed over: it was on its way when the stream was reset. */
  protected isLateHead(streamId: number): boolean {
    const isLate = this.#recentResets.has(streamId);
    if (isLate) this.#idleFrames.count();
    return isLate;
  }

  protected countIdleFrame(): void {
    this.#idleFrames.count();
  }

  /** A frame of the peer on a stream that is in no table, or can't be: RST_STREAM. */
  protected refuse(streamId: number, code: ErrorCode): void {
    this.sendReset(streamId, code);
    this.countViolation();
  }

  protected sendPing(waiter: PingWaiter): void {
    this.sender.ping(this.#pings.add(waiter), false);
  }

  protected override dataReceived(
    streamId: number,
    buffer: Buffer,
    from: number,
    to: number,
    frameBytes: number,
    isEnd: boolean,
  ): void {
    if (!this.#window.take(frameBytes)) {
      throw new Violation(errorCode.FLOW_CONTROL_ERROR, 'more DATA than the window of the connection allows');
    }
    if (!this.options.isConnectionWindowHeld) this.#openWindow(frameBytes);
    if (from === to && !isEnd) this.#idleFrames.count();
    const stream = this.streams.get(streamId);
    if (stream !== undefined) {
      stream.receiveData(buffer, from, to, frameBytes, isEnd);
      return;
    }
    this.#checkBegun(streamId, 'DATA');
    this.consumed(frameBytes);
    if (!this.#recentResets.has(streamId)) this.refuse(streamId, errorCode.STREAM_CLOSED);
    else if (from === to && isEnd) this.#idleFrames.count();
  }

  protected override windowUpdateReceived(streamId: number, increment: number): void {
    this.#idleFrames.countUpdate();
    if (streamId === 0) {
      this.#widenConnection(increment);
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      this.#checkBegun(streamId, 'WINDOW_UPDATE');
      return;
    }
    const window = widened(stream.sendWindow, increment);
    if (increment === 0) {
      stream.violated(errorCode.PROTOCOL_ERROR);
    } else if (window === undefined) {
      stream.violated(errorCode.FLOW_CONTROL_ERROR);
    } else {
      stream.sendWindow = window;
      if (stream.queuedBytes > 0) this.sender.join(stream);
    }
  }

  protected override resetReceived(streamId: number, code: ErrorCode): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      this.#checkBegun(streamId, 'RST_STREAM');
      this.#idleFrames.count();
      return;
    }
    // Section 8.1: a server that has sent all of its response asks for no more of the request so. Else something is missing.
    const isMissing = code === errorCode.NO_ERROR && (this.isServer || stream.isRemoteOpen);
    stream.over(isMissing ? errorCode.CANCEL : code, 'peer');
    this.resetByPeer(stream);
  }

  protected override settingsReceived(settings: PeerSettings): void {
    const { sender } = this;
    const { initialWindowSize = this.#sendWindowBytes } = settings;
    const difference = initialWindowSize - this.#sendWindowBytes;
    this.#idleFrames.countSettings(difference === 0 ? 0 : this.streams.size);
    this.#sendWindowBytes = initialWindowSize;
    if (difference !== 0) this.#resizeSendWindows(difference);
    sender.settingsAck();
    this.#shakeHands();
    this.settingsApplied(settings);
    sender.serveLine();
  }

  protected override settingsAcknowledged(): void {
    this.#idleFrames.count();
    if (this.#areSettingsAcknowledged) return;
    this.#areSettingsAcknowledged = true;
    this.#streamWindowBytes = this.options.streamWindowBytes;
    for (const stream of this.streams.all()) stream.resizeWindow(this.#streamWindowBytes);
    this.#shakeHands();
  }

  protected override pingReceived(isAnswer: boolean, payload: Buffer): void {
    if (isAnswer && this.#pings.answered(payload)) return;
    this.#idleFrames.count();
    if (!isAnswer) this.sender.ping(payload, true);
  }

  protected override goawayReceived(lastStreamId: number, code: ErrorCode, debugText: string): void {
    this.#idleFrames.countUnearned();
    this.#peerGoaway = { code, debugText };
    this.peerGoingAway(lastStreamId, code, debugText);
  }

  protected override priorityReceived(streamId: number, isWhole: boolean): void {
    this.#idleFrames.count();
    if (isWhole) return;
    const stream = this.streams.get(streamId);
    if (stream !== undefined) {
      stream.violated(errorCode.FRAME_SIZE_ERROR);
    } else if (this.isIdle(streamId)) {
      // Section 6.4: one that has not begun can't be reset.
      throw new Violation(errorCode.FRAME_SIZE_ERROR, 'PRIORITY of a wrong length');
    } else {
      this.refuse(streamId, errorCode.FRAME_SIZE_ERROR);
    }
  }

  protected override unknownReceived(): void {
    this.#idleFrames.count();
  }

  /**
   * The peer has ended its side, and with it the connection: most have gone, and their streams end at once. What a server has
   * answered by then still goes out; what is under way goes unanswered, a write as one whose connection was lost.
   */
  protected override peerEnded(): void {
    const end = this.endOf(undefined);
    if (this.isServer) this.finish(end);
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
    super.closed(end);
    this.#handshakeTimer?.cancel();
    this.#pings.lose();
    this.tellOwner(end);
  }

  /** Section 5.1: on a stream that has not begun only HEADERS and PRIORITY may come. */
  #checkBegun(streamId: number, name: string): void {
    if (this.isIdle(streamId)) {
      throw new Violation(errorCode.PROTOCOL_ERROR, `${name} on stream ${streamId}, which has not begun`);
    }
  }

  #widenConnection(increment: number): void {
    const { sender } = this;
    if (increment === 0) throw new Violation(errorCode.PROTOCOL_ERROR, 'a WINDOW_UPDATE of 0');
    const window = widened(sender.window, increment);
    if (window === undefined) {
      throw new Violation(errorCode.FLOW_CONTROL_ERROR, 'the window of the connection is beyond 2^31 - 1');
    }
    sender.window = window;
    sender.serveLine();
  }

  /** Section 6.9.2: what changes is the window of every stream, by the difference. */
  #resizeSendWindows(difference: number): void {
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

  #openWindow(bytes: number): void {
    const increment = this.#window.consume(bytes);
    if (increment > 0 && !this.isEnding) this.sender.windowUpdate(0, increment);
  }

  /** Both sides have told their SETTINGS, and the peer has acknowledged ours. */
  #shakeHands(): void {
    if (!this.havePeerSettings || !this.#areSettingsAcknowledged) return;
    this.#handshakeTimer?.cancel();
    this.#handshakeTimer = undefined;
  }

  #handshakeTooLong(): void {
    const reason = this.havePeerSettings
      ? 'our SETTINGS were not acknowledged in time'
      : 'the preface and SETTINGS did not come in time';
    this.failViolated(errorCode.SETTINGS_TIMEOUT, reason);
  }
}
