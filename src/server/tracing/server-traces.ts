/**
 * Whether the calls of a server are traced, and by what: the tracer of its own that exports to `--otlp-endpoint`, else one that was
 * registered with OpenTelemetry's API before the server began, as by a program that Node was told to `--import`. It is found once:
 * to look for it with each call would be a part of what a read costs that can be measured.
 *
 * Which traces the server's own records is decided here, before anything is made for a call: a span that its sampler leaves out costs
 * as much as a read, and so does one that is lost since too many wait.
 */
import { type Context, ROOT_CONTEXT, TraceFlags, type Tracer, trace } from '@opentelemetry/api';
import type { Flush, LogObserver } from '../../wal/commit/log-observer.ts';
import { registeredTracer } from '../../tracing/tracer.ts';

/** What the server sends to its endpoint. */
export interface OwnTraces {
  readonly tracer: Tracer;
  /** Of the traces that begin here; the others are as those say that they are part of. */
  readonly sampleShare: number;
  /** @returns false: so many spans wait to be sent that those of one more call would be lost, as they are now. */
  hasRoom(): boolean;
}

export class ServerTraces implements LogObserver {
  /** `undefined`: spans are not wanted. */
  readonly tracer: Tracer | undefined;
  /** `undefined`: the tracer's own sampler decides. */
  readonly #own: OwnTraces | undefined;
  #lastFlush: Flush | undefined;

  constructor(own?: OwnTraces) {
    this.tracer = own?.tracer ?? registeredTracer();
    this.#own = own;
  }

  /** Whether a span in this context is worth making. */
  mayRecord(parent: Context): boolean {
    const own = this.#own;
    return own === undefined || (isSampled(parent, own.sampleShare) && own.hasRoom());
  }

  /** The newest: when a write is told to be durable, the one that made it so. */
  get lastFlush(): Flush | undefined {
    return this.#lastFlush;
  }

  flushed(flush: Flush): void {
    this.#lastFlush = flush;
  }
}

function isSampled(parent: Context, sampleShare: number): boolean {
  if (parent === ROOT_CONTEXT) return Math.random() < sampleShare;
  return ((trace.getSpanContext(parent)?.traceFlags ?? 0) & TraceFlags.SAMPLED) !== 0;
}
