/**
 * The wait of a write for the log, as a span within that of its call:
 *
 *     commit       from when its method was called, or its batch had run, until what it changed may be told
 *     └ flush      the one that made it durable, which it shares with all that were committed before it; none without `--fsync always`
 */
import { type Context, type Tracer, trace } from '@opentelemetry/api';
import { attribute } from '../../tracing/attributes.ts';
import type { ServerTraces } from './server-traces.ts';
import { spanTime } from './span-time.ts';

/** By the monotonic clock, of a wait that has just ended. */
export interface Wait {
  readonly startMs: number;
  readonly endMs: number;
}

/** @param context of the call's span. */
export function addCommitSpan(
  tracer: Tracer,
  { lastFlush }: ServerTraces,
  context: Context,
  { startMs, endMs }: Wait,
): void {
  const span = tracer.startSpan('commit', { startTime: spanTime(startMs) }, context);
  // One that began before is another's, and the write waited for none.
  if (lastFlush !== undefined && lastFlush.startMs >= startMs && span.isRecording()) {
    const { startMs: flushStartMs, durationMs, recordCount, bytes } = lastFlush;
    const attributes = { [attribute.FLUSH_RECORDS]: recordCount, [attribute.FLUSH_BYTES]: bytes };
    const options = { attributes, startTime: spanTime(flushStartMs) };
    const flush = tracer.startSpan('flush', options, trace.setSpan(context, span));
    flush.end(spanTime(flushStartMs + durationMs));
  }
  span.end(spanTime(endMs));
}
