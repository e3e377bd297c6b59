/**
 * Calls over HTTP/2 connections of the client's own, as gRPC ("gRPC over HTTP2"). Streams (watches, backups) have connections
 * of their own, so that a long one does not hold up a short call.
 *
 * Compression is not asked for: it costs both sides more than it saves on the networks between a store and its users.
 */
import { systemClock } from '../../clock.ts';
import { Deadlines } from '../../deadlines.ts';
import type { Field } from '../../http2/fields.ts';
import type { ServerAddress } from '../connection/address.ts';
import { SessionPool } from '../connection/session-pool.ts';
import type { TlsOptions } from '../connection/socket.ts';
import type { CallTransport } from './call-transport.ts';
import type { Surroundings } from './exchange.ts';
import type { Method } from './method.ts';
import { StreamExchange } from './stream-exchange.ts';
import { UnaryExchange } from './unary-exchange.ts';

/** The head of the requests to a method that were made last; most have the same timeout. */
interface Head {
  readonly timeoutMs: number | undefined;
  readonly fields: readonly Field[];
}

export class Http2Transport implements CallTransport {
  readonly address: string;
  readonly #address: ServerAddress;
  readonly #calls: Surroundings;
  readonly #streams: Surroundings;
  readonly #headByPath = new Map<string, Head>();

  constructor(address: ServerAddress, tls: TlsOptions, connectionsMax: number) {
    this.address = address.text;
    this.#address = address;
    const deadlines = new Deadlines(systemClock);
    this.#calls = { pool: new SessionPool(address, tls, connectionsMax), deadlines };
    this.#streams = { pool: new SessionPool(address, tls, connectionsMax), deadlines };
  }

  unary<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Reply> {
    const fields = this.#fieldsOf(method.path, timeoutMs);
    return new Promise((resolve, reject) =>
      new UnaryExchange(this.#calls, method, request, fields, resolve, reject).start(timeoutMs, signal),
    );
  }

  stream<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number | undefined,
    signal: AbortSignal,
  ): AsyncIterable<Reply> {
    const fields = this.#fieldsOf(method.path, timeoutMs);
    return new StreamExchange(this.#streams, method, request, fields).replies(timeoutMs, signal);
  }

  close(): void {
    this.#calls.pool.close();
    this.#streams.pool.close();
  }

  /** The same list again for the same method and timeout: connections know it by that, and encode it once. */
  #fieldsOf(path: string, timeoutMs: number | undefined): readonly Field[] {
    let head = this.#headByPath.get(path);
    if (head === undefined || head.timeoutMs !== timeoutMs) {
      head = { timeoutMs, fields: this.#newFields(path, timeoutMs) };
      this.#headByPath.set(path, head);
    }
    return head.fields;
  }

  #newFields(path: string, timeoutMs: number | undefined): readonly Field[] {
    return [
      [':method', 'POST'],
      [':scheme', this.#address.isTls ? 'https' : 'http'],
      [':authority', this.#address.authority],
      [':path', path],
      ['te', 'trailers'],
      ['content-type', 'application/grpc'],
      ['user-agent', 'kelpdb-client'],
      ...(timeoutMs === undefined ? [] : [['grpc-timeout', `${timeoutMs}m`] as const]),
    ];
  }
}
