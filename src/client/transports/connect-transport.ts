/**
 * Calls over a transport of Connect, such as the client's user brings for proxies that speak HTTP/1.1 or gRPC-Web alone. Its
 * messages are those of protobuf-es, so each one is written by one codec and read by the other.
 *
 * Whether the server can have acted on a request that failed is not known of any.
 */
import {
  type DescMessage,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type Message,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import { ConnectError, type Transport } from '@connectrpc/connect';
import { AccessService } from '../../../gen/kelp/v1/access_pb.ts';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { ClusterService } from '../../../gen/kelp/v1/cluster_pb.ts';
import { readErrorDetail } from '../../../gen/kelp/v1/errors_codec.ts';
import { ErrorDetailSchema } from '../../../gen/kelp/v1/errors_pb.ts';
import { HashService } from '../../../gen/kelp/v1/hash_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { ListService } from '../../../gen/kelp/v1/list_pb.ts';
import { SetService } from '../../../gen/kelp/v1/set_pb.ts';
import { SketchService } from '../../../gen/kelp/v1/sketch_pb.ts';
import { SortedSetService } from '../../../gen/kelp/v1/sorted_set_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import type { ErrorDetailShape } from '../../../gen/kelp/v1/errors_codec.ts';
import type { GrpcCode } from '../../grpc-code.ts';
import type { TraceHeaders } from '../../tracing/trace-context.ts';
import { TLS_ONLY_HEADER } from '../../tls-only-header.ts';
import { CallFailure } from '../errors/call-failure.ts';
import { readRetryInfo } from '../errors/status-details.ts';
import type { CallTransport } from '../calls/call-transport.ts';
import { type Method, readReply } from '../calls/method.ts';

const services = [
  KvService,
  HashService,
  ListService,
  SetService,
  SortedSetService,
  SketchService,
  LeaseService,
  AdminService,
  ClusterService,
  WatchService,
  AccessService,
];
const descriptors: ReadonlyMap<string, DescMethod> = new Map(
  services.flatMap((service) =>
    service.methods.map((method) => [`/${service.typeName}/${method.name}`, method] as const),
  ),
);

export class ConnectTransport implements Omit<CallTransport, 'isCertificateRenewable' | 'renewCertificate'> {
  readonly address: string;
  readonly #transport: Transport;
  readonly #closed = new AbortController();
  #authorization: string | undefined;

  constructor(address: string, transport: Transport) {
    this.address = address;
    this.#transport = transport;
  }

  async unary<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    trace: TraceHeaders | undefined,
  ): Promise<Reply> {
    const descriptor = descriptors.get(method.path) as DescMethodUnary;
    const message = toMessage(method, request, descriptor.input);
    const { signal: closed } = this.#closed;
    const ended = signal === undefined ? closed : AbortSignal.any([signal, closed]);
    try {
      const reply = await this.#transport.unary(
        descriptor,
        ended,
        timeoutMs,
        this.#headersOf(trace),
        message,
      );
      return toReply(method, reply.message, descriptor.output);
    } catch (error) {
      throw toCallFailure(error);
    }
  }

  async *stream<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number | undefined,
    signal: AbortSignal,
    trace: TraceHeaders | undefined,
  ): AsyncGenerator<Reply, void, undefined> {
    const descriptor = descriptors.get(method.path) as DescMethodServerStreaming;
    const message = toMessage(method, request, descriptor.input);
    // Connect's streams know no `return`: leaving the loop would let the server go on sending.
    const left = new AbortController();
    const ended = AbortSignal.any([signal, left.signal, this.#closed.signal]);
    try {
      const messages = (async function* () {
        yield message;
      })();
      const replies = await this.#transport.stream(
        descriptor,
        ended,
        timeoutMs,
        this.#headersOf(trace),
        messages,
      );
      for await (const reply of replies.message) yield toReply(method, reply, descriptor.output);
    } catch (error) {
      throw toCallFailure(error);
    } finally {
      left.abort();
    }
  }

  authorize(value: string): void {
    this.#authorization = value;
  }

  /** The transport itself is its owner's to close. */
  close(): void {
    this.#closed.abort();
  }

  #headersOf(trace: TraceHeaders | undefined): Record<string, string> | undefined {
    const authorization = this.#authorization;
    if (trace === undefined && authorization === undefined) return undefined;
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    if (trace === undefined) return headers;
    const { traceparent, tracestate } = trace;
    headers['traceparent'] = traceparent;
    if (tracestate !== '') headers['tracestate'] = tracestate;
    return headers;
  }
}

function toMessage<Request, Reply>(
  method: Method<Request, Reply>,
  request: Request,
  schema: DescMessage,
): Message {
  const bytes = Buffer.alloc(method.sizeOf(request));
  method.prepend(request, bytes, bytes.length);
  return fromBinary(schema, bytes);
}

function toReply<Request, Reply>(
  method: Method<Request, Reply>,
  message: Message,
  schema: DescMessage,
): Reply {
  const bytes = toBinary(schema, message);
  return readReply(method, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
}

export function toCallFailure(reason: unknown): CallFailure {
  if (reason instanceof CallFailure) return reason;
  const error = ConnectError.from(reason);
  return new CallFailure(error.code satisfies GrpcCode, error.rawMessage, {
    cause: error,
    detail: detailOf(error),
    retryAfterMs: retryAfterMsOf(error),
    isTlsOnly: error.metadata.has(TLS_ONLY_HEADER),
  });
}

function detailOf(error: ConnectError): ErrorDetailShape | undefined {
  const [detail] = error.findDetails(ErrorDetailSchema);
  if (detail === undefined) return undefined;
  const bytes = Buffer.from(toBinary(ErrorDetailSchema, detail));
  return readErrorDetail(bytes, 0, bytes.length);
}

function retryAfterMsOf({ details }: ConnectError): number | undefined {
  for (const each of details) {
    if (!('type' in each) || each.type !== 'google.rpc.RetryInfo') continue;
    const bytes = Buffer.from(each.value);
    return readRetryInfo(bytes, 0, bytes.length);
  }
  return undefined;
}
