/**
 * What a reply says of how its call went: the head and the trailers of gRPC over HTTP/2 ("gRPC over HTTP2", Responses), and
 * what is answered by something that speaks HTTP but no gRPC ("HTTP to gRPC Status Code Mapping").
 */
import { type Field, type ResponseHead, fieldOf } from '../../http2/contract/fields.ts';
import { type GrpcCode, grpcCode } from '../../grpc-code.ts';
import { TLS_ONLY_HEADER } from '../../tls-only-header.ts';
import { CallFailure } from '../errors/call-failure.ts';
import { readStatusDetails } from '../errors/status-details.ts';

/** What a head means for its call. */
type HeadMeaning =
  /** Messages follow, and then trailers. */
  | { readonly kind: 'reply' }
  /** There are no messages, and the status stands in the head. */
  | { readonly kind: 'status' }
  | { readonly kind: 'noGrpc'; readonly code: GrpcCode; readonly message: string };

/** The same head comes with nearly every reply of a connection, so it is looked at once. */
export function meaningOf(head: ResponseHead): HeadMeaning {
  head.memo ??= meaningOfNew(head);
  return head.memo as HeadMeaning;
}

const reply: HeadMeaning = { kind: 'reply' };
const status: HeadMeaning = { kind: 'status' };

function meaningOfNew(head: ResponseHead): HeadMeaning {
  const contentType = fieldOf(head.fields, 'content-type') ?? '';
  const isGrpc = /^application\/grpc($|[+;])/i.test(contentType);
  if (isGrpc && fieldOf(head.fields, 'grpc-status') !== undefined) return status;
  if (isGrpc && head.status === 200) return reply;
  if (head.status !== 200) {
    const code = codeByHttpStatus.get(head.status) ?? grpcCode.Unknown;
    return { kind: 'noGrpc', code, message: `HTTP ${head.status}` };
  }
  const type = contentType === '' ? 'without a content type' : `of type ${JSON.stringify(contentType)}`;
  return { kind: 'noGrpc', code: grpcCode.Unknown, message: `the answer is no gRPC, it is ${type}` };
}

const codeByHttpStatus: ReadonlyMap<number, GrpcCode> = new Map([
  [400, grpcCode.Internal],
  [401, grpcCode.Unauthenticated],
  [403, grpcCode.PermissionDenied],
  [404, grpcCode.Unimplemented],
  [429, grpcCode.Unavailable],
  [502, grpcCode.Unavailable],
  [503, grpcCode.Unavailable],
  [504, grpcCode.Unavailable],
]);

/** The failure of a reply that is no gRPC. */
export function noGrpcFailure(
  head: ResponseHead,
  { code, message }: { readonly code: GrpcCode; readonly message: string },
): CallFailure {
  return new CallFailure(code, message, { isTlsOnly: isTlsOnly(head.fields) });
}

function isTlsOnly(fields: readonly Field[]): boolean {
  return fieldOf(fields, TLS_ONLY_HEADER) !== undefined;
}

/** Whether all went well, as nearly always, and there is nothing else to be read. */
export function isOk(fields: readonly Field[]): boolean {
  return fieldOf(fields, 'grpc-status') === '0';
}

/** The failure that trailers, or a head in place of them, tell of. */
export function statusFailure(fields: readonly Field[], head: ResponseHead | undefined): CallFailure {
  const text = fieldOf(fields, 'grpc-status');
  if (text === undefined) return new CallFailure(grpcCode.Internal, 'the reply ended without its status');
  const code = codeOf(text);
  if (code === undefined)
    return new CallFailure(
      grpcCode.Unknown,
      `the reply has the status ${JSON.stringify(text)}, which is none`,
    );
  const details = fieldOf(fields, 'grpc-status-details-bin');
  const read = details === undefined ? undefined : readStatusDetails(details);
  const message = read?.message || percentDecoded(fieldOf(fields, 'grpc-message') ?? '');
  return new CallFailure(code, message, {
    detail: read?.detail,
    retryAfterMs: read?.retryAfterMs,
    isTlsOnly: isTlsOnly(fields) || (head !== undefined && isTlsOnly(head.fields)),
  });
}

const codes: ReadonlySet<number> = new Set(Object.values(grpcCode));

function codeOf(text: string): GrpcCode | undefined {
  return /^\d{1,2}$/.test(text) ? knownCode(Number(text)) : undefined;
}

export function knownCode(code: number): GrpcCode | undefined {
  return codes.has(code) ? (code as GrpcCode) : undefined;
}

/** What is not encoded as it should be is shown as it is ("gRPC over HTTP2": never an error). */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
