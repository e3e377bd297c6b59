/**
 * Turns clients away that speak HTTP/2 in plain text to a port that has TLS. Each connection gets the reason twice: as
 * the answer to its first request, in the form that its kind of client shows, and in the GOAWAY that ends it.
 *
 * The answer waits for a request, since HTTP/2 has none without; a connection that makes none is closed after the time
 * that a handshake may take.
 */
import type { Socket } from 'node:net';
import { systemClock } from '../../clock.ts';
import { type Field, type RequestHead, fieldOf } from '../../http2/contract/fields.ts';
import { encodeBlock } from '../../http2/hpack/encoder.ts';
import { ServerConnection } from '../../http2/connection/server-connection.ts';
import type { ServerStream, StreamHandler } from '../../http2/contract/stream.ts';
import { serverFixed } from '../../limits.ts';
import { TLS_ONLY_HEADER } from '../../tls-only-header.ts';
import { grpcCode } from '../../grpc-code.ts';
import { encodeGrpcMessage, isGrpcType } from '../http/grpc-message.ts';
import { type Http2Limits, connectionOptions } from './http2-port.ts';

export class PlainHttp2 {
  readonly #text: string;
  readonly #limits: Http2Limits;

  constructor(text: string, limits: Http2Limits) {
    this.#text = text;
    this.#limits = limits;
  }

  turnAway(socket: Socket): void {
    const connection = new ServerConnection(
      socket,
      {
        ...connectionOptions({ ...this.#limits, streamsPerConnectionMax: 1 }, systemClock),
        onClosed: () => timer.cancel(),
      },
      (stream, head) => {
        timer.cancel();
        timer = systemClock.setTimer(serverFixed.refusalLingerMs, () => connection.destroy());
        this.#answer(stream, head);
        connection.shutdown(this.#text);
        return ignoring(stream);
      },
    );
    let timer = systemClock.setTimer(this.#limits.handshakeTimeoutMs, () => connection.destroy());
  }

  #answer(stream: ServerStream, head: RequestHead): void {
    if (isGrpcType(fieldOf(head.fields, 'content-type') ?? '')) {
      stream.respond(encodeBlock(this.#grpcFields()), true);
      return;
    }
    const fields: Field[] = [
      [':status', '400'],
      ['content-type', 'text/plain'],
      [TLS_ONLY_HEADER, '1'],
    ];
    stream.respond(encodeBlock(fields), false);
    stream.write(Buffer.from(`${this.#text}\n`));
    stream.end();
  }

  /** An answer that has no message: "gRPC over HTTP2", Trailers-Only. */
  #grpcFields(): Field[] {
    return [
      [':status', '200'],
      ['content-type', 'application/grpc'],
      ['grpc-status', String(grpcCode.Unavailable)],
      ['grpc-message', encodeGrpcMessage(this.#text)],
      [TLS_ONLY_HEADER, '1'],
    ];
  }
}

/** What comes of the request's body is dropped. */
function ignoring(stream: ServerStream): StreamHandler {
  const nothing = (): void => undefined;
  return {
    data: (_, from, to) => stream.consumed(to - from),
    end: nothing,
    drained: nothing,
    closed: nothing,
  };
}
