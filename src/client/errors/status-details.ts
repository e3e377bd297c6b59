/** The header `grpc-status-details-bin`: a `google.rpc.Status`, whose details are messages of any type. */
import { type ErrorDetailShape, readErrorDetail } from '../../../gen/kelp/v1/errors_codec.ts';
import { readDuration } from '../../../gen/google/protobuf/duration_codec.ts';
import { Cursor } from '../../wire/cursor.ts';
import { WireError } from '../../wire/wire-error.ts';

export interface StatusDetails {
  /** Of the whole error, which the header `grpc-message` may have cut. */
  readonly message: string;
  readonly detail: ErrorDetailShape | undefined;
  readonly retryAfterMs: number | undefined;
}

/** Numbers of fields with their wire types. */
const STATUS_MESSAGE = (2 << 3) | 2;
const STATUS_DETAILS = (3 << 3) | 2;
const ANY_TYPE_URL = (1 << 3) | 2;
const ANY_VALUE = (2 << 3) | 2;

const RETRY_DELAY = (1 << 3) | 2;

/** The part of a type's URL that counts is behind the last slash. */
const ERROR_DETAIL = '/kelp.v1.ErrorDetail';
const RETRY_INFO = '/google.rpc.RetryInfo';

/** @returns undefined when the header holds no such message: what a proxy has put there explains nothing. */
export function readStatusDetails(header: string): StatusDetails | undefined {
  try {
    return statusOf(Buffer.from(header, 'base64'));
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function statusOf(bytes: Buffer): StatusDetails {
  const cursor = new Cursor(bytes, 0, bytes.length);
  let message = '';
  let detail: ErrorDetailShape | undefined;
  let retryAfterMs: number | undefined;
  while (cursor.position < bytes.length) {
    const tag = cursor.tag(bytes.length);
    if (tag === STATUS_MESSAGE) message = cursor.text(bytes.length);
    else if (tag === STATUS_DETAILS) {
      const { typeUrl, start, end } = anyIn(cursor, cursor.endOfLength(bytes.length));
      if (typeUrl.endsWith(ERROR_DETAIL)) detail ??= readErrorDetail(bytes, start, end);
      else if (typeUrl.endsWith(RETRY_INFO)) retryAfterMs ??= readRetryInfo(bytes, start, end);
    } else cursor.skip(tag, bytes.length);
  }
  return { message, detail, retryAfterMs };
}

/** Reads a `google.protobuf.Any`: where its value lies. */
function anyIn(cursor: Cursor, end: number): { typeUrl: string; start: number; end: number } {
  let typeUrl = '';
  let [valueStart, valueEnd] = [0, 0];
  while (cursor.position < end) {
    const tag = cursor.tag(end);
    if (tag === ANY_TYPE_URL) typeUrl = cursor.text(end);
    else if (tag === ANY_VALUE) {
      valueEnd = cursor.endOfLength(end);
      valueStart = cursor.position;
      cursor.position = valueEnd;
    } else cursor.skip(tag, end);
  }
  return { typeUrl, start: valueStart, end: valueEnd };
}

/** Reads a `google.rpc.RetryInfo`. @returns the delay; `undefined`: it says none that can be waited for. */
export function readRetryInfo(bytes: Buffer, start: number, end: number): number | undefined {
  try {
    const delayMs = retryDelayMs(bytes, start, end);
    return delayMs !== undefined && delayMs >= 0 ? delayMs : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function retryDelayMs(bytes: Buffer, start: number, end: number): number | undefined {
  const cursor = new Cursor(bytes, start, end);
  let delayMs: number | undefined;
  while (cursor.position < end) {
    const tag = cursor.tag(end);
    if (tag !== RETRY_DELAY) {
      cursor.skip(tag, end);
      continue;
    }
    const delayEnd = cursor.endOfLength(end);
    const { seconds, nanos } = readDuration(bytes, cursor.position, delayEnd);
    delayMs = seconds * 1000 + Math.ceil(nanos / 1_000_000);
    cursor.position = delayEnd;
  }
  return delayMs;
}
