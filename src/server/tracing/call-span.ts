/**
 * The span of one call from its head to its end, and what it was made of.
 *
 *     kelp.v1.KvService/Put      SERVER, within the span that the client says its call has
 *     └ commit                   a write alone has it (`commit-span.ts`)
 */
import { type Attributes, type Context, type Span, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { addCommitSpan } from './commit-span.ts';
import type { ServerTraces } from './server-traces.ts';
import { beginTime, timeNow } from './span-time.ts';

/** What one protocol says of a call, by its conventions. */
export interface CallKind {
  readonly name: string;
  readonly attributes: Attributes;
  /** Says how the call ended. @param outcome the name of a code; `undefined`: its client did not wait for one. */
  ended(span: Span, outcome: string | undefined): void;
}

export class CallSpan {
  readonly #traces: ServerTraces;
  readonly #tracer: Tracer;
  readonly #kind: CallKind;
  readonly #span: Span;
  readonly #context: Context;

  constructor(traces: ServerTraces, tracer: Tracer, kind: CallKind, parent: Context) {
    const options = { kind: SpanKind.SERVER, attributes: kind.attributes, startTime: beginTime() };
    this.#traces = traces;
    this.#tracer = tracer;
    this.#kind = kind;
    this.#span = tracer.startSpan(kind.name, options, parent);
    this.#context = trace.setSpan(parent, this.#span);
  }

  /** What spans within it belong to. */
  get context(): Context {
    return this.#context;
  }

  get traceId(): string {
    return this.#span.spanContext().traceId;
  }

  end(outcome: string | undefined): void {
    this.#kind.ended(this.#span, outcome);
    this.#span.end(timeNow());
  }

  /** Settles as the reply does, which waits for the log. */
  async commit<Reply>(reply: Promise<Reply>): Promise<Reply> {
    const startMs = performance.now();
    try {
      return await reply;
    } finally {
      addCommitSpan(this.#tracer, this.#traces, this.#context, { startMs, endMs: performance.now() });
    }
  }
}
