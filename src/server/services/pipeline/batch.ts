/**
 * How a batch of `KvService.Pipeline` is read: at once if it can be, else operation by operation, so that one that can't be read
 * fails alone, as a call of its own would.
 */
import type { DescMessage } from '@bufbuild/protobuf';
import * as codec from '../../../../gen/kelp/v1/kv_codec.ts';
import { PipelineOperationSchema } from '../../../../gen/kelp/v1/kv_pb.ts';
import { StoreError } from '../../../errors.ts';
import { fixed, serverFixed } from '../../../limits.ts';
import { Cursor } from '../../../wire/cursor.ts';
import { WireError } from '../../../wire/wire-error.ts';
import type { CallError } from '../../calls/call-error.ts';
import { tooManyPartsError } from '../../calls/request-parts.ts';
import { type Codecs, unreadableError } from '../method.ts';

export interface BatchOperation {
  operation:
    | codec.PipelineOperationShape['operation']
    /** It is not to be run: what the call of its own would have failed with. */
    | { case: 'refused'; value: StoreError | CallError };
  /** From when the batch had come; 0: for ever. */
  timeoutMs: number;
  traceparent: string;
  tracestate: string;
}

export interface PipelineBatch {
  readonly operations: readonly BatchOperation[];
}

/** Of `PipelineRequest`: the tag of an operation. */
const OPERATION_TAG = 0x0a;
const LENGTH_DELIMITED = 2;

type OperationKind = NonNullable<codec.PipelineOperationShape['operation']['case']>;

const readByKind: Readonly<Record<OperationKind, Codecs['read']>> = {
  get: codec.readGetRequest,
  put: codec.readPutRequest,
  delete: codec.readDeleteRequest,
  increment: codec.readIncrementRequest,
  touch: codec.readTouchRequest,
  exists: codec.readExistsRequest,
};

interface OperationRequest {
  readonly input: DescMessage;
  readonly read: Codecs['read'];
}

/** By the number of its field. */
const requestByNumber = new Map<number, OperationRequest>(
  PipelineOperationSchema.fields.flatMap(({ number, localName, message }) =>
    message === undefined ? [] : [[number, { input: message, read: readByKind[localName as OperationKind] }]],
  ),
);

/**
 * Throws when a long batch has more operations than one may, of which the first too many is the last that is looked at. In a
 * short one they are few enough to be read.
 */
export function checkBatch(buffer: Buffer, start: number, end: number): void {
  if (end - start <= serverFixed.pipelineUncountedBytes) return;
  try {
    forEachOperation(buffer, start, end, () => undefined);
  } catch (error) {
    // Who reads it comes to the same place.
    if (!(error instanceof WireError)) throw error;
  }
}

/** Throws a WireError when it can't be told where the operations lie. */
export function readBatch(buffer: Buffer, start: number, end: number): PipelineBatch {
  try {
    return codec.readPipelineRequest(buffer, start, end);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  // One that can't be read takes far longer than one that can: no more of them are looked at than a batch may have.
  const bounds: number[] = [];
  forEachOperation(buffer, start, end, (from, to) => bounds.push(from, to));
  const operations: BatchOperation[] = [];
  for (let index = 0; index < bounds.length; index += 2) {
    operations.push(readOperation(buffer, bounds[index] ?? 0, bounds[index + 1] ?? 0));
  }
  return { operations };
}

export function batchSizeError(count: string): StoreError {
  return new StoreError(
    'invalidArgument',
    `a batch has 1 to ${fixed.pipelineOperationsMax} operations, not ${count}`,
  );
}

/** Throws at the first operation that is one too many, and at the first field that is. */
function forEachOperation(
  buffer: Buffer,
  start: number,
  end: number,
  visit: (start: number, end: number) => void,
): void {
  const { pipelineOperationsMax } = fixed;
  const cursor = new Cursor(buffer, start, end);
  let count = 0;
  let unknownCount = 0;
  while (cursor.position < end) {
    const tag = cursor.tag(end);
    if (tag === OPERATION_TAG) {
      const operationEnd = cursor.endOfLength(end);
      if (++count > pipelineOperationsMax) throw batchSizeError(`${count} or more`);
      visit(cursor.position, operationEnd);
      cursor.position = operationEnd;
    } else {
      if (++unknownCount > serverFixed.requestPartsMax) throw tooManyPartsError();
      cursor.skip(tag, end);
    }
  }
}

function readOperation(buffer: Buffer, start: number, end: number): BatchOperation {
  try {
    return codec.readPipelineOperation(buffer, start, end);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const value =
      refusalOfRequest(buffer, start, end) ??
      unreadableError(PipelineOperationSchema, buffer, start, end, error);
    return { ...codec.emptyPipelineOperation(), operation: { case: 'refused', value } };
  }
}

/** What is wrong with the request within an operation, in the words of its own method. */
function refusalOfRequest(buffer: Buffer, start: number, end: number): StoreError | undefined {
  const cursor = new Cursor(buffer, start, end);
  try {
    while (cursor.position < end) {
      const tag = cursor.tag(end);
      const request = (tag & 7) === LENGTH_DELIMITED ? requestByNumber.get(tag >>> 3) : undefined;
      if (request === undefined) {
        cursor.skip(tag, end);
        continue;
      }
      const requestEnd = cursor.endOfLength(end);
      const refusal = refusalOf(request, buffer, cursor.position, requestEnd);
      if (refusal !== undefined) return refusal;
      cursor.position = requestEnd;
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  return undefined;
}

function refusalOf(
  { input, read }: OperationRequest,
  buffer: Buffer,
  start: number,
  end: number,
): StoreError | undefined {
  try {
    read(buffer, start, end);
    return undefined;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return unreadableError(input, buffer, start, end, error);
  }
}
