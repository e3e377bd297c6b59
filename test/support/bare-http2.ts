/** Calls over bare HTTP/2, for bytes and habits that no client library has. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  connect,
} from 'node:http2';
import { onTestFinished } from 'vitest';

/** A session that the server has agreed to; closed when the test ends. */
export async function openSession(url: string, options: object = {}): Promise<ClientHttp2Session> {
  const session = connect(url, options);
  onTestFinished(() => session.destroy());
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
  return session;
}

/** Begins a POST; what the server has not been sent yet is up to the caller. */
export function post(
  session: ClientHttp2Session,
  path: string,
  contentType: string,
  headers: OutgoingHttpHeaders = {},
): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': contentType,
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => undefined);
  return stream;
}

export interface BareReply {
  /** Headers and trailers together. */
  readonly headers: IncomingHttpHeaders & { readonly ':status'?: number | undefined };
  readonly body: Buffer;
}

export async function replyOf(stream: ClientHttp2Stream): Promise<BareReply> {
  let headers: BareReply['headers'] = {};
  const chunks: Buffer[] = [];
  stream.on('response', (each) => (headers = { ...headers, ...each }));
  stream.on('trailers', (each: IncomingHttpHeaders) => (headers = { ...headers, ...each }));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => stream.once('close', () => resolve()));
  return { headers, body: Buffer.concat(chunks) };
}

/** A frame of HTTP/2: RFC 9113, section 4.1. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** A header field that is not in any table: RFC 7541, section 6.2.2. */
export function field(name: string, value: string): Buffer {
  return Buffer.from(
    `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`,
  );
}

/** All of a connection that begins a POST on stream 1 and has sent some of its body, but not its end. */
export function unfinishedPost(path: string, contentType: string, body: Uint8Array): Buffer {
  const headers = Buffer.concat([
    field(':method', 'POST'),
    field(':scheme', 'http'),
    field(':authority', 'localhost'),
    field(':path', path),
    field('content-type', contentType),
  ]);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(4, 0, 0, new Uint8Array(0)),
    // END_HEADERS.
    frame(1, 4, 1, headers),
    frame(0, 0, 1, body),
  ]);
}

/** Resets stream 1. Node's own client ends a stream before it resets it. */
export function resetFrame(code: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return frame(3, 0, 1, payload);
}

export const pingFrame = frame(6, 0, 0, Buffer.from('ping-ing'));

/** What a server answers it with, once it has seen all that came before. */
export const pingAcknowledged = '\0\0\x08\x06\x01\0\0\0\0ping-ing';
