/**
 * A span for each call, in the trace that is active where the call is made: OpenTelemetry's conventions for clients of RPC, with
 * what those for databases add. A call that is tried again is one span with an event for each try that failed; a stream is one
 * that lasts as long as it does.
 *
 * A call that its sampler leaves out is not recorded, but the server is told so: it would begin a trace of its own otherwise.
 */
import { type Attributes, type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { DB_SYSTEM, attribute, rpcSystem, statusTextOf } from '../../tracing/attributes.ts';
import { type TraceHeaders, traceHeadersOf } from '../../tracing/trace-context.ts';
import { registeredTracer } from '../../tracing/tracer.ts';
import type { CallTrace, CallTraces } from '../calls/call-trace.ts';
import { parseAddress } from '../connection/address.ts';
import { CallFailure } from '../errors/call-failure.ts';
import { causesOf } from '../errors/connect-failure.ts';
import { type KelpError, isKelpError } from '../errors/error.ts';

/** What spans of calls to one server say, made once for each method. */
interface CallKind {
  /** As `kelp.v1.KvService/Get`. */
  readonly name: string;
  readonly attributes: Attributes;
}

export class CallSpans implements CallTraces {
  readonly #server: Attributes;
  readonly #kindByPath = new Map<string, CallKind>();

  /** @param address as the client was given it; with a transport of its user's own it may be any text. */
  constructor(address: string) {
    this.#server = serverAttributes(address);
  }

  begin(path: string): CallTrace | undefined {
    const tracer = registeredTracer();
    if (tracer === undefined) return undefined;
    const { name, attributes } = this.#kindOf(path);
    // In the context that is active.
    return new CallSpan(tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }));
  }

  #kindOf(path: string): CallKind {
    let kind = this.#kindByPath.get(path);
    if (kind === undefined) {
      const name = path.slice(1);
      const attributes = {
        [attribute.RPC_SYSTEM]: rpcSystem.GRPC,
        [attribute.RPC_METHOD]: name,
        [attribute.DB_SYSTEM]: DB_SYSTEM,
        [attribute.DB_OPERATION]: name.slice(name.indexOf('/') + 1),
        ...this.#server,
      };
      kind = { name, attributes };
      this.#kindByPath.set(path, kind);
    }
    return kind;
  }
}

class CallSpan implements CallTrace {
  readonly headers: TraceHeaders | undefined;
  readonly #span: Span;
  #hasEnded = false;

  constructor(span: Span) {
    this.#span = span;
    this.headers = traceHeadersOf(span.spanContext());
  }

  retried({ code }: KelpError): void {
    this.#span.addEvent('retry', { [attribute.ERROR_TYPE]: code });
  }

  succeeded(): void {
    if (!this.#end()) return;
    this.#span.setAttribute(attribute.RPC_STATUS, 'OK');
    this.#span.end();
  }

  /** The text of the error may hold a key. */
  failed(error: KelpError): void {
    if (!this.#end()) return;
    for (const cause of causesOf(error)) {
      if (!(cause instanceof CallFailure)) continue;
      this.#span.setAttribute(attribute.RPC_STATUS, statusTextOf(cause.code));
      break;
    }
    this.#span.setAttribute(attribute.ERROR_TYPE, error.code);
    this.#span.setStatus({ code: SpanStatusCode.ERROR });
    this.#span.end();
  }

  left(): void {
    if (this.#end()) this.#span.end();
  }

  /** @returns false: it has ended before. */
  #end(): boolean {
    const isFirst = !this.#hasEnded;
    this.#hasEnded = true;
    return isFirst;
  }
}

/** What can be no more than a name. */
const NAME = /^[\w .:-]+$/;

function serverAttributes(address: string): Attributes {
  try {
    const { target } = parseAddress(address, false);
    if ('path' in target) return { [attribute.SERVER_ADDRESS]: target.path };
    return { [attribute.SERVER_ADDRESS]: target.host, [attribute.SERVER_PORT]: target.port };
  } catch (error) {
    if (!isKelpError(error)) throw error;
    // What it holds besides a host may be a secret, such as the password of a proxy before the server.
    const { hostname } = URL.parse(address) ?? { hostname: '' };
    if (hostname !== '') return { [attribute.SERVER_ADDRESS]: hostname };
    return NAME.test(address) ? { [attribute.SERVER_ADDRESS]: address } : {};
  }
}
