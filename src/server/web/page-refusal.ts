/**
 * Asks the guard about requests of either version of HTTP, and answers those that it refuses: status 403, with the reason in the
 * form that their kind of client shows. No browser shows it to a page of another origin, but to who looks at its network log.
 */
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { grpcCode } from '../../grpc-code.ts';
import type { RequestHead } from '../../http2/contract/fields.ts';
import type { ConnectionInfo } from '../../http2/contract/stream.ts';
import { serverFixed } from '../../limits.ts';
import { encodeGrpcMessage, grpcDoorOf } from '../http/grpc-message.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import { meterReply } from '../http/meter-reply.ts';
import { hostOf } from '../http/request-target.ts';
import { RareLine } from '../logging/rare-line.ts';
import type { CallMeter } from '../metrics/calls/call-meter.ts';
import type { WebGuard } from './web-guard.ts';

const HOST = 'host';

export class PageRefusal {
  readonly #guard: WebGuard;
  readonly #line: RareLine;
  readonly #meter: CallMeter;

  constructor(guard: WebGuard, logger: Logger, meter: CallMeter) {
    this.#meter = meter;
    this.#guard = guard;
    this.#line = new RareLine(logger, serverFixed.refusedClientLogMs);
  }

  /** Of HTTP/2. @returns the reason; `undefined` when the request may go on. */
  ofHead({ authority, path, fields }: RequestHead, connection: ConnectionInfo): string | undefined {
    let origin: string | undefined;
    for (const [name, value] of fields) {
      if (name === 'origin') origin = origin === undefined ? value : `${origin}, ${value}`;
    }
    return this.#guard.refusalOf({ authority: hostOf(path) ?? authority, origin, connection });
  }

  /** Of HTTP/1.1. */
  ofRequest({ headers, rawHeaders, url, socket }: IncomingMessage): string | undefined {
    const connection = {
      localAddress: socket.localAddress ?? '',
      isTls: (socket as Partial<TLSSocket>).encrypted === true,
    };
    const authority = hostOf(url) ?? hostIn(rawHeaders);
    return this.#guard.refusalOf({ authority, origin: headers.origin, connection });
  }

  answer(request: HttpRequest, response: HttpResponse, reason: string): void {
    meterReply(response, this.#meter);
    this.#line.tell({ reason }, 'a request was refused that a web page may have sent');
    const { headers } = request;
    const contentType = headers['content-type'] ?? '';
    if (grpcDoorOf(headers) !== undefined) {
      response.writeHead(403, {
        'content-type': contentType,
        'grpc-status': String(grpcCode.PermissionDenied),
        'grpc-message': encodeGrpcMessage(reason),
      });
      response.end();
      return;
    }
    const isConnect =
      'connect-protocol-version' in headers || /^application\/(?:proto|connect\+)/i.test(contentType);
    const [type, body] = isConnect
      ? ['application/json', { code: 'permission_denied', message: reason }]
      : ['application/problem+json', { title: 'Forbidden', status: 403, detail: reason }];
    response.writeHead(403, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(`${JSON.stringify(body)}\n`);
  }
}

/** All values of `Host`, of which Node takes the first, and a proxy before the server perhaps another. @param fields names and values in turns. */
function hostIn(fields: readonly string[]): string {
  let host: string | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    if (name.length !== HOST.length || name.toLowerCase() !== HOST) continue;
    const value = fields[index + 1] ?? '';
    host = host === undefined ? value : `${host}, ${value}`;
  }
  return host ?? '';
}
