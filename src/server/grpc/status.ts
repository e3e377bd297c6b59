/**
 * How a call ended, as gRPC writes it: `grpc-status`, `grpc-message` and, for errors with a detail, a `google.rpc.Status` in
 * `grpc-status-details-bin` ("gRPC over HTTP2", Responses).
 */
import { encodeBlock } from '../../http2/hpack/encoder.ts';
import type { Field, HeaderBlock } from '../../http2/contract/fields.ts';
import { prependBytes, sizeOfBytes } from '../../wire/bytes.ts';
import { prependText, sizeOfText } from '../../wire/text.ts';
import type { Outcome } from '../calls/outcome.ts';
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

function statusFields({ code, message, detail }: Outcome): Field[] {
  const fields: Field[] = [
    ['grpc-status', String(code)],
    ['grpc-message', encodeGrpcMessage(message)],
  ];
  if (detail !== undefined) fields.push(['grpc-status-details-bin', statusText(code, message, detail)]);
  return fields;
}

const DETAIL_TYPE = 'type.googleapis.com/kelp.v1.ErrorDetail';

/** A `google.rpc.Status`: code, message, and one detail, which is a `google.protobuf.Any`. In Base64 without padding. */
function statusText(code: number, message: string, detail: Buffer): string {
  const anyBytes = 1 + sizeOfText(DETAIL_TYPE) + 1 + sizeOfBytes(detail);
  const any = Buffer.allocUnsafe(anyBytes);
  let at = prependBytes(any, anyBytes, detail);
  any[--at] = 0x12;
  at = prependText(any, at, DETAIL_TYPE);
  any[--at] = 0x0a;
  const statusBytes = 2 + 1 + sizeOfText(message) + 1 + sizeOfBytes(any);
  const status = Buffer.allocUnsafe(statusBytes);
  at = prependBytes(status, statusBytes, any);
  status[--at] = 0x1a;
  at = prependText(status, at, message);
  status[--at] = 0x12;
  status[--at] = code;
  status[--at] = 0x08;
  return status.toString('base64').replace(/=+$/, '');
}
