/**
 * The context of a trace as it travels with a call, read and written as W3C Trace Context (level 1) says. It is not left to the
 * propagator of OpenTelemetry's API, since a program may have registered none: a trace goes on all the same, and in this form always.
 *
 *     traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *                  |  trace id (16 bytes)              span id (8)      flags: 01 sampled
 *                  version
 *
 * What can't be read is no error: the call begins a trace of its own ("Processing Model").
 */
import type { SpanContext } from '@opentelemetry/api';
import { fixed } from '../limits.ts';

/** What is sent with a call. */
export interface TraceHeaders {
  readonly traceparent: string;
  /** What vendors keep with the trace; empty: nothing. */
  readonly tracestate: string;
}

/** A trace as it was read, but for its state. */
type ReadContext = Pick<SpanContext, 'traceId' | 'spanId' | 'traceFlags'>;

const TRACEPARENT_LENGTH = 55;
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const SAMPLED = 1;

/** What a span sends on with its calls; `undefined` for one that stands for no span. */
export function traceHeadersOf(context: SpanContext): TraceHeaders | undefined {
  const { traceId, spanId, traceFlags, traceState } = context;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  const flags = (traceFlags & SAMPLED) === 0 ? '00' : '01';
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, tracestate: traceState?.serialize() ?? '' };
}

/** @returns `undefined` for what is none. A later version may have more behind what is known of it. */
export function readTraceparent(text: string): ReadContext | undefined {
  if (text.length < TRACEPARENT_LENGTH || text.length > fixed.traceparentCharactersMax) return undefined;
  const [, version, traceId = NO_TRACE, spanId = NO_SPAN, flags = '', rest] = form.exec(text) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & SAMPLED };
}

/** What of a `tracestate` is kept: none that is longer than everybody has to pass on. */
export function boundedTracestate(text: string): string {
  return text.length > fixed.tracestateCharactersMax ? '' : text;
}
