/**
 * How a batch of `KvService.Pipeline` is read: at once if it can be, else operation by operation, so that one that can't be read
 * fails alone, as a call of its own would.
 */
import * as codec from '../../../gen/kelp/v1/kv_codec.ts';
import { PipelineOperationSchema } from '../../../gen/kelp/v1/kv_pb.ts';
import { StoreError } from '../../errors.ts';
import { fixed, serverFixed } from '../../limits.ts';
import { Cursor } from '../../wire/cursor.ts';
import { WireError } from '../../wire/wire-error.ts';
import { type CallError, deadlineError, malformedRequestError } from '../calls/call-error.ts';
import { tooManyPartsError } from '../calls/request-parts.ts';
import { type Codecs, readRequest } from './method.ts';

export interface BatchOperation {
  operation:
    | codec.PipelineOperationShape['operation']
    /** It is not to be run: what the call of its own would have failed with. */
    | { case: 'refused'; value: StoreError | CallError };
  /** From when the batch had come; 0: for ever. */
  timeoutMs: number;
}

export interface PipelineBatch {
  readonly operations: readonly BatchOperation[];
}

/** Of `PipelineRequest`: the tag of an operation. */
const OPERATION_TAG = 0x0a;
const LENGTH_DELIMITED = 2;

type Readers = Readonly<
  Record<NonNullable<codec.PipelineOperationShape['operation']['case']>, Codecs['read']>
>;

const readers: Readers = {
  get: codec.readGetRequest,
  put: codec.readPutRequest,
  delete: codec.readDeleteRequest,
  increment: codec.readIncrementRequest,
  touch: codec.readTouchRequest,
  exists: codec.readExistsRequest,
};

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
  // An error takes far longer to make than an operation to read: no more of them are read than a batch may have.
  const messages: Buffer[] = [];
  forEachOperation(buffer, start, end, (from, to) => messages.push(buffer.subarray(from, to)));
  return { operations: messages.map(readOperation) };
}

/** The operations of a batch that has lain here for so long: those whose callers wait no more are refused. */
export function stillWanted(
  operations: readonly BatchOperation[],
  waitedMs: number,
): readonly BatchOperation[] {
  const isLate = ({ timeoutMs }: BatchOperation): boolean => timeoutMs !== 0 && timeoutMs <= waitedMs;
  if (!operations.some(isLate)) return operations;
  const refused: BatchOperation = { operation: { case: 'refused', value: deadlineError() }, timeoutMs: 0 };
  return operations.map((each) => (isLate(each) ? refused : each));
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

function readOperation(message: Buffer): BatchOperation {
  try {
    return codec.readPipelineOperation(message, 0, message.length);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { operation: { case: 'refused', value: refusalOf(message, error) }, timeoutMs: 0 };
  }
}

/** What is wrong with the request within the operation, in the words of its own method. */
function refusalOf(message: Buffer, error: WireError): StoreError {
  try {
    readRequestsIn(message);
  } catch (refusal) {
    if (refusal instanceof StoreError) return refusal;
    if (!(refusal instanceof WireError)) throw refusal;
  }
  return malformedRequestError(PipelineOperationSchema.typeName, error.message);
}

function readRequestsIn(message: Buffer): void {
  const end = message.length;
  const cursor = new Cursor(message, 0, end);
  while (cursor.position < end) {
    const tag = cursor.tag(end);
    const field = PipelineOperationSchema.fields.find(({ number }) => number === tag >>> 3);
    if ((tag & 7) !== LENGTH_DELIMITED || field?.message === undefined) {
      cursor.skip(tag, end);
      continue;
    }
    const requestEnd = cursor.endOfLength(end);
    const request = message.subarray(cursor.position, requestEnd);
    const read = readers[field.localName as keyof Readers];
    readRequest({ desc: { input: field.message }, codecs: { read } }, request, 0, request.length);
    cursor.position = requestEnd;
  }
}
