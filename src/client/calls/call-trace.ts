/**
 * What calls tell the one who traces them. The client knows no more of it, so that a program which has no use for traces does not
 * load what makes them.
 */
import type { TraceHeaders } from '../../tracing/trace-context.ts';
import type { KelpError } from '../errors/error.ts';

export interface CallTraces {
  /** A call begins. @param path of its method. @returns `undefined`: it is not traced. */
  begin(path: string): CallTrace | undefined;
}

/** It ends once: what it is told later is passed over. */
export interface CallTrace {
  /** What is sent with each try; `undefined`: nothing. */
  readonly headers: TraceHeaders | undefined;
  /** A try has failed, and is repeated. */
  retried(error: KelpError): void;
  succeeded(): void;
  failed(error: KelpError): void;
  /** Its user has enough of a stream. */
  left(): void;
}
