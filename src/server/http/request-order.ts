/**
 * The order of requests that stand behind each other in a connection of HTTP/1.1 (pipelining): one that changes something begins
 * when all before it are over, and is over before the next begins, through whatever door it comes, since its client counts on that
 * (RFC 9112, section 9.3.2). Requests that only read run side by side.
 */
import type { HttpRequest, HttpResponse } from './http-message.ts';

export class RequestOrder {
  /** Replies of a connection are over in their order, so what is to wait for all waits for the last, ... */
  readonly #lastBySocket = new WeakMap<object, HttpResponse>();
  /** ... and what only reads for the last that changes something, or waits itself. */
  readonly #lastHeldBySocket = new WeakMap<object, HttpResponse>();

  /** Runs a request when its turn has come, which mostly is now. */
  run(request: HttpRequest, response: HttpResponse, begin: () => void): void {
    // Streams of HTTP/2 have no order.
    if (request.httpVersion === '2.0') return begin();
    const { socket } = request;
    const isReading = isSafe(request);
    const waitedFor = isReading ? this.#lastHeldBySocket : this.#lastBySocket;
    const before = response.socket === null ? waitedFor.get(socket) : undefined;
    const waits = before !== undefined && !before.closed;
    this.#lastBySocket.set(socket, response);
    if (waits || !isReading) this.#lastHeldBySocket.set(socket, response);
    if (waits) before.once('close', begin);
    else begin();
  }
}

function isSafe({ method }: HttpRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}
