/**
 * How a call ended, as gRPC writes it: `grpc-status`, `grpc-message` and, for errors with details, a `google.rpc.Status` in
 * `grpc-status-details-bin` ("gRPC over HTTP2", Responses).
 */
import { encodeBlock } from '../../http2/hpack/encoder.ts';
import type { Field, HeaderBlock } from '../../http2/contract/fields.ts';
import { prependBytes, sizeOfBytes } from '../../wire/bytes.ts';
import { prependText, sizeOfText } from '../../wire/text.ts';
import type { Outcome } from '../calls/outcome.ts';
import { RETRY_INFO_NAME, retryInfo } from '../calls/retry-info.ts';
import { encodeGrpcMessage } from '../http/grpc-message.ts';

const HEAD: readonly Field[] = [
  [':status', '200'],
  ['content-type', 'application/grpc+proto'],
];

/** The head of every reply that has messages, and what follows the last of them. */
export const replyHead: HeaderBlock = encodeBlock(HEAD);
export const okTrailers: HeaderBlock = encodeBlock([['grpc-status', '0']]);

/** What follows the messages of a reply that failed behind them. */
export function failedTrailers(outcome: Outcome): HeaderBlock {
  return encodeBlock(statusFields(outcome));
}

/** A reply that has no message ("Trailers-Only"). */
export function failedReply(outcome: Outcome): HeaderBlock {
  return encodeBlock([...HEAD, ...statusFields(outcome)]);
}

function statusFields({ code, message, detail, retryAfterMs }: Outcome): Field[] {
  const fields: Field[] = [
    ['grpc-status', String(code)],
    ['grpc-message', encodeGrpcMessage(message)],
  ];
  const details: Buffer[] = [];
  if (detail !== undefined) details.push(anyOf('kelp.v1.ErrorDetail', detail));
  if (retryAfterMs !== undefined) details.push(anyOf(RETRY_INFO_NAME, retryInfo(retryAfterMs)));
  if (details.length > 0) fields.push(['grpc-status-details-bin', statusText(code, message, details)]);
  return fields;
}

/** A `google.protobuf.Any`. */
function anyOf(typeName: string, message: Buffer): Buffer {
  const typeUrl = `type.googleapis.com/${typeName}`;
  const any = Buffer.allocUnsafe(1 + sizeOfText(typeUrl) + 1 + sizeOfBytes(message));
  let at = prependBytes(any, any.length, message);
  any[--at] = 0x12;
  at = prependText(any, at, typeUrl);
  any[--at] = 0x0a;
  return any;
}

/** A `google.rpc.Status`: code, message, and details, each a `google.protobuf.Any`. In Base64 without padding. */
function statusText(code: number, message: string, details: readonly Buffer[]): string {
  const detailBytes = details.reduce((bytes, any) => bytes + 1 + sizeOfBytes(any), 0);
  const status = Buffer.allocUnsafe(2 + 1 + sizeOfText(message) + detailBytes);
  let at = status.length;
  for (const any of details.toReversed()) {
    at = prependBytes(status, at, any);
    status[--at] = 0x1a;
  }
  at = prependText(status, at, message);
  status[--at] = 0x12;
  status[--at] = code;
  status[--at] = 0x08;
  return status.toString('base64').replace(/=+$/, '');
}
