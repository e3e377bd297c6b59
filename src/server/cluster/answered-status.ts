/** How a call of gRPC ended at the writer, read back from its trailers: what `grpc/status.ts` writes. */
import { type ErrorDetailShape, readErrorDetail } from '../../../gen/kelp/v1/errors_codec.ts';
import { readDuration } from '../../../gen/google/protobuf/duration_codec.ts';
import { type GrpcCode, grpcCode } from '../../grpc-code.ts';
import { type Field, fieldOf } from '../../http2/contract/fields.ts';
import { Cursor } from '../../wire/cursor.ts';
import { WireError } from '../../wire/wire-error.ts';
import { AnsweredError } from '../calls/call-error.ts';

const codes: readonly number[] = Object.values(grpcCode);

/** @returns `undefined`: the fields tell of no status. */
export function grpcStatusIn(fields: readonly Field[]): GrpcCode | undefined {
  const text = fieldOf(fields, 'grpc-status');
  const code = codes.find((each) => String(each) === text);
  return code as GrpcCode | undefined;
}

/** @returns `undefined`: it ended well. */
export function answeredError(fields: readonly Field[]): AnsweredError | undefined {
  const code = grpcStatusIn(fields) ?? grpcCode.Unknown;
  if (code === grpcCode.Ok) return undefined;
  const details = detailsIn(fieldOf(fields, 'grpc-status-details-bin') ?? '');
  return new AnsweredError(code, messageIn(fields), details.detail, details.retryAfterMs);
}

function messageIn(fields: readonly Field[]): string {
  const text = fieldOf(fields, 'grpc-message') ?? '';
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

interface Details {
  detail: ErrorDetailShape | undefined;
  retryAfterMs: number | undefined;
}

/** Of a `google.rpc.Status`: its third field, each an `Any` of a type and a message. */
function detailsIn(text: string): Details {
  const details: Details = { detail: undefined, retryAfterMs: undefined };
  const bytes = Buffer.from(text, 'base64');
  try {
    for (const [tag, from, to] of partsOf(bytes, 0, bytes.length))
      if (tag === 0x1a) readAny(bytes, from, to, details);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  return details;
}

function readAny(bytes: Buffer, start: number, end: number, details: Details): void {
  let type = '';
  for (const [tag, from, to] of partsOf(bytes, start, end)) {
    if (tag === 0x0a) type = bytes.toString('utf8', from, to);
    else if (tag !== 0x12) continue;
    else if (type.endsWith('/kelp.v1.ErrorDetail')) details.detail = readErrorDetail(bytes, from, to);
    else if (type.endsWith('/google.rpc.RetryInfo')) details.retryAfterMs = retryAfterMsIn(bytes, from, to);
  }
}

function retryAfterMsIn(bytes: Buffer, start: number, end: number): number | undefined {
  for (const [tag, from, to] of partsOf(bytes, start, end)) {
    if (tag !== 0x0a) continue;
    const { seconds, nanos } = readDuration(bytes, from, to);
    return seconds * 1000 + nanos / 1_000_000;
  }
  return undefined;
}

/** The fields of a message that have a length. Throws a WireError. */
function* partsOf(
  bytes: Buffer,
  start: number,
  end: number,
): Generator<readonly [tag: number, from: number, to: number]> {
  const cursor = new Cursor(bytes, start, end);
  while (cursor.position < end) {
    const tag = cursor.tag(end);
    if ((tag & 7) !== 2) {
      cursor.skip(tag, end);
      continue;
    }
    const to = cursor.endOfLength(end);
    yield [tag, cursor.position, to];
    cursor.position = to;
  }
}
