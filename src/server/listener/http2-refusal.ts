/**
 * Turns clients of HTTP/2 away whose connection can't be served, whatever they ask for. Each connection gets the reason twice: as
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
import type { GrpcCode } from '../../grpc-code.ts';
import { encodeGrpcMessage, isGrpcType } from '../http/grpc-message.ts';
import { type Http2Limits, connectionOptions } from './http2-port.ts';

export interface Refusal {
  readonly text: string;
  /** Of HTTP, ... */
  readonly status: string;
  /** ... and of gRPC. */
  readonly grpcCode: GrpcCode;
  readonly field: Field;
}

export class Http2Refusal {
  readonly #limits: Http2Limits;

  constructor(limits: Http2Limits) {
    this.#limits = limits;
  }

  turnAway(socket: Socket, refusal: Refusal): void {
    const connection = new ServerConnection(
      socket,
      {
        ...connectionOptions({ ...this.#limits, streamsPerConnectionMax: 1 }, systemClock),
        onClosed: () => timer.cancel(),
      },
      (stream, head) => {
        timer.cancel();
        timer = systemClock.setTimer(serverFixed.refusalLingerMs, () => connection.destroy());
        answer(stream, head, refusal);
        connection.shutdown(refusal.text);
        return ignoring(stream);
      },
    );
    let timer = systemClock.setTimer(this.#limits.handshakeTimeoutMs, () => connection.destroy());
  }
}

function answer(stream: ServerStream, head: RequestHead, { text, status, grpcCode, field }: Refusal): void {
  if (isGrpcType(fieldOf(head.fields, 'content-type') ?? '')) {
    // An answer that has no message: "gRPC over HTTP2", Trailers-Only.
    const fields: Field[] = [
      [':status', '200'],
      ['content-type', 'application/grpc'],
      ['grpc-status', String(grpcCode)],
      ['grpc-message', encodeGrpcMessage(text)],
      field,
    ];
    stream.respond(encodeBlock(fields), true);
    return;
  }
  const fields: Field[] = [[':status', status], ['content-type', 'text/plain'], field];
  stream.respond(encodeBlock(fields), false);
  stream.write(Buffer.from(`${text}\n`));
  stream.end();
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
