/**
 * `google.rpc.RetryInfo`, which tells when a call may be made again, as clients of gRPC know it (google/rpc/error_details.proto):
 *
 *     message RetryInfo { google.protobuf.Duration retry_delay = 1; }
 */
import { prependDuration, sizeOfDuration } from '../../../gen/google/protobuf/duration_codec.ts';
import { prependVarint32, sizeWithLength } from '../../wire/varint.ts';

export const RETRY_INFO_NAME = 'google.rpc.RetryInfo';

const RETRY_DELAY_TAG = 0x0a;
const NANOS_PER_MS = 1_000_000;

export function retryInfo(retryAfterMs: number): Buffer {
  const ms = Math.ceil(retryAfterMs);
  const delay = { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * NANOS_PER_MS };
  const delayBytes = sizeOfDuration(delay);
  const bytes = Buffer.allocUnsafe(1 + sizeWithLength(delayBytes));
  let at = prependDuration(delay, bytes, bytes.length);
  at = prependVarint32(bytes, at, delayBytes);
  bytes[--at] = RETRY_DELAY_TAG;
  return bytes;
}
