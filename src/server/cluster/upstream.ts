/**
 * One request on its way to the writer, and the reply on its way back: bytes as they are, no faster than either side takes them.
 *
 *     waiting <--> placed <--> sent --> over
 *        |            |                  ^
 *        +------------+------------------+
 *
 *     waiting   there is no writer, or the one that is known is not reached: it is looked again every so often, for a while
 *     placed    it waits for a connection to the writer
 *     sent      it has a stream
 *     over      the reply has come whole, it was canceled, or `replyFailed` was told
 *
 * What may change something is done once. Whether the writer may have got it when its connection was lost is told by the error: a stream
 * that was refused, or whose head never left for the socket, has changed nothing (`ClientConnection`); if it was short, it waits and is
 * sent again.
 *
 * When the cluster has another writer meanwhile (`WriterWatch`), a call that waits goes there, and so does a short read of whose reply
 * nothing has come; another one that was sent is given up, since its writer may stand still. It is given a moment before: one that was
 * overtaken, and is there, tells by itself what became of it. The writer may be this node by then, which the call reaches as any other.
 */
import type { StoreError } from '../../errors.ts';
import { type ErrorCode, errorCode } from '../../http2/contract/error-code.ts';
import type { Field, ResponseHead } from '../../http2/contract/fields.ts';
import type { ClientStream, ClientStreamHandler, ClosedBy } from '../../http2/contract/stream.ts';
import type { ForwardingOutcome } from '../metrics/cluster/node-meter.ts';
import type { PeerConnection } from './peer-connection.ts';
import { forwarding as limits } from '../../limits.ts';
import type { PeerCall, PeerConnections } from './peer-connections.ts';
import { lostCallError, noWriterError, overtakenCallError } from './writer-errors.ts';
import type { Looking } from './writer-watch.ts';

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
  /** Of the writer, as `HOST:PORT`; '': there is none now. */
  readonly address: string;
  /** Pseudo-headers first; the same list costs less when it comes again. */
  readonly fields: readonly Field[];
  /** It can't change anything. */
  readonly isRead: boolean;
}

export class Upstream implements ClientStreamHandler, PeerCall, Looking {
  readonly #options: UpstreamOptions;
  readonly #receiver: UpstreamReceiver;
  /** Of the writer that it goes to, and was sent to. */
  #address: string;
  /** What waits for a stream. */
  #unsent: Uint8Array[] = [];
  /** All of the request that has come, while that is short. */
  #kept: Uint8Array[] | undefined = [];
  #keptBytes = 0;
  #hasEnded = false;
  #attempt: Attempt | undefined;
  #stream: ClientStream | undefined;
  #hasReply = false;
  /** It waits for a connection. */
  #isPlaced = false;
  /** Why it waits for a writer, and until when; `undefined`: it does not, or has not yet. */
  #refusal: StoreError | undefined;
  #waitUntilMs: number | undefined;
  /** There was another writer when that was looked at last. */
  #isDoubted = false;
  #isOver = false;

  constructor(options: UpstreamOptions, receiver: UpstreamReceiver) {
    this.#options = options;
    this.#receiver = receiver;
    this.#address = options.address;
  }

  /** May tell `replyFailed` at once. */
  open(): void {
    this.#options.peers.watch.add(this);
    if (this.#address === '') this.#wait(noWriterError('the cluster has no writer just now', ''));
    else this.#goTo(this.#address);
  }

  /** @param bytes must not change. @returns false: what comes next should wait for `requestDrained`. */
  send(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.#keep(bytes);
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
    this.#ended('canceled');
    if (this.#stream === undefined) this.#withdraw();
    else this.#stream.reset(errorCode.CANCEL);
  }

  /** Of the `WriterWatch`. */
  look(): void {
    const { writerAddress } = this.#options.peers;
    if (this.#stream === undefined) this.#lookForStream(writerAddress);
    else if (writerAddress === '') return;
    else if (writerAddress === this.#address) this.#isDoubted = false;
    else if (!this.#isDoubted) this.#isDoubted = true;
    else this.#leaveFor(writerAddress);
  }

  begin(connection: PeerConnection): boolean {
    const { fields, address } = this.#options;
    const attempt = new Attempt(this, connection);
    const stream = connection.request(
      address === this.#address ? fields : withAuthority(fields, this.#address),
      attempt,
    );
    if (stream === undefined) return false;
    this.#isPlaced = false;
    this.#endWait();
    this.#attempt = attempt;
    this.#stream = stream;
    const unsent = this.#unsent;
    this.#unsent = [];
    let isDrained = true;
    for (const bytes of unsent) isDrained = stream.write(bytes);
    if (this.#hasEnded) stream.end();
    if (unsent.length > 0 && isDrained) this.#receiver.requestDrained();
    return true;
  }

  refuse(reason: Error, mayPass: boolean): void {
    const address = this.#address;
    const error = noWriterError(`the writer at ${address} can't be reached: ${reason.message}`, address);
    this.#isPlaced = false;
    if (mayPass) this.#wait(error);
    else this.#fail('notSent', error);
  }

  head(head: ResponseHead): void {
    if (this.#isOver) return;
    this.#hasReply = true;
    this.#receiver.replyHead(head);
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
    this.#ended('answered');
    this.#receiver.replyEnd(trailers);
  }

  closed(code: ErrorCode, by: ClosedBy): void {
    if (this.#isOver) return;
    const address = this.#address;
    if (code === errorCode.REFUSED_STREAM) {
      return this.#refused(noWriterError(`the writer at ${address} did not take the call`, address));
    }
    const why = by === 'connection' ? 'it closed the connection' : `it broke the call off, with code ${code}`;
    this.#fail('lost', lostCallError(address, why, this.#options.isRead));
  }

  #goTo(address: string): void {
    this.#address = address;
    this.#isDoubted = false;
    this.#isPlaced = true;
    this.#options.peers.place(address, this);
  }

  #withdraw(): void {
    if (this.#isPlaced) this.#options.peers.withdraw(this.#address, this);
    this.#isPlaced = false;
  }

  #lookForStream(writerAddress: string): void {
    if (this.#isPlaced) {
      if (writerAddress === '' || writerAddress === this.#address) return;
      this.#withdraw();
      return this.#goTo(writerAddress);
    }
    const until = this.#waitUntilMs;
    if (until === undefined || this.#options.peers.watch.isOver(until)) this.#notReached();
    else if (writerAddress !== '') this.#goTo(writerAddress);
  }

  /** Until the next look, unless it has waited for long enough. */
  #wait(error: StoreError): void {
    const { watch } = this.#options.peers;
    this.#refusal = error;
    this.#waitUntilMs ??= watch.beginWait();
    if (this.#waitUntilMs === undefined || watch.isOver(this.#waitUntilMs)) this.#notReached();
  }

  #endWait(): void {
    if (this.#waitUntilMs === undefined) return;
    this.#waitUntilMs = undefined;
    this.#options.peers.watch.endWait();
  }

  #notReached(): void {
    this.#fail('notSent', this.#refusal ?? noWriterError('the cluster has no writer just now', ''));
  }

  /** The stream has changed nothing. */
  #refused(error: StoreError): void {
    if (this.#hasReply || this.#kept === undefined) return this.#fail('notSent', error);
    this.#unsent = [...this.#kept];
    this.#leaveStream();
    this.#wait(error);
  }

  #leaveStream(): void {
    this.#attempt?.leave();
    this.#attempt = undefined;
    this.#stream = undefined;
  }

  #leaveFor(address: string): void {
    const stream = this.#stream;
    this.#leaveStream();
    stream?.reset(errorCode.CANCEL);
    const { isRead } = this.#options;
    if (!isRead || this.#hasReply || this.#kept === undefined) {
      return this.#fail('lost', overtakenCallError(this.#address, address, isRead));
    }
    this.#unsent = [...this.#kept];
    this.#goTo(address);
  }

  #keep(bytes: Uint8Array): void {
    if (this.#kept === undefined) return;
    this.#keptBytes += bytes.length;
    if (this.#keptBytes <= limits.keptRequestBytesMax) this.#kept.push(bytes);
    else this.#kept = undefined;
  }

  #fail(outcome: ForwardingOutcome, error: StoreError): void {
    if (this.#isOver) return;
    this.#ended(outcome);
    this.#receiver.replyFailed(error);
  }

  #ended(outcome: ForwardingOutcome): void {
    const { peers } = this.#options;
    this.#isOver = true;
    this.#unsent = [];
    this.#kept = undefined;
    this.#endWait();
    peers.watch.remove(this);
    peers.ended(outcome);
  }
}

/** A stream to a writer. What it tells once it was left is for no call any more. */
class Attempt implements ClientStreamHandler {
  #call: ClientStreamHandler | undefined;
  readonly #connection: PeerConnection;

  constructor(call: ClientStreamHandler, connection: PeerConnection) {
    this.#call = call;
    this.#connection = connection;
  }

  leave(): void {
    this.#call = undefined;
  }

  head(head: ResponseHead): void {
    this.#call?.head(head);
  }

  data(...data: Parameters<ClientStreamHandler['data']>): void {
    this.#call?.data(...data);
  }

  drained(): void {
    this.#call?.drained();
  }

  end(trailers: readonly Field[]): void {
    this.#call?.end(trailers);
  }

  closed(code: ErrorCode, by: ClosedBy): void {
    this.#connection.ended();
    this.#call?.closed(code, by);
  }
}

function withAuthority(fields: readonly Field[], authority: string): readonly Field[] {
  return fields.map((field) => (field[0] === ':authority' ? [':authority', authority] : field));
}
