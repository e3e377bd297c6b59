/**
 * Turns clients away that speak HTTP/2 in plain text to a port that has TLS. Each connection gets the reason twice: as
 * the answer to its first request, in the form that its kind of client shows, and in the GOAWAY that ends it.
 *
 * The answer waits for a request, since HTTP/2 has none without; a connection that makes none is closed after the time
 * that a handshake may take.
 */
import { type Http2Server, type ServerHttp2Session, constants, createServer } from 'node:http2';
import type { Socket } from 'node:net';
import { Code } from '@connectrpc/connect';
import { systemClock } from '../../clock.ts';
import { serverFixed } from '../../limits.ts';
import { TLS_ONLY_HEADER } from '../../tls-only-header.ts';
import { encodeGrpcMessage } from '../http/grpc-message.ts';

export class PlainHttp2 {
  readonly #text: string;
  readonly #handshakeTimeoutMs: number;
  readonly #server: Http2Server;

  constructor(text: string, handshakeTimeoutMs: number) {
    this.#text = text;
    this.#handshakeTimeoutMs = handshakeTimeoutMs;
    this.#server = createServer({
      settings: { maxConcurrentStreams: 1 },
      maxSessionMemory: serverFixed.sessionMegabytesMax,
    });
    this.#server.on('session', (session) => this.#turnAway(session));
  }

  turnAway(socket: Socket): void {
    socket.allowHalfOpen = false;
    this.#server.emit('connection', socket);
  }

  #turnAway(session: ServerHttp2Session): void {
    let timer = systemClock.setTimer(this.#handshakeTimeoutMs, () => session.destroy());
    session.once('close', () => timer.cancel());
    session.on('error', () => undefined);
    session.once('stream', (stream, headers) => {
      timer.cancel();
      timer = systemClock.setTimer(serverFixed.refusalLingerMs, () => session.destroy());
      stream.on('error', () => undefined);
      if (isGrpc(headers['content-type'])) {
        stream.respond(this.#grpcAnswer(), { endStream: true });
      } else {
        stream.respond({ ':status': 400, 'content-type': 'text/plain', [TLS_ONLY_HEADER]: '1' });
        stream.end(`${this.#text}\n`);
      }
      // What comes of its body is dropped.
      stream.resume();
      session.goaway(constants.NGHTTP2_NO_ERROR, stream.id, Buffer.from(this.#text));
      session.close();
    });
  }

  /** An answer that has no message: "gRPC over HTTP2", Trailers-Only. */
  #grpcAnswer(): Record<string, string | number> {
    return {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': Code.Unavailable,
      'grpc-message': encodeGrpcMessage(this.#text),
      [TLS_ONLY_HEADER]: '1',
    };
  }
}

function isGrpc(contentType: string | undefined): boolean {
  return /^application\/grpc(?!-web)/.test(contentType ?? '');
}
