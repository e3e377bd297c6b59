/** Requests to REST over either version of HTTP. */
import { connect } from 'node:http2';
import { onTestFinished } from 'vitest';

export interface RestRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is no text and no bytes is sent as JSON. */
  readonly body?: unknown;
}

export interface RestReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export type Send = (path: string, request?: RestRequest) => Promise<RestReply>;

export const httpVersions = ['1.1', '2'] as const;
export type HttpVersion = (typeof httpVersions)[number];

/** @param url of a server; connections are closed when the test ends. */
export function restClient(url: string, version: HttpVersion = '1.1'): Send {
  return version === '1.1' ? overHttp1(url) : overHttp2(url);
}

export function jsonOf(reply: RestReply): unknown {
  return JSON.parse(reply.text) as unknown;
}

function overHttp1(url: string): Send {
  return async (path, request = {}) => {
    const { method = 'GET' } = request;
    const body = bodyOf(request);
    const response = await fetch(`${url}${path}`, {
      method,
      headers: headersOf(request),
      ...(body === undefined ? {} : { body }),
    });
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      text: await response.text(),
    };
  };
}

function overHttp2(url: string): Send {
  const session = connect(url);
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  return (path, request = {}) =>
    new Promise((resolve, reject) => {
      const { method = 'GET' } = request;
      const stream = session.request({ ':method': method, ':path': path, ...headersOf(request) });
      let head: Record<string, string> = {};
      let text = '';
      stream.setEncoding('utf8');
      stream.on('response', (headers) => (head = headers as unknown as Record<string, string>));
      stream.on('data', (chunk: string) => (text += chunk));
      stream.on('error', reject);
      stream.on('close', () => resolve({ status: Number(head[':status']), headers: head, text }));
      stream.end(bodyOf(request));
    });
}

function headersOf({ headers = {}, body }: RestRequest): Record<string, string> {
  const isJson = body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array);
  return { ...(isJson && { 'content-type': 'application/json' }), ...headers };
}

function bodyOf({ body }: RestRequest): string | Buffer | undefined {
  if (body === undefined || typeof body === 'string') return body;
  return body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body);
}
