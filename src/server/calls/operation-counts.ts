/**
 * The operations of batches, which are no calls of their own: how many there were of each kind, and how they ended, for the
 * metrics. They are counted batch by batch, once it is known what became of them.
 */
import type { PipelineOperationShape } from '../../../gen/kelp/v1/kv_codec.ts';
import { type GrpcCode, grpcCode, nameOfCode } from '../../grpc-code.ts';

export type CountedKind = NonNullable<PipelineOperationShape['operation']['case']> | 'unreadable';

const CODE_COUNT = Object.keys(grpcCode).length;

const rowByKind: Readonly<Record<CountedKind, number>> = {
  get: 0,
  put: 1,
  delete: 2,
  increment: 3,
  touch: 4,
  exists: 5,
  unreadable: 6,
};

export interface OperationCount {
  readonly operation: string;
  /** As the log names it. */
  readonly code: string;
  readonly count: number;
}

export class OperationCounts {
  /** By kind, then by code. */
  readonly #counts = new Float64Array(Object.keys(rowByKind).length * CODE_COUNT);

  add(kind: CountedKind, code: GrpcCode, count = 1): void {
    const place = rowByKind[kind] * CODE_COUNT + code;
    this.#counts[place] = (this.#counts[place] ?? 0) + count;
  }

  /** Of which there were any. */
  get all(): OperationCount[] {
    return Object.entries(rowByKind).flatMap(([operation, row]) =>
      Object.values(grpcCode).flatMap((code) => {
        const count = this.#counts[row * CODE_COUNT + code] ?? 0;
        return count === 0 ? [] : [{ operation, code: nameOfCode(code), count }];
      }),
    );
  }
}

/** Those of one stream, for the log. */
export interface OperationTally {
  operations: number;
  failedOperations: number;
}
