/**
 * Calls over HTTP/2 connections of the client's own, as gRPC ("gRPC over HTTP2"). Streams (watches, backups) have connections
 * of their own, so that a long one does not hold up a short call.
 *
 * Compression is not asked for: it costs both sides more than it saves on the networks between a store and its users.
 */
import { systemClock } from '../../clock.ts';
import { Deadlines } from '../../deadlines.ts';
import type { Field } from '../../http2/contract/fields.ts';
import { client as limits } from '../../limits.ts';
import type { TraceHeaders } from '../../tracing/trace-context.ts';
import type { ServerAddress } from '../connection/address.ts';
import { SessionPool, type SessionPoolOptions } from '../connection/session-pool.ts';
import type { TlsOptions, TlsSource } from '../connection/socket.ts';
import type { CallTransport } from '../calls/call-transport.ts';
import type { Surroundings } from '../exchanges/exchange.ts';
import type { Method, Piped } from '../calls/method.ts';
import { Pipeline } from '../pipelining/pipeline.ts';
import { PipelinedCall } from '../pipelining/pipelined-call.ts';
import { StreamExchange } from '../exchanges/stream-exchange.ts';
import { UnaryExchange } from '../exchanges/unary-exchange.ts';

/** The head of the requests to a method that were made last; most have the same timeout. */
interface Head {
  readonly timeoutMs: number | undefined;
  readonly fields: readonly Field[];
}

export interface Http2Options extends SessionPoolOptions {
  readonly address: ServerAddress;
  readonly tls: TlsOptions | TlsSource;
  readonly connectionsMax: number;
  /** Whether calls of one turn may travel together. */
  readonly isPipelined: boolean;
}

const PIPELINE_PATH = '/kelp.v1.KvService/Pipeline';

export class Http2Transport implements CallTransport {
  readonly address: string;
  readonly isCertificateRenewable: boolean;
  readonly #address: ServerAddress;
  readonly #calls: Surroundings;
  readonly #streams: Surroundings;
  readonly #headByPath = new Map<string, Head>();
  #authorization: string | undefined;
  /** `undefined`: each call goes by itself. */
  readonly #pipelines: { readonly reads: Pipeline; readonly writes: Pipeline } | undefined;

  constructor({ address, tls, connectionsMax, isPipelined, ...pooling }: Http2Options) {
    this.address = address.text;
    this.#address = address;
    this.isCertificateRenewable = typeof tls === 'function';
    const deadlines = new Deadlines(systemClock);
    this.#calls = { pool: new SessionPool(address, tls, connectionsMax, pooling), deadlines };
    this.#streams = { pool: new SessionPool(address, tls, connectionsMax, pooling), deadlines };
    if (!isPipelined) return;
    const fields = this.#newFields(PIPELINE_PATH, undefined);
    const makeAlone = (call: PipelinedCall, timeoutMs: number): void => this.#makeAlone(call, timeoutMs);
    this.#pipelines = {
      reads: new Pipeline(this.#calls, fields, makeAlone),
      writes: new Pipeline(this.#calls, fields, makeAlone),
    };
  }

  unary<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    trace: TraceHeaders | undefined,
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { piped } = method;
      if (piped !== undefined && this.#pipelines !== undefined) {
        // What carries it knows messages by their bytes alone.
        const call = new PipelinedCall(
          method as Method<unknown, unknown>,
          piped as Piped<unknown>,
          request,
          timeoutMs,
          signal,
          resolve as (reply: unknown) => void,
          reject,
          trace,
        );
        const { reads, writes } = this.#pipelines;
        if (call.byteCount <= limits.pipelineCallBytesMax)
          return (piped.isWrite(request) ? writes : reads).add(call);
      }
      const fields = this.#fieldsOf(method.path, timeoutMs);
      const once = traceFields(trace);
      const exchange = new UnaryExchange(this.#calls, method, request, fields, resolve, reject, once);
      exchange.start(timeoutMs, signal);
    });
  }

  stream<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number | undefined,
    signal: AbortSignal,
    trace: TraceHeaders | undefined,
  ): AsyncIterable<Reply> {
    const fields = this.#fieldsOf(method.path, timeoutMs);
    const exchange = new StreamExchange(this.#streams, method, request, fields, traceFields(trace));
    return exchange.replies(timeoutMs, signal);
  }

  /** @param value `undefined`: none. */
  authorize(value: string | undefined): void {
    this.#authorization = value;
    this.#headByPath.clear();
    if (this.#pipelines === undefined) return;
    const fields = this.#newFields(PIPELINE_PATH, undefined);
    this.#pipelines.reads.goOnWith(fields);
    this.#pipelines.writes.goOnWith(fields);
  }

  renewCertificate(): void {
    this.#calls.pool.renew();
    this.#streams.pool.renew();
  }

  close(): void {
    this.#calls.pool.close();
    this.#streams.pool.close();
  }

  #makeAlone({ method, operation, signal, resolve, reject, trace }: PipelinedCall, timeoutMs: number): void {
    const fields = this.#fieldsOf(method.path, timeoutMs);
    const once = traceFields(trace);
    const exchange = new UnaryExchange(this.#calls, method, operation.value, fields, resolve, reject, once);
    exchange.start(timeoutMs, signal);
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
      // Never indexed (RFC 7541, section 7.1.3), by the encoder's own rule. That costs calls nothing but its bytes: the block of a
      // list is kept as a whole.
      ...(this.#authorization === undefined ? [] : [['authorization', this.#authorization] as const]),
    ];
  }
}

/** They differ from call to call, so they stand apart from the fields that come again. */
function traceFields(trace: TraceHeaders | undefined): readonly Field[] | undefined {
  if (trace === undefined) return undefined;
  const { traceparent, tracestate } = trace;
  const fields: Field[] = [['traceparent', traceparent]];
  if (tracestate !== '') fields.push(['tracestate', tracestate]);
  return fields;
}
