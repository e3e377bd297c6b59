/**
 * How one try of a call failed, in the terms of gRPC, whatever carried it: a connection of the client's own, or a transport
 * that its user gave it.
 */
import type { ErrorDetailShape } from '../../../gen/kelp/v1/errors_codec.ts';
import { type GrpcCode, grpcCode } from '../../grpc-code.ts';

export interface CallFailureOptions extends ErrorOptions {
  /** What a KelpDB server says of it. */
  readonly detail?: ErrorDetailShape | undefined;
  /** When, as the server says, the same call may succeed. */
  readonly retryAfterMs?: number | undefined;
  /**
   * Whether the server has surely not acted on the request, and will not. So it is when
   * - no connection was made, so that the request was not handed to one;
   * - the server refused it unseen: its stream was reset with REFUSED_STREAM, or is above the last one that a GOAWAY names
   *   (RFC 9113, sections 8.7 and 6.8);
   * - the connection was lost before a byte of it was written.
   *
   * Anything else leaves it open: bytes that were handed to the system may have arrived. Default false.
   */
  readonly isUnprocessed?: boolean;
  /** Whether the server says that its port is for TLS alone. Default false. */
  readonly isTlsOnly?: boolean;
}

export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  readonly code: GrpcCode;
  readonly detail: ErrorDetailShape | undefined;
  readonly retryAfterMs: number | undefined;
  readonly isUnprocessed: boolean;
  readonly isTlsOnly: boolean;
  /** The server that was asked, for messages, where there are several. */
  address: string | undefined = undefined;

  constructor(code: GrpcCode, message: string, options: CallFailureOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.detail = options.detail;
    this.retryAfterMs = options.retryAfterMs;
    this.isUnprocessed = options.isUnprocessed ?? false;
    this.isTlsOnly = options.isTlsOnly ?? false;
  }
}

/** The signal of the call was aborted. */
export function canceled(isUnprocessed: boolean): CallFailure {
  return new CallFailure(grpcCode.Canceled, 'the call was canceled', { isUnprocessed });
}

/** The deadline of the call has passed. */
export function outOfTime(isUnprocessed: boolean): CallFailure {
  return new CallFailure(grpcCode.DeadlineExceeded, 'no answer in time', { isUnprocessed });
}
