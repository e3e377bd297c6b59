/** The spans of the operations of a batch, for the traces that they are part of. */
import type { Tracer } from '@opentelemetry/api';
import type { PipelineResultShape } from '../../../../gen/kelp/v1/kv_codec.ts';
import { KvService } from '../../../../gen/kelp/v1/kv_pb.ts';
import { type GrpcCode, grpcCode, nameOfCode } from '../../../grpc-code.ts';
import type { Call } from '../../calls/call.ts';
import { type BatchTimes, OperationSpans } from '../../tracing/operation-spans.ts';
import type { BatchOperation } from './batch.ts';

type OperationKind = BatchOperation['operation']['case'];

const methodByKind: ReadonlyMap<OperationKind, string> = new Map(
  (['get', 'put', 'delete', 'increment', 'touch', 'exists'] as const).map((kind) => [
    kind,
    `${KvService.typeName}/${KvService.method[kind].name}`,
  ]),
);

/** @param results of the first operations, or of all. */
export function traceBatch(
  tracer: Tracer,
  { traces, span }: Call,
  operations: readonly BatchOperation[],
  results: readonly PipelineResultShape[],
  times: BatchTimes,
): void {
  const spans = new OperationSpans(traces, tracer, span, times);
  for (let index = 0; index < results.length; index++) {
    const { operation, traceparent, tracestate } = operations[index] as BatchOperation;
    const { result } = results[index] as PipelineResultShape;
    spans.add({
      headers: { traceparent, tracestate },
      method: methodByKind.get(operation.case),
      isWrite: result.case !== 'failure' && isWrite(operation),
      outcome: nameOfCode(result.case === 'failure' ? (result.value.code as GrpcCode) : grpcCode.Ok),
    });
  }
}

function isWrite({ case: kind, value }: BatchOperation['operation']): boolean {
  return kind === 'get' ? value.refreshTtl : kind !== 'exists';
}
