/**
 * A request of HTTP, of either version, that a follower of a cluster passes on to the writer as it comes, and answers by what comes
 * back: bytes, whatever its protocol. Neither side is read faster than the other takes it; what lies here meanwhile is charged to the
 * call.
 */
import { systemClock, type Timer } from '../../clock.ts';
import { type Field, type ResponseHead, fieldOf } from '../../http2/contract/fields.ts';
import { forwarding } from '../../limits.ts';
import { deadlineError } from '../calls/call-error.ts';
import type { Call, ShownCredentials } from '../calls/call.ts';
import { timeoutMsIn } from '../calls/deadline.ts';
import { grpcStatusIn } from '../cluster/answered-status.ts';
import type { ClusterDoors, RunsAt } from '../cluster/cluster-doors.ts';
import { FORWARDED_HEADER } from '../access/forwarded-client.ts';
import { fieldsOfHeaders, forwardedFields } from '../cluster/forwarded-fields.ts';
import type { PeerConnections } from '../cluster/peer-connections.ts';
import { Upstream, type UpstreamReceiver } from '../cluster/upstream.ts';
import { type AtWriter, atWriter } from '../cluster/writer-calls.ts';
import { grpcStatusOf } from './grpc-message.ts';
import type { HttpRequest, HttpResponse } from './http-message.ts';
import { codeOfStatus } from './meter-reply.ts';
import { originForm } from './request-target.ts';

export interface ForwardedTo extends AtWriter {
  readonly peers: PeerConnections;
}

/** @returns `undefined`: it runs here. Throws what it is refused with. */
export function forwardedTo(
  doors: ClusterDoors,
  runsAt: RunsAt,
  shown: ShownCredentials,
  { headers }: HttpRequest,
): ForwardedTo | undefined {
  const to = atWriter(doors, runsAt, shown, FORWARDED_HEADER in headers);
  return to && { ...to, peers: doors.peers };
}

/** @param onFailed told before there is a head of a reply: the door answers by the error. */
export function forwardRequest(
  request: HttpRequest,
  response: HttpResponse,
  call: Call,
  to: ForwardedTo,
  onFailed: (error: Error) => void,
): void {
  new ForwardedRequest(request, response, call, to, onFailed).begin();
}

class ForwardedRequest implements UpstreamReceiver {
  readonly #request: HttpRequest;
  readonly #response: HttpResponse;
  readonly #call: Call;
  readonly #onFailed: (error: Error) => void;
  readonly #upstream: Upstream;
  #isOver = false;
  /** Of the reply, which goes out with the first of its body: until then the door can answer by an error. */
  #head: ResponseHead | undefined;
  #hasHead = false;
  /** For a writer that does not tell by itself that the time is over. */
  #timer: Timer | undefined;
  /** What the writer may not send again before the client has taken it, and what is charged for it. */
  #unreadBytes = 0;
  #chargedBytes = 0;
  #isHeldUp = false;

  constructor(
    request: HttpRequest,
    response: HttpResponse,
    call: Call,
    { peers, address, isRead }: ForwardedTo,
    onFailed: (error: Error) => void,
  ) {
    this.#request = request;
    this.#response = response;
    this.#call = call;
    this.#onFailed = onFailed;
    const head = {
      method: request.method ?? '',
      path: originForm(request.url) ?? '/',
      fields: fieldsOfHeaders(request.headers),
    };
    const fields = forwardedFields(head, address, peers.hasTls, peers.clientFields(request.socket));
    this.#upstream = new Upstream({ peers, address, fields, isRead }, this);
  }

  begin(): void {
    const request = this.#request;
    this.#call.beginWork();
    this.#response.once('close', () => this.#stop());
    // The server stops, and ends its streams.
    this.#call.stopOnAbort({ stop: () => this.replyFailed(this.#call.abortReason as Error) });
    request.on('data', (chunk: Buffer) => {
      this.#call.received(chunk.length);
      if (!this.#upstream.send(chunk)) request.pause();
    });
    request.once('end', () => {
      // HTTP/2 ends the body of a stream that was reset, too.
      if (request.aborted !== true) this.#upstream.endRequest();
    });
    const timeoutMs = timeoutMsIn(request.headers);
    if (timeoutMs !== undefined) {
      const late = (): void => this.replyFailed(deadlineError());
      this.#timer = systemClock.setTimer(timeoutMs + forwarding.deadlineGraceMs, late);
    }
    this.#upstream.open();
  }

  requestDrained(): void {
    this.#request.resume();
  }

  replyHead(head: ResponseHead): void {
    this.#head = head;
  }

  replyData(buffer: Buffer, from: number, to: number): void {
    if (this.#call.isClosed) return;
    this.#sendHead();
    this.#call.sent(to - from);
    this.#unreadBytes += to - from;
    const chunk = Buffer.from(buffer.subarray(from, to));
    // The trailers of gRPC-Web.
    this.#call.outcome ??= grpcStatusOf(chunk);
    if (this.#response.write(chunk)) return this.#consume();
    this.#chargedBytes += this.#call.holdUnread(this.#unreadBytes);
    if (this.#call.isClosed || this.#isHeldUp) return;
    this.#isHeldUp = true;
    this.#call.setStalled(true);
    this.#response.once('drain', () => this.#drained());
  }

  replyEnd(trailers: readonly Field[]): void {
    if (this.#call.isClosed) return;
    this.#sendHead();
    const status = grpcStatusIn(trailers);
    if (status !== undefined) this.#call.outcome = status;
    if (trailers.length > 0) this.#response.addTrailers(Object.fromEntries(trailers));
    this.#response.end();
    this.#stop();
  }

  replyFailed(error: Error): void {
    if (this.#isOver) return;
    this.#stop();
    if (this.#call.isClosed) return;
    if (this.#hasHead) this.#response.destroy();
    else this.#onFailed(error);
  }

  #sendHead(): void {
    if (this.#hasHead || this.#head === undefined) return;
    this.#hasHead = true;
    const { status, fields } = this.#head;
    const isGrpc = fieldOf(fields, 'content-type')?.startsWith('application/grpc') === true;
    const code = grpcStatusIn(fields) ?? (isGrpc ? undefined : codeOfStatus(status));
    if (code !== undefined) this.#call.outcome = code;
    // Each answer has one, of the node that gives it.
    this.#response.writeHead(status, fields.filter(([name]) => name !== 'date').flat());
  }

  #drained(): void {
    this.#isHeldUp = false;
    this.#call.setStalled(false);
    this.#call.release(this.#chargedBytes);
    this.#chargedBytes = 0;
    this.#consume();
  }

  #consume(): void {
    const bytes = this.#unreadBytes;
    this.#unreadBytes = 0;
    if (bytes > 0) this.#upstream.consumed(bytes);
  }

  #stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    // What still comes is dropped.
    this.#request.resume();
    this.#upstream.cancel();
    this.#call.endWork();
  }
}
