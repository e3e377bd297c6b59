/**
 * The text of an error as gRPC sends it, in `grpc-message`: percent-encoded UTF-8 in which nothing is escaped but `%` and
 * the bytes outside of 0x20 to 0x7E ("gRPC over HTTP2", Status-Message).
 *
 * Connect escapes far more, as in a URL, which clients that decode only what gRPC asks for show as it is. What it has
 * written is put right here before it leaves, whichever way it takes: headers, trailers, or the trailers that gRPC-Web
 * has in the body. The code that is beside it is read here, too.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { type GrpcCode, grpcCode } from '../../grpc-code.ts';

/** The value of `grpc-message` for a text. */
export function encodeGrpcMessage(text: string): string {
  // What stands for half a surrogate pair is no concern of gRPC, but the encoder would throw.
  return text.toWellFormed().replace(ESCAPED, encodeURIComponent);
}

/** Whole code points: half a pair can't be encoded. Space at either end would be cut off on the way: RFC 9110, 5.5. */
const ESCAPED = /[^ -$&-~]+|%|^ | $/gu;

/** Headers or trailers as Node takes them, with the message as gRPC has it. */
export function grpcHeaders(headers: Headers | undefined): Record<string, string> {
  const plain = Object.fromEntries(headers ?? []);
  const message = plain['grpc-message'];
  if (message !== undefined) plain['grpc-message'] = recode(message);
  return plain;
}

/** Connect's form of a message in gRPC's. */
function recode(message: string): string {
  return encodeGrpcMessage(decodeURIComponent(message));
}

/** The flag of the envelope that holds trailers: "gRPC Web", Message framing. */
const TRAILER_FLAG = 0x80;
const PREFIX_BYTES = 5;
const MESSAGE_LINE = /^(grpc-message: )(.*)$/m;

/** A chunk of a reply of gRPC-Web, which is one envelope; that of the trailers is put right, any other is left alone. */
export function grpcWebChunk(chunk: Uint8Array): Uint8Array {
  if (chunk[0] !== TRAILER_FLAG) return chunk;
  const lines = Buffer.from(chunk.subarray(PREFIX_BYTES)).toString('latin1');
  const recoded = lines.replace(MESSAGE_LINE, (_, name: string, message: string) => name + recode(message));
  const envelope = Buffer.alloc(PREFIX_BYTES + recoded.length);
  envelope.writeUInt8(TRAILER_FLAG, 0);
  envelope.writeUInt32BE(recoded.length, 1);
  envelope.write(recoded, PREFIX_BYTES, 'latin1');
  return envelope;
}

/** What such an envelope, or the trailers of gRPC, say of how the call ended; `undefined`: it is one of a message, or they say nothing. */
export function grpcStatusOf(end: Uint8Array | Headers | undefined): GrpcCode | undefined {
  const text = end instanceof Uint8Array ? statusInEnvelope(end) : (end?.get('grpc-status') ?? undefined);
  return text === undefined ? undefined : codes.find((code) => String(code) === text);
}

const codes = Object.values(grpcCode);
const STATUS_LINE = /^grpc-status: *(\d+)/m;

function statusInEnvelope(envelope: Uint8Array): string | undefined {
  if (envelope[0] !== TRAILER_FLAG) return undefined;
  const lines = Buffer.from(envelope.subarray(PREFIX_BYTES)).toString('latin1');
  return STATUS_LINE.exec(lines)?.[1];
}

/** Which of the two protocols that are behind a status of HTTP which is always 200, with one of their own; `undefined`: none. */
export function grpcDoorOf(headers: IncomingHttpHeaders): 'grpc' | 'grpc_web' | undefined {
  const [, isWeb] = /^application\/grpc(-web)?/i.exec(headers['content-type'] ?? '') ?? [undefined, null];
  if (isWeb === null) return undefined;
  return isWeb === undefined ? 'grpc' : 'grpc_web';
}

/** Whether this is gRPC over HTTP/2, compressed or not, whose clients read a status of its own. */
export function isGrpcType(contentType: string): boolean {
  return /^application\/grpc(?!-web)/.test(contentType);
}
