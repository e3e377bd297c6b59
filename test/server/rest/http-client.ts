/** A client of HTTP that sends exactly what a test says, over either version. */
import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request as http1Request } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import type { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';

export const versions = ['HTTP/1.1', 'HTTP/2'] as const;
export type Version = (typeof versions)[number];

export interface Asked {
  readonly method?: string;
  /** Path and query, as they are sent. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** A request that is sent, or is being. */
export interface Exchange {
  /** Where its body is written to. */
  readonly request: ClientRequest | ClientHttp2Stream;
  /** The head of the response; rejects when there is none. */
  readonly head: Promise<Omit<Answer, 'body'> & { readonly body: Readable }>;
}

/** One connection, which is closed when the test ends. */
export class HttpClient {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #session: ClientHttp2Session | undefined;

  constructor(url: string, version: Version) {
    this.#url = url;
    this.#session = version === 'HTTP/2' ? connectHttp2(url) : undefined;
    this.#session?.on('error', () => undefined);
    onTestFinished(() => {
      this.#agent.destroy();
      this.#session?.destroy();
    });
  }

  async ask({ body, ...asked }: Asked): Promise<Answer> {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const { request, head } = this.begin({ ...asked, headers: { ...length, ...asked.headers } });
    request.end(body);
    const { status, headers, body: replied } = await head;
    return { status, headers, body: Buffer.concat((await replied.toArray()) as Buffer[]) };
  }

  /** Sends the head of a request. */
  begin({ method = 'GET', path, headers = {} }: Omit<Asked, 'body'>): Exchange {
    if (this.#session === undefined) {
      const request = http1Request(this.#url, { agent: this.#agent, method, path, headers });
      return { request, head: http1Head(request) };
    }
    const request = this.#session.request(
      { ':method': method, ':path': path, ...headers },
      { endStream: false },
    );
    return { request, head: http2Head(request) };
  }
}

async function http1Head(request: ClientRequest): ReturnType<typeof http2Head> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  request.on('error', () => undefined);
  const { statusCode: status = 0, headers } = response;
  return { status, headers: headers as Answer['headers'], body: response };
}

async function http2Head(stream: ClientHttp2Stream): Promise<Omit<Answer, 'body'> & { body: Readable }> {
  const [headers] = (await once(stream, 'response')) as [Record<string, string>];
  stream.on('error', () => undefined);
  return { status: Number(headers[':status']), headers, body: stream };
}

/** Of a problem what does not depend on the wording. */
export function problemIn({ status, headers, body }: Answer): readonly unknown[] {
  const { status: told, code } = JSON.parse(body.toString()) as { status: number; code: string };
  return [status, told, code, headers['content-type']];
}
