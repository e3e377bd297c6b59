/**
 * Turns connections away that speak what the port does not: TLS where there is none, or plain text where there is TLS.
 *
 * Clients of HTTP/2 in plain text get an answer of HTTP/2. All others get a whole one of HTTP/1.1 in plain text, which
 * clients of plain HTTP show; to clients of TLS it is no TLS, which is what their libraries know best how to tell ("wrong
 * version number").
 */
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { systemClock } from '../../clock.ts';
import { grpcCode } from '../../grpc-code.ts';
import { serverFixed } from '../../limits.ts';
import { TLS_ONLY_HEADER } from '../../tls-only-header.ts';
import { RareLine } from '../logging/rare-line.ts';
import type { Http2Limits } from './http2-port.ts';
import { Http2Refusal, type Refusal } from './http2-refusal.ts';
import type { Protocol } from './protocol-sniffer.ts';

const SPEAKS_TLS = 'this port speaks TLS; use https://';
/** Clients of HTTP/2 are told in their own words. */
const tlsOnly: Refusal = {
  text: SPEAKS_TLS,
  status: '400',
  grpcCode: grpcCode.Unavailable,
  field: [TLS_ONLY_HEADER, '1'],
};
const SPEAKS_NO_TLS = 'this port speaks no TLS; use http://';

export class WrongProtocol {
  readonly #hasTls: boolean;
  readonly #line: RareLine;
  readonly #http2Refusal: Http2Refusal;

  constructor(hasTls: boolean, logger: Logger, limits: Http2Limits) {
    this.#hasTls = hasTls;
    this.#line = new RareLine(logger, serverFixed.refusedClientLogMs);
    this.#http2Refusal = new Http2Refusal(limits);
  }

  turnAway(socket: Socket, protocol: Protocol): void {
    const message = this.#hasTls
      ? 'a client without TLS came to this port, which has TLS'
      : 'a client with TLS came to this port, which has none';
    this.#line.tell({ remoteAddress: socket.remoteAddress }, message);
    if (protocol === 'http2') this.#http2Refusal.turnAway(socket, tlsOnly);
    else refuse(socket, '400 Bad Request', this.#hasTls ? SPEAKS_TLS : SPEAKS_NO_TLS);
  }
}

/** Answers in HTTP/1.1 what is no request that a handler could get, and closes the connection. */
export function refuse(socket: Socket, status: string, text: string, ...fields: readonly string[]): void {
  const body = `${text}\n`;
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: text/plain',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...fields,
  ];
  socket.on('error', () => undefined);
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Closing over bytes that were not read resets the connection, and the client may never see the answer.
  socket.resume();
  const timer = systemClock.setTimer(serverFixed.refusalLingerMs, () => socket.destroy());
  socket.once('end', () => socket.destroySoon());
  socket.once('close', () => timer.cancel());
}
