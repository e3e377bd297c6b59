/**
 * What the command sends, without a server of KelpDB: it notes the calls, and refuses them as a server does that wants other
 * credentials, or answers with an empty message.
 */
import { type ServerHttp2Session, type ServerHttp2Stream, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface FakeCall {
  /** Such as `KvService/Get`. */
  readonly method: string;
  readonly authorization: string | undefined;
  /** The message, encoded. */
  readonly message: Buffer;
}

export interface FakeServer {
  readonly address: string;
  readonly calls: readonly FakeCall[];
  /** Runs before a call is answered. */
  onCall: () => Promise<void>;
}

export async function startFakeServer({ refuses = false } = {}): Promise<FakeServer> {
  const calls: FakeCall[] = [];
  const fake = { address: '', calls, onCall: () => Promise.resolve() };
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => undefined);
    stream.on('end', () => {
      calls.push({
        method: (headers[':path'] ?? '').replace('/kelp.v1.', ''),
        authorization: headers.authorization,
        // Behind the five bytes of gRPC.
        message: Buffer.concat(chunks).subarray(5),
      });
      void fake.onCall().then(() => (refuses ? refuse(stream) : answerNothing(stream)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    // Connections that are kept would keep the server.
    for (const session of sessions) session.destroy();
    await closed;
  });
  fake.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fake;
}

const head = { ':status': 200, 'content-type': 'application/grpc' };

function refuse(stream: ServerHttp2Stream): void {
  stream.respond({ ...head, 'grpc-status': '16', 'grpc-message': 'no' }, { endStream: true });
}

/** A message without any field. */
function answerNothing(stream: ServerHttp2Stream): void {
  stream.respond(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.alloc(5));
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
