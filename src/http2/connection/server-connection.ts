/**
 * The server's side of a connection. Beyond what both sides do:
 *
 *  1. it expects the client's preface;
 *  2. a header block on a new stream is a request, which its receiver gets once it is whole; on an open one it is trailers;
 *  3. it refuses what is malformed (RST_STREAM), too long (status 431, unless told otherwise), or one stream too many (REFUSED_STREAM);
 *  4. it shuts down in two steps, so that no request is lost that the client sent before it knew (RFC 9113, section 6.8).
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { http2 } from '../../limits.ts';
import { NO_FIELDS } from '../streams/body-stream.ts';
import { AnsweredRequests } from './answered-requests.ts';
import { Connection } from './connection.ts';
import type { ConnectionEnd, EndpointOptions } from '../contract/endpoint.ts';
import { errorCode, type ErrorCode } from '../contract/error-code.ts';
import type { Field, HeaderBlock, RequestHead } from '../contract/fields.ts';
import { STREAM_ID_MAX, setting } from '../frames/frame.ts';
import { HeadReader } from '../heads/head-cache.ts';
import { HeadFault, toRequestHead, toTrailers } from '../heads/head.ts';
import { encodeBlock } from '../hpack/encoder.ts';
import { type RequestCarrier, RequestStream } from '../streams/server-stream.ts';
import type { PeerSettings } from '../frames/settings.ts';
import type { RequestReceiver, StreamHandler } from '../contract/stream.ts';
import { Violation } from '../frames/violation.ts';

export interface ServerConnectionOptions extends EndpointOptions {
  readonly concurrentStreamsMax: number;
  /** What a request of this content type, whose head is too long, is answered with; without it the status 431. */
  readonly headTooLong?: (contentType: string) => HeaderBlock | undefined;
  /** The connection is over, and every stream's `closed` has been called. */
  readonly onClosed: (connection: ServerConnection, end: ConnectionEnd) => void;
}

/** Request Header Fields Too Large: RFC 6585, section 5. */
const headTooLong = encodeBlock([[':status', '431']]);

export class ServerConnection extends Connection<RequestStream> implements RequestCarrier {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly isTls: boolean;
  readonly #serverOptions: ServerConnectionOptions;
  readonly #receive: RequestReceiver;
  readonly #heads: HeadReader<RequestHead>;
  /** Made with the first trailers: hardly a client of gRPC sends any. */
  #trailers: HeadReader<readonly Field[]> | undefined;
  #lastStreamId = 0;
  /** The streams that the client has begun: when its ids have no gaps they tell how many there were. */
  #begunCount = 0;
  /** Made with the first one. */
  #answeredRequests: AnsweredRequests | undefined;
  #isShuttingDown = false;
  /** Streams above this id are not begun any more. */
  #lastAcceptedId = STREAM_ID_MAX;

  /** Takes a socket over, with what was `unshift`ed to it. It begins to read and to write at once. */
  constructor(socket: Socket, options: ServerConnectionOptions, receive: RequestReceiver) {
    super(socket, options, true);
    this.#serverOptions = options;
    this.#receive = receive;
    this.#heads = new HeadReader(this.decoder, toRequestHead);
    this.remoteAddress = socket.remoteAddress ?? '';
    this.localAddress = socket.localAddress ?? '';
    this.isTls = (socket as Partial<TLSSocket>).encrypted === true;
    this.open([[setting.MAX_CONCURRENT_STREAMS, options.concurrentStreamsMax]]);
  }

  /**
   * Takes no new stream and closes when the last one is done, in two steps: requests that are on their way when the peer
   * learns of it are still served (RFC 9113, section 6.8). A second call does nothing.
   */
  shutdown(debugText = ''): void {
    if (this.#isShuttingDown || this.isEnding) return;
    this.#isShuttingDown = true;
    this.sender.goaway(STREAM_ID_MAX, errorCode.NO_ERROR, debugText);
    this.sendPing({
      answered: () => {
        if (this.isEnding) return;
        this.#lastAcceptedId = this.#lastStreamId;
        this.sender.goaway(this.#lastStreamId, errorCode.NO_ERROR, debugText);
        this.leaveWhenDone();
      },
      lost: () => undefined,
    });
  }

  /** Closes at once, without a word. */
  destroy(): void {
    this.loseAndDestroy({ kind: 'owner', error: undefined });
  }

  /** @internal */
  answeredEarly(stream: RequestStream): StreamHandler {
    this.#answeredRequests ??= new AnsweredRequests(this.options.clock);
    return this.#answeredRequests.add(stream);
  }

  protected override get lastPeerStreamId(): number {
    return this.#lastStreamId;
  }

  protected override isIdle(streamId: number): boolean {
    return streamId > this.#lastStreamId || streamId % 2 === 0;
  }

  protected override headerBlock(
    streamId: number,
    isEnd: boolean,
    buffer: Buffer,
    from: number,
    to: number,
  ): void {
    if (streamId > this.#lastStreamId) this.#begin(streamId, isEnd, this.#heads.read(buffer, from, to));
    else this.#goOn(streamId, isEnd, this.#readTrailers(buffer, from, to));
  }

  protected override settingsApplied(settings: PeerSettings): void {
    // What is sent here uses no dynamic table; a client that made it smaller waits to be told so.
    const { headerTableSizeMin } = settings;
    if (headerTableSizeMin !== undefined && headerTableSizeMin < http2.headerTableBytes) {
      this.sender.isTableSizeDue = true;
    }
  }

  /** The client makes no more requests. */
  protected override peerGoingAway(): void {
    this.leaveWhenDone();
  }

  /** A client that has begun to read its response has what it asked for: it may have enough, as of a watch that has no other end. */
  protected override resetByPeer(stream: RequestStream): void {
    if (stream.isResponseBegun) this.countIdleFrame();
    else this.countViolation();
  }

  protected override streamClosed(): void {
    // Nothing waits for room here.
  }

  protected override codeOfLoss(): ErrorCode {
    return errorCode.CANCEL;
  }

  protected override tellOwner(end: ConnectionEnd): void {
    this.#answeredRequests?.close();
    this.#serverOptions.onClosed(this, end);
  }

  #begin(streamId: number, isEnd: boolean, head: RequestHead | HeadFault): void {
    if (streamId % 2 === 0) {
      throw new Violation(errorCode.PROTOCOL_ERROR, `a request on stream ${streamId}: clients have odd ones`);
    }
    this.#lastStreamId = streamId;
    this.#begunCount++;
    this.countRequest();
    if (streamId > this.#lastAcceptedId) {
      this.refuse(streamId, errorCode.REFUSED_STREAM);
    } else if (this.streams.size >= this.#serverOptions.concurrentStreamsMax) {
      this.refuse(streamId, errorCode.REFUSED_STREAM);
    } else if (!(head instanceof HeadFault)) {
      this.#request(streamId, isEnd, head);
    } else if (head.kind === 'malformed') {
      this.refuse(streamId, errorCode.PROTOCOL_ERROR);
    } else {
      const stream = this.#open(streamId, undefined);
      if (isEnd) stream.endRemote();
      stream.respond(this.#serverOptions.headTooLong?.(head.contentType ?? '') ?? headTooLong, true);
      this.countViolation();
    }
  }

  #request(streamId: number, isEnd: boolean, head: RequestHead): void {
    const stream = this.#open(streamId, head.contentLength);
    if (isEnd && !stream.remoteEnded()) return;
    stream.handler = this.#receive(stream, head);
    if (isEnd) stream.tellEnd(NO_FIELDS);
  }

  #open(streamId: number, contentLength: number | undefined): RequestStream {
    const stream = new RequestStream(this, streamId, this.sendWindowBytes, contentLength);
    this.add(stream);
    return stream;
  }

  #readTrailers(buffer: Buffer, from: number, to: number): readonly Field[] | HeadFault {
    this.#trailers ??= new HeadReader(this.decoder, toTrailers);
    return this.#trailers.read(buffer, from, to);
  }

  /** A header block on a stream that has begun: trailers, or an error. */
  #goOn(streamId: number, isEnd: boolean, trailers: readonly Field[] | HeadFault): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (!this.isLateHead(streamId)) throw this.#closedStream(streamId);
    } else if (!stream.isRemoteOpen) {
      stream.violated(errorCode.STREAM_CLOSED);
    } else if (!isEnd || trailers instanceof HeadFault) {
      stream.violated(errorCode.PROTOCOL_ERROR);
    } else {
      stream.receiveEnd(trailers);
    }
  }

  /** Sections 5.1 and 5.1.1: the stream was closed, or was passed over by one with a higher id. */
  #closedStream(streamId: number): Violation {
    const hasGaps = this.#lastStreamId !== 2 * this.#begunCount - 1;
    return hasGaps
      ? new Violation(errorCode.PROTOCOL_ERROR, `a request on stream ${streamId}: ids go up`)
      : new Violation(errorCode.STREAM_CLOSED, `HEADERS on stream ${streamId}, which is closed`);
  }
}
