/**
 * The client's side of a connection. Beyond what both sides do:
 *
 *  1. it sends the preface, and lets nothing be pushed;
 *  2. it begins streams, as many as the server takes at once;
 *  3. a header block on a stream is the head of its response, or its trailers; informational ones (1xx) are passed over;
 *  4. it tells streams that were surely not acted on from the others, so that their requests may be made again.
 */
import type { Socket } from 'node:net';
import { http2 } from '../../limits.ts';
import { FINAL_STATUS_MIN, ResponseStream } from '../streams/client-stream.ts';
import { Connection } from './connection.ts';
import type { ConnectionEnd, EndpointOptions } from '../contract/endpoint.ts';
import { errorCode, type ErrorCode } from '../contract/error-code.ts';
import { fieldOf, type Field, type ResponseHead } from '../contract/fields.ts';
import { STREAM_ID_MAX, setting } from '../frames/frame.ts';
import { HeadReader } from '../heads/head-cache.ts';
import { HeadFault, toResponseHead, toTrailers } from '../heads/head.ts';
import { RequestEncoder } from '../hpack/encoder.ts';
import type { PeerSettings } from '../frames/settings.ts';
import type { ClientStream, ClientStreamHandler } from '../contract/stream.ts';
import { Violation } from '../frames/violation.ts';

/** What a client's connection tells its owner. */
export interface ClientConnectionOwner {
  /** The server's SETTINGS have come: it speaks HTTP/2, and its limits are known. */
  opened(): void;
  /** There is room for a request again, after there was none. */
  roomMade(): void;
  /**
   * No more requests can be made here: the server said so, or all ids of streams are used up. Those that the server did not
   * process are closed by 'connection' with REFUSED_STREAM, and may be made again elsewhere; the others go on, and the
   * connection closes when they are done. May come more than once.
   */
  goingAway(code: ErrorCode, debugText: string): void;
  /** The connection is over, and every stream's `closed` has been called. */
  closed(end: ConnectionEnd): void;
}

export class ClientConnection extends Connection<ResponseStream> {
  readonly #owner: ClientConnectionOwner;
  readonly #encoder = new RequestEncoder();
  readonly #heads: HeadReader<ResponseHead>;
  readonly #trailers: HeadReader<readonly Field[]>;
  #nextStreamId = 1;
  #concurrentStreamsMax: number = http2.streamsBeforeSettings;
  #isOpened = false;
  /** Whether a request was turned away for want of room, or the owner has seen that there is none. */
  #isFull = false;

  /** Takes over a socket that is connected, over TLS with `h2` agreed. Requests may be made at once. */
  constructor(socket: Socket, options: EndpointOptions, owner: ClientConnectionOwner) {
    super(socket, options, false);
    this.#owner = owner;
    this.#heads = new HeadReader(this.decoder, toResponseHead);
    this.#trailers = new HeadReader(this.decoder, toTrailers);
    this.sender.preface();
    this.open([[setting.ENABLE_PUSH, 0]]);
  }

  /** Whether the server's SETTINGS have come. */
  get isOpened(): boolean {
    return this.#isOpened;
  }

  /** The streams that may be open at once; a guess of 100 until `isOpened`. */
  get concurrentStreamsMax(): number {
    return this.#concurrentStreamsMax;
  }

  /** The requests that may be made now; 0 after `leave`, GOAWAY or the end. */
  get freeStreams(): number {
    const free =
      this.isEnding || this.isLeaving ? 0 : Math.max(0, this.#concurrentStreamsMax - this.streams.size);
    if (free === 0) this.#isFull = true;
    return free;
  }

  /**
   * Begins a request. Its body follows by the stream, also when it is empty: `end`.
   * @param fields pseudo-headers first; a list that is given again costs less, and must not be changed.
   * @param once fields of this request alone.
   * @returns undefined when no stream is free; nothing was sent then.
   */
  request(
    fields: readonly Field[],
    handler: ClientStreamHandler,
    once?: readonly Field[],
  ): ClientStream | undefined {
    if (this.freeStreams === 0) return undefined;
    const length = this.#encoder.encode(fields, once);
    const id = this.#nextStreamId;
    this.#nextStreamId += 2;
    this.sender.headers(id, this.#encoder.bytes, length, false);
    const { position } = this.sender.outbox;
    const isHeadRequest = fieldOf(fields, ':method') === 'HEAD';
    const stream = new ResponseStream(this, id, this.sendWindowBytes, position, handler, isHeadRequest);
    this.add(stream);
    if (this.#nextStreamId > STREAM_ID_MAX) this.#idsUsedUp();
    return stream;
  }

  /** Resolves when the server has answered; rejects when the connection ends before. */
  ping(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const lost = (): void => reject(new Error('the connection ended before the server answered a ping'));
    if (this.isEnding) lost();
    else this.sendPing({ answered: resolve, lost });
    return promise;
  }

  /** Makes no more requests, and closes when those under way are done. */
  leave(): void {
    if (this.isLeaving || this.isEnding) return;
    this.sender.goaway(0, errorCode.NO_ERROR, '');
    this.leaveWhenDone();
  }

  /** Closes at once; streams are closed by 'connection'. */
  destroy(error?: Error): void {
    this.loseAndDestroy({ kind: 'owner', error });
  }

  protected override get lastPeerStreamId(): number {
    return 0;
  }

  protected override isIdle(streamId: number): boolean {
    return streamId >= this.#nextStreamId || streamId % 2 === 0;
  }

  protected override headerBlock(
    streamId: number,
    isEnd: boolean,
    buffer: Buffer,
    from: number,
    to: number,
  ): void {
    const stream = this.streams.get(streamId);
    if (stream?.isHeadReceived === true) {
      this.#trailersReceived(stream, isEnd, this.#trailers.read(buffer, from, to));
      return;
    }
    const head = this.#heads.read(buffer, from, to);
    if (stream === undefined) this.#headOfClosed(streamId);
    else if (!stream.isRemoteOpen) stream.violated(errorCode.STREAM_CLOSED);
    else if (head instanceof HeadFault) stream.violated(errorCode.PROTOCOL_ERROR);
    else this.#headReceived(stream, head, isEnd);
  }

  protected override settingsApplied(settings: PeerSettings): void {
    const { maxConcurrentStreams } = settings;
    if (maxConcurrentStreams !== undefined || !this.#isOpened) {
      this.#concurrentStreamsMax = Math.min(maxConcurrentStreams ?? Infinity, http2.streamsOfClientMax);
    }
    const { headerTableSize, headerTableSizeMin } = settings;
    if (headerTableSizeMin !== undefined) this.#encoder.setTableBytesMax(headerTableSizeMin);
    if (headerTableSize !== undefined) this.#encoder.setTableBytesMax(headerTableSize);
    if (!this.#isOpened) {
      this.#isOpened = true;
      this.#owner.opened();
    }
    this.#tellRoom();
  }

  /**
   * Section 6.8: streams above the last one that the server names were not acted on, whatever the code. None begins in their
   * place: the owner knows that this connection takes no more before it hears of them.
   */
  protected override peerGoingAway(lastStreamId: number, code: ErrorCode, debugText: string): void {
    this.leaveWhenDone();
    this.#owner.goingAway(code, debugText);
    for (const stream of this.streams.all()) {
      if (stream.id > lastStreamId && !stream.isClosed) stream.over(errorCode.REFUSED_STREAM, 'connection');
    }
  }

  protected override resetByPeer(): void {
    // A server resets what it can't serve.
  }

  protected override streamClosed(): void {
    this.#tellRoom();
  }

  /** A request whose head never went to the socket was surely not acted on. */
  protected override codeOfLoss(stream: ResponseStream): ErrorCode {
    const wasSent = stream.headEnd <= stream.outputGiven;
    return wasSent ? errorCode.CANCEL : errorCode.REFUSED_STREAM;
  }

  protected override tellOwner(end: ConnectionEnd): void {
    this.#owner.closed(end);
  }

  /** Section 5.1.1: ids are not used again, so this was the last request. At 100,000 a second that takes three hours. */
  #idsUsedUp(): void {
    this.leave();
    const reason = 'all ids of streams are used up';
    this.options.clock.yieldNow(() => this.#owner.goingAway(errorCode.NO_ERROR, reason));
  }

  #headReceived(stream: ResponseStream, head: ResponseHead, isEnd: boolean): void {
    if (head.status < FINAL_STATUS_MIN) this.countIdleFrame();
    stream.receiveHead(head, isEnd);
  }

  #trailersReceived(stream: ResponseStream, isEnd: boolean, trailers: readonly Field[] | HeadFault): void {
    if (!stream.isRemoteOpen) stream.violated(errorCode.STREAM_CLOSED);
    else if (!isEnd || trailers instanceof HeadFault) stream.violated(errorCode.PROTOCOL_ERROR);
    else stream.receiveEnd(trailers);
  }

  #headOfClosed(streamId: number): void {
    if (this.isIdle(streamId)) {
      throw new Violation(errorCode.PROTOCOL_ERROR, `HEADERS on stream ${streamId}, which was not begun`);
    }
    if (!this.isLateHead(streamId)) this.refuse(streamId, errorCode.STREAM_CLOSED);
  }

  #tellRoom(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    if (this.freeStreams > 0) this.#owner.roomMade();
  }
}
