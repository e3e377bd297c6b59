/**
 * The order of requests that stand behind each other in a connection of HTTP/1.1 (pipelining): one that changes something is
 * over before the next begins, through whatever door it comes, since its client counts on that (RFC 9112, section 9.3.2). Requests
 * that only read run side by side.
 */
import type { HttpRequest, HttpResponse } from './http-message.ts';

export class RequestOrder {
  /** What the next request of a connection waits for, if it comes before that is over. */
  readonly #lastBySocket = new WeakMap<object, HttpResponse>();

  /** Runs a request when its turn has come, which mostly is now. */
  run(request: HttpRequest, response: HttpResponse, begin: () => void): void {
    // Streams of HTTP/2 have no order.
    if (request.httpVersion === '2.0') return begin();
    const before = response.socket === null ? this.#lastBySocket.get(request.socket) : undefined;
    const waits = before !== undefined && !before.closed;
    if (waits || !isSafe(request)) this.#lastBySocket.set(request.socket, response);
    if (waits) before.once('close', begin);
    else begin();
  }
}

function isSafe({ method }: HttpRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}
