/** Deadlines that clients set in headers. */
import type { IncomingHttpHeaders } from 'node:http';
import { serverFixed } from '../../limits.ts';

const msByGrpcUnit: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/** Of the header `grpc-timeout` ("gRPC over HTTP2", Timeout); `undefined` when it is none. */
export function grpcTimeoutMs(value: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(value) ?? [];
  const unitMs = msByGrpcUnit[unit];
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}

/** How long the client of a request of any protocol waits; `undefined`: for ever, or for longer than any timer. */
export function timeoutMsIn(headers: IncomingHttpHeaders): number | undefined {
  const { 'grpc-timeout': ofGrpc, 'connect-timeout-ms': ofConnect } = headers;
  const timeoutMs =
    typeof ofGrpc === 'string'
      ? grpcTimeoutMs(ofGrpc)
      : typeof ofConnect === 'string' && /^\d{1,10}$/.test(ofConnect)
        ? Number(ofConnect)
        : undefined;
  return timeoutMs === undefined || timeoutMs > serverFixed.deadlineMsMax ? undefined : timeoutMs;
}

/**
 * Whether a header sets a deadline so far away that no timer can be set for it; then it is as good as none. A value
 * that is none at all is not: Connect refuses it.
 */
export function isBeyondTimers(header: string, value: string): boolean {
  if (header === 'grpc-timeout') return (grpcTimeoutMs(value) ?? 0) > serverFixed.deadlineMsMax;
  return header === 'connect-timeout-ms' && Number(value) > serverFixed.deadlineMsMax;
}
