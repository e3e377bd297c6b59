/**
 * One request on its way to the writer, and the reply on its way back: bytes as they are, no faster than either side takes them.
 *
 *     waiting --> sent --> over      waiting: for a connection; sent: it has a stream; over: the reply has come whole, it was
 *        |                  ^        canceled, or `failed` was told
 *        +------------------+
 *
 * It is sent once. Whether the writer may have got it when its connection was lost is told by the error: a stream that was refused,
 * or whose head never left for the socket, has changed nothing (`ClientConnection`).
 */
import type { StoreError } from '../../errors.ts';
import { type ErrorCode, errorCode } from '../../http2/contract/error-code.ts';
import type { Field, ResponseHead } from '../../http2/contract/fields.ts';
import type { ClientStream, ClientStreamHandler, ClosedBy } from '../../http2/contract/stream.ts';
import type { PeerConnection } from './peer-connection.ts';
import type { PeerCall, PeerConnections } from './peer-connections.ts';
import { lostCallError, noWriterError } from './writer-errors.ts';

/** Takes the reply. */
export interface UpstreamReceiver {
  replyHead(head: ResponseHead): void;
  /** Bytes lie in `buffer` from `from` to `to`, during the call only. The writer may send as many more by `consumed`. */
  replyData(buffer: Buffer, from: number, to: number): void;
  replyEnd(trailers: readonly Field[]): void;
  /** What was sent of the request has left, after a `send` that returned false. */
  requestDrained(): void;
  /** There is no reply, or no more of it. */
  replyFailed(error: StoreError): void;
}

export interface UpstreamOptions {
  readonly peers: PeerConnections;
  /** Of the writer, as `HOST:PORT`. */
  readonly address: string;
  /** Pseudo-headers first; the same list costs less when it comes again. */
  readonly fields: readonly Field[];
  /** It can't change anything. */
  readonly isRead: boolean;
}

export class Upstream implements ClientStreamHandler, PeerCall {
  readonly #options: UpstreamOptions;
  readonly #receiver: UpstreamReceiver;
  /** What waits for a connection. */
  #unsent: Uint8Array[] = [];
  #hasEnded = false;
  #connection: PeerConnection | undefined;
  #stream: ClientStream | undefined;
  #isOver = false;

  constructor(options: UpstreamOptions, receiver: UpstreamReceiver) {
    this.#options = options;
    this.#receiver = receiver;
  }

  /** May tell `replyFailed` at once. */
  open(): void {
    this.#options.peers.place(this.#options.address, this);
  }

  /** @param bytes must not change. @returns false: what comes next should wait for `requestDrained`. */
  send(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    if (this.#stream !== undefined) return this.#stream.write(bytes);
    this.#unsent.push(bytes);
    return false;
  }

  endRequest(): void {
    if (this.#isOver || this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stream?.end();
  }

  /** Lets the writer send so many bytes more of the reply. */
  consumed(bytes: number): void {
    this.#stream?.consumed(bytes);
  }

  /** The reply is not wanted any more. Nothing is told afterwards. */
  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unsent = [];
    if (this.#stream === undefined) this.#options.peers.withdraw(this.#options.address, this);
    else this.#stream.reset(errorCode.CANCEL);
  }

  begin(connection: PeerConnection): boolean {
    const stream = connection.request(this.#options.fields, this);
    if (stream === undefined) return false;
    this.#connection = connection;
    this.#stream = stream;
    const unsent = this.#unsent;
    this.#unsent = [];
    let isDrained = true;
    for (const bytes of unsent) isDrained = stream.write(bytes);
    if (this.#hasEnded) stream.end();
    if (unsent.length > 0 && isDrained) this.#receiver.requestDrained();
    return true;
  }

  refuse(reason: Error): void {
    const { address } = this.#options;
    this.#fail(noWriterError(`the writer at ${address} can't be reached: ${reason.message}`, address));
  }

  head(head: ResponseHead): void {
    if (!this.#isOver) this.#receiver.replyHead(head);
  }

  data(buffer: Buffer, from: number, to: number): void {
    if (!this.#isOver) this.#receiver.replyData(buffer, from, to);
  }

  drained(): void {
    if (!this.#isOver) this.#receiver.requestDrained();
  }

  /** Of the reply. With it all is told, whatever becomes of the request. */
  end(trailers: readonly Field[]): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#receiver.replyEnd(trailers);
  }

  closed(code: ErrorCode, by: ClosedBy): void {
    this.#connection?.ended();
    this.#connection = undefined;
    if (this.#isOver) return;
    const { address, isRead } = this.#options;
    if (code === errorCode.REFUSED_STREAM) {
      return this.#fail(noWriterError(`the writer at ${address} did not take the call`, address));
    }
    const why = by === 'connection' ? 'it closed the connection' : `it broke the call off, with code ${code}`;
    this.#fail(lostCallError(address, why, isRead));
  }

  #fail(error: StoreError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unsent = [];
    this.#receiver.replyFailed(error);
  }
}
