/** The trace that a call belongs to, as its client says in the headers of W3C Trace Context, or in an operation of a batch. */
import { type Context, ROOT_CONTEXT, createTraceState, trace } from '@opentelemetry/api';
import type { Field } from '../../http2/contract/fields.ts';
import { type TraceHeaders, boundedTracestate, readTraceparent } from '../../tracing/trace-context.ts';

/** @returns the root for nothing, and for what can't be read: the call is the first of a trace of its own. */
export function parentContext(headers: TraceHeaders | undefined): Context {
  if (headers === undefined) return ROOT_CONTEXT;
  const { traceparent, tracestate } = headers;
  const read = readTraceparent(traceparent);
  if (read === undefined) return ROOT_CONTEXT;
  const state = boundedTracestate(tracestate);
  return trace.setSpanContext(ROOT_CONTEXT, {
    ...read,
    isRemote: true,
    ...(state !== '' && { traceState: createTraceState(state) }),
  });
}

/** @returns `undefined`: there is none, or more than one. */
export function traceHeadersIn(fields: readonly Field[]): TraceHeaders | undefined {
  let traceparent: string | undefined;
  let tracestate = '';
  for (const [name, value] of fields) {
    if (name === 'traceparent') {
      if (traceparent !== undefined) return undefined;
      traceparent = value;
    } else if (name === 'tracestate') {
      // A list that comes in several fields is one list.
      tracestate = tracestate === '' ? value : `${tracestate},${value}`;
    }
  }
  return traceparent === undefined ? undefined : { traceparent, tracestate };
}

/** Of a request in the form of Node's HTTP, which joins what comes several times: no `traceparent` any more. */
export function traceHeadersOf(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): TraceHeaders | undefined {
  const { traceparent, tracestate = '' } = headers;
  if (typeof traceparent !== 'string') return undefined;
  return { traceparent, tracestate: typeof tracestate === 'string' ? tracestate : tracestate.join() };
}
