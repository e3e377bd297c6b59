/** A writer that a test plays, stream by stream, as a server of HTTP/2. */
import { once } from 'node:events';
import {
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  createServer,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export class PlayedWriter {
  readonly requests: IncomingHttpHeaders[] = [];
  /** What becomes of each request. */
  onStream: (stream: ServerHttp2Stream, session: Http2Session) => void = () => undefined;
  address = '';
  readonly #server = createServer();
  readonly #sessions = new Set<ServerHttp2Session>();

  async listen(): Promise<void> {
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('error', () => undefined);
      session.on('close', () => this.#sessions.delete(session));
    });
    this.#server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      this.requests.push(headers);
      if (stream.session !== undefined) this.onStream(stream, stream.session);
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.address = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    onTestFinished(() => this.stop());
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  stop(): void {
    this.#server.close();
    for (const session of this.#sessions) session.destroy();
  }
}

export async function playWriter(): Promise<PlayedWriter> {
  const writer = new PlayedWriter();
  await writer.listen();
  return writer;
}
