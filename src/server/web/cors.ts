/**
 * Cross-Origin Resource Sharing (https://fetch.spec.whatwg.org/#http-cors-protocol): what a browser asks before it sends the calls
 * of a page from another origin, and what it must see in a response before it shows it to the page. For origins that are
 * allowed; all others do not get as far (`web-guard.ts`).
 *
 * Pages are told that they may send no credentials of the browser's own (cookies, client certificates): what lets a page in is what
 * it has itself, such as an `authorization` of its own making.
 */
import { ANY_ORIGIN } from '../config/web-origins.ts';
import { serverFixed } from '../../limits.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import { meterReply } from '../http/meter-reply.ts';
import type { CallMeter } from '../metrics/calls/call-meter.ts';
import type { WebGuard } from './web-guard.ts';

const METHODS = 'GET, HEAD, PUT, POST, DELETE';

/**
 * What a page may send beyond what every page may: all, as it is trusted. `*` names every field but `authorization`, and older
 * browsers do not know it: so what Connect, gRPC-Web, REST and traces have is there by name.
 */
const REQUEST_FIELDS = [
  '*',
  'authorization',
  'content-type',
  'content-encoding',
  'connect-protocol-version',
  'connect-timeout-ms',
  'connect-accept-encoding',
  'connect-content-encoding',
  'grpc-timeout',
  'grpc-encoding',
  'grpc-accept-encoding',
  'x-grpc-web',
  'x-user-agent',
  'if-match',
  'if-none-match',
  'if-range',
  'range',
  'cache-control',
  'last-event-id',
  'traceparent',
  'tracestate',
].join(', ');

/** What a page may see of a response: all, such as the trailers of Connect; and by name as above. */
const RESPONSE_FIELDS = [
  '*',
  'grpc-status',
  'grpc-message',
  'grpc-status-details-bin',
  'grpc-encoding',
  'connect-content-encoding',
  'etag',
  'content-range',
  'accept-ranges',
  'kelp-revision',
  'kelp-mod-revision',
  'kelp-create-revision',
  'kelp-version',
  'kelp-lease',
  'location',
  'retry-after',
].join(', ');

export class Cors {
  readonly #guard: WebGuard;
  /** Whether responses differ by origin, so that caches have to know. */
  readonly #varies: boolean;
  readonly #isOff: boolean;
  readonly #meter: CallMeter;

  /** @param meter of questions that browsers ask before a request. */
  constructor(guard: WebGuard, corsOrigins: readonly string[], meter: CallMeter) {
    this.#meter = meter;
    this.#guard = guard;
    this.#isOff = corsOrigins.length === 0;
    this.#varies = !corsOrigins.includes(ANY_ORIGIN);
  }

  /**
   * Gives the response what a page of another origin needs, be it a reply, an error or a stream.
   * @returns whether the request was a browser's question alone, and is answered.
   */
  begin(request: HttpRequest, response: HttpResponse): boolean {
    if (this.#isOff) return false;
    if (this.#varies) response.appendHeader('vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !this.#guard.allows(origin)) return false;
    response.appendHeader('access-control-allow-origin', this.#varies ? origin : ANY_ORIGIN);
    const isQuestion = request.method === 'OPTIONS' && 'access-control-request-method' in request.headers;
    if (isQuestion) {
      meterReply(response, this.#meter);
      answerPreflight(request, response);
    } else response.appendHeader('access-control-expose-headers', RESPONSE_FIELDS);
    return isQuestion;
  }
}

function answerPreflight({ headers }: HttpRequest, response: HttpResponse): void {
  const asksForPrivateNetwork = headers['access-control-request-private-network'] === 'true';
  response.writeHead(204, {
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': REQUEST_FIELDS,
    'access-control-max-age': String(serverFixed.preflightAgeMs / 1000),
    // https://wicg.github.io/private-network-access/: a page of the internet that calls an address which is not.
    ...(asksForPrivateNetwork ? { 'access-control-allow-private-network': 'true' } : {}),
  });
  response.end();
}
