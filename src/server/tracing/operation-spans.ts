/**
 * The spans of the operations of a batch, made when it is answered: until then they cost nothing but the times of the batch, which are
 * theirs. Each is what the call of its own would be: in the trace that its client named with it, else in that of the stream, if it has
 * one, and with a `commit` for a write.
 */
import { ROOT_CONTEXT, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { attribute, rpcSystem } from '../../tracing/attributes.ts';
import type { TraceHeaders } from '../../tracing/trace-context.ts';
import type { CallSpan } from './call-span.ts';
import { type Wait, addCommitSpan } from './commit-span.ts';
import { parentContext } from './parent-context.ts';
import { RpcKind } from './rpc-kind.ts';
import type { ServerTraces } from './server-traces.ts';
import { spanTime } from './span-time.ts';

/** By the monotonic clock. */
export interface BatchTimes {
  readonly cameAtMs: number;
  /** When all operations had run; what follows is the wait for the log. */
  readonly ranAtMs: number;
}

export interface TracedOperation {
  readonly headers: TraceHeaders;
  /** As `kelp.v1.KvService/Put`; `undefined`: it says nothing that is known. */
  readonly method: string | undefined;
  readonly isWrite: boolean;
  /** The name of the code that it was answered with. */
  readonly outcome: string;
}

export class OperationSpans {
  readonly #traces: ServerTraces;
  readonly #tracer: Tracer;
  readonly #stream: CallSpan | undefined;
  readonly #startTime: number;
  readonly #wait: Wait;
  readonly #endTime: number;
  readonly #kindByMethod = new Map<string | undefined, RpcKind>();

  /** @param stream the span of the stream of batches. */
  constructor(
    traces: ServerTraces,
    tracer: Tracer,
    stream: CallSpan | undefined,
    { cameAtMs, ranAtMs }: BatchTimes,
  ) {
    this.#traces = traces;
    this.#tracer = tracer;
    this.#stream = stream;
    this.#startTime = spanTime(cameAtMs);
    this.#wait = { startMs: ranAtMs, endMs: performance.now() };
    this.#endTime = spanTime(this.#wait.endMs);
  }

  add({ headers, method, isWrite, outcome }: TracedOperation): void {
    const parent =
      headers.traceparent === '' ? (this.#stream?.context ?? ROOT_CONTEXT) : parentContext(headers);
    if (!this.#traces.mayRecord(parent)) return;
    const kind = this.#kindOf(method);
    const options = { kind: SpanKind.SERVER, attributes: kind.attributes, startTime: this.#startTime };
    const span = this.#tracer.startSpan(kind.name, options, parent);
    if (isWrite && span.isRecording())
      addCommitSpan(this.#tracer, this.#traces, trace.setSpan(parent, span), this.#wait);
    kind.ended(span, outcome);
    span.end(this.#endTime);
  }

  #kindOf(method: string | undefined): RpcKind {
    let kind = this.#kindByMethod.get(method);
    if (kind === undefined) {
      kind = new RpcKind(rpcSystem.GRPC, method, { [attribute.IN_BATCH]: true });
      this.#kindByMethod.set(method, kind);
    }
    return kind;
  }
}
