/**
 * Counts a request of HTTP for the metrics, from now to the end of its reply: the one place for all doors but the lane of gRPC. To be
 * called once for each request, as soon as it is known what it is for; everything else shows at the end.
 *
 *     const call = calls.open(...);
 *     meterReply(response, meters.of('rest', 'Get'), { call });    // the door's handler; meters are made with the routes
 */
import { type GrpcCode, grpcCode } from '../../grpc-code.ts';
import type { Call } from '../calls/call.ts';
import type { CallMeter } from '../metrics/calls/call-meter.ts';
import type { HttpResponse } from './http-message.ts';

interface MeterOptions {
  /** Whose `outcome` is the code, once it is known; left out, or without one: `code`. */
  readonly call?: Call;
  /** Of a reply that gets to its end; left out: what the status stands for. */
  readonly code?: GrpcCode;
  /** Whether the status of HTTP says how the call went; left out: it does. */
  readonly usesStatus?: boolean;
}

export function meterReply(
  response: HttpResponse,
  meter: CallMeter,
  { call, code: whenEnded, usesStatus = true }: MeterOptions = {},
): void {
  const startMs = performance.now();
  meter.begin();
  if (call !== undefined) call.meter = meter;
  response.once('close', () => {
    const { statusCode } = response;
    const whenUnknown = response.writableEnded ? (whenEnded ?? codeOfStatus(statusCode)) : grpcCode.Canceled;
    const code = call?.outcome ?? whenUnknown;
    if (call?.isStream === true) meter.endUntimed(code);
    else meter.end(code, performance.now() - startMs);
    if (usesStatus && response.headersSent) meter.replied(statusCode);
  });
}

const codeByStatus: ReadonlyMap<number, GrpcCode> = new Map([
  [401, grpcCode.Unauthenticated],
  [403, grpcCode.PermissionDenied],
  [404, grpcCode.NotFound],
  [405, grpcCode.Unimplemented],
  [409, grpcCode.Aborted],
  [412, grpcCode.FailedPrecondition],
  [416, grpcCode.OutOfRange],
  [429, grpcCode.ResourceExhausted],
  [501, grpcCode.Unimplemented],
  [503, grpcCode.Unavailable],
  [504, grpcCode.DeadlineExceeded],
]);

/** What a status stands for where nothing else says how a call went. */
export function codeOfStatus(status: number): GrpcCode {
  if (status < 400) return grpcCode.Ok;
  return codeByStatus.get(status) ?? (status < 500 ? grpcCode.InvalidArgument : grpcCode.Internal);
}
