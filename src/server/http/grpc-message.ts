/**
 * The text of an error as gRPC sends it, in `grpc-message`: percent-encoded UTF-8 in which nothing is escaped but `%` and
 * the bytes outside of 0x20 to 0x7E ("gRPC over HTTP2", Status-Message).
 *
 * Connect escapes far more, as in a URL, which clients that decode only what gRPC asks for show as it is. What it has
 * written is put right here before it leaves, whichever way it takes: headers, trailers, or the trailers that gRPC-Web
 * has in the body.
 */

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

/** Whether this is gRPC over HTTP/2, compressed or not, whose clients read a status of its own. */
export function isGrpcType(contentType: string): boolean {
  return /^application\/grpc(?!-web)/.test(contentType);
}
