/**
 * The operations of batches, which are no calls of their own, as the metrics count them: each under the method that it stands for,
 * by how it ended, once that is known; batch by batch.
 */
import type { PipelineOperationShape } from '../../../gen/kelp/v1/kv_codec.ts';
import type { GrpcCode } from '../../grpc-code.ts';
import type { CallMeter } from '../metrics/calls/call-meter.ts';
import type { CallMeters } from '../metrics/calls/call-meters.ts';

export type CountedKind = NonNullable<PipelineOperationShape['operation']['case']> | 'unreadable';

const methodByKind: Readonly<Record<CountedKind, string>> = {
  get: 'Get',
  put: 'Put',
  delete: 'Delete',
  increment: 'Increment',
  touch: 'Touch',
  exists: 'Exists',
  unreadable: 'other',
};

export class OperationCounts {
  readonly #meterByKind: Readonly<Record<CountedKind, CallMeter>>;

  constructor(meters: CallMeters) {
    const meterOf = (kind: CountedKind): CallMeter => meters.of('pipeline', methodByKind[kind]);
    this.#meterByKind = {
      get: meterOf('get'),
      put: meterOf('put'),
      delete: meterOf('delete'),
      increment: meterOf('increment'),
      touch: meterOf('touch'),
      exists: meterOf('exists'),
      unreadable: meterOf('unreadable'),
    };
  }

  /** @param tookMs from when their batch had come. */
  add(kind: CountedKind, code: GrpcCode, tookMs: number, count = 1): void {
    this.#meterByKind[kind].addMany(code, tookMs, count);
  }
}

/** Those of one stream, for the log. */
export interface OperationTally {
  operations: number;
  failedOperations: number;
}
