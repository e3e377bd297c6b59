/** Single requests of either version of HTTP, with the `Host` and `Origin` that no library lets one choose. */
import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { once } from 'node:events';
import { replyOf } from '../../support/bare-http2.ts';

export const tls = { cert: 'test/support/tls/cert.pem', key: 'test/support/tls/key.pem' };
export const tlsFlags = { 'tls-cert': tls.cert, 'tls-key': tls.key };

export interface Ask {
  readonly method: string;
  readonly path: string;
  /** In lower case; `host` is `:authority` of HTTP/2. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** @param url of the server, with the name by which it is found. */
export type AskOnce = (url: string, ask: Ask) => Promise<Answer>;

async function askHttp1(url: string, { method, path, headers = {}, body = '' }: Ask): Promise<Answer> {
  const makeRequest = url.startsWith('https:') ? httpsRequest : httpRequest;
  const request = makeRequest(url, {
    method,
    path,
    headers: { ...headers, ...(body.length > 0 ? { 'content-length': Buffer.byteLength(body) } : {}) },
    ca: readFileSync(tls.cert),
    servername: 'localhost',
    agent: false,
  } as object);
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}

async function askHttp2(url: string, { method, path, headers = {}, body = '' }: Ask): Promise<Answer> {
  const session = connect(url, { ca: readFileSync(tls.cert), servername: 'localhost' });
  try {
    const { host = new URL(url).host, ...others } = headers;
    const pseudo = {
      ':method': method,
      ':path': path,
      ':authority': host,
    };
    const stream = session.request({ ...pseudo, ...others }, { endStream: body.length === 0 });
    if (body.length > 0) stream.end(body);
    const reply = await replyOf(stream);
    return { status: reply.headers[':status'] ?? 0, headers: reply.headers, body: reply.body };
  } finally {
    session.destroy();
  }
}

export const versions: readonly (readonly [name: string, ask: AskOnce])[] = [
  ['HTTP/1.1', askHttp1],
  ['HTTP/2', askHttp2],
];
