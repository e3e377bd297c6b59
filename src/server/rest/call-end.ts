/** What is told of a call when it is over, for the log. */
import type { GrpcCode } from '../../grpc-code.ts';

export interface CallEnd {
  /** `GET /v1/keys/{key}`: of a set that is fixed. */
  readonly name: string;
  readonly code: GrpcCode;
  readonly status: number;
  /** Of bodies. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly tookMs: number;
  /** What else the log says of it. */
  readonly logged: object;
}
