/**
 * The tracer of a program that has registered one with OpenTelemetry's API, now or later. While there is none, a call costs one
 * look at where the API keeps it.
 */
import { type Tracer, type TracerProvider, trace } from '@opentelemetry/api';

/** As every span of KelpDB says by whom it was made. */
const SCOPE = 'kelpdb';

/** That of the API, which stands for the registered one, and gives no tracer before there is one. */
type ProxyProvider = TracerProvider & { getDelegateTracer?(name: string): Tracer | undefined };

let knownProvider: TracerProvider | undefined;
let knownTracer: Tracer | undefined;

/** @returns `undefined`: spans are not wanted. */
export function registeredTracer(): Tracer | undefined {
  const provider: ProxyProvider = trace.getTracerProvider();
  if (provider === knownProvider) return knownTracer;
  const tracer =
    provider.getDelegateTracer === undefined ? provider.getTracer(SCOPE) : provider.getDelegateTracer(SCOPE);
  // What is registered next makes the same provider give a tracer.
  knownProvider = tracer === undefined ? undefined : provider;
  knownTracer = tracer;
  return tracer;
}
