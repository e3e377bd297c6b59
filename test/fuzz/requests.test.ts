import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { beforeEach, describe, expect, onTestFinished } from 'vitest';
import { openSession, post, replyOf, unfinishedPost } from '../support/bare-http2.ts';
import type { SeededRandom } from '../support/random.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { type TestServer, startTestServer } from '../support/test-server.ts';
import { fuzz } from './fuzz.ts';
import { mutate } from './mutator.ts';
import {
  envelope,
  randomJson,
  type ValidRequest,
  validRequests,
  validTransaction,
} from './request-inputs.ts';

/** What a request can't bring about, whatever is in it. */
const FAULTS_OF_THE_SERVER = [status.UNKNOWN, status.INTERNAL, status.DATA_LOSS].map(String);
/** But for what gRPC wants to be INTERNAL although the client has broken the protocol. */
const PROTOCOL_BROKEN = /do not know how to decompress/;
const COMPRESSIONS = { gzip: gzipSync, br: brotliCompressSync };

/** HTTP/2 puts up with a thousand streams that were reset on one connection. */
const REQUESTS_PER_SESSION = 500;

let server: TestServer;
let requestCount = 0;
let session: ClientHttp2Session;

beforeEach(async () => {
  server = await startTestServer();
  session = await openSession(server.url);
  onTestFinished(async () => {
    expect((await fetch(`${server.url}/readyz`)).status, 'ready after all').toBe(200);
    await server.stop();
    expect(server.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('a request', () => {
  fuzz('of mutated bytes is answered over gRPC', 500, async (random) => {
    const { path, binary } = pick(random);
    const body = envelope(mutate(binary, pick(random).binary, random), random);
    await expectAnswered(
      random,
      path,
      random.pick(['application/grpc', 'application/grpc+proto', 'application/grpc-web']),
      body,
    );
  });

  fuzz('of mutated bytes is answered over Connect', 300, async (random) => {
    const { path, binary, method } = pick(random);
    const message = mutate(binary, pick(random).binary, random);
    const isUnary = method.methodKind === 'unary';
    await expectAnswered(
      random,
      path,
      isUnary ? 'application/proto' : 'application/connect+proto',
      isUnary ? message : envelope(message, random),
    );
  });

  fuzz('of mutated JSON is answered', 500, async (random) => {
    const { path, json, method } = pick(random);
    const message = mutate(json, pick(random).json, random);
    const isUnary = method.methodKind === 'unary';
    await expectAnswered(
      random,
      path,
      isUnary ? 'application/json' : random.pick(['application/connect+json', 'application/grpc+json']),
      isUnary ? message : envelope(message, random),
    );
  });

  fuzz('of random JSON is answered', 300, async (random) => {
    await expectAnswered(
      random,
      pick(random).path,
      'application/json',
      Buffer.from(JSON.stringify(randomJson(random))),
    );
  });

  fuzz('of random bytes is answered', 300, async (random) => {
    const contentType = random.pick([
      'application/grpc',
      'application/proto',
      'application/json',
      'application/connect+proto',
    ]);
    await expectAnswered(random, pick(random).path, contentType, random.bytes(random.below(300)));
  });

  fuzz('of compressed bytes that were changed is answered', 300, async (random) => {
    const { path, binary } = pick(random);
    const [encoding, compress] = random.pick(Object.entries(COMPRESSIONS));
    const compressed = compress(random.chance(0.5) ? binary : mutate(binary, binary, random));
    const message = random.chance(0.3) ? compressed : mutate(compressed, compressed, random);
    const envelope = Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), message]);
    envelope.writeUInt32BE(message.length, 1);
    await expectAnswered(random, path, 'application/grpc', envelope, { 'grpc-encoding': encoding });
    await expectAnswered(random, path, 'application/proto', message, { 'content-encoding': encoding });
  });

  fuzz('on a connection of changed bytes leaves the server as it was', 200, async (random) => {
    const { path, binary } = pick(random);
    const other = unfinishedPost(pick(random).path, 'application/proto', binary);
    const connection = await RawConnection.open(server);
    connection.socket.end(mutate(random.chance(0.5) ? other : http1Post(path, binary), other, random));
    await connection.closed;
  });
});

function pick(random: SeededRandom): ValidRequest {
  return random.chance(0.2) ? validTransaction : random.pick(validRequests);
}

function http1Post(path: string, body: Buffer): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/proto\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** That it was answered, and not with what would be the server's own fault. A stream that goes on is left. */
async function expectAnswered(
  random: SeededRandom,
  path: string,
  contentType: string,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<void> {
  if (requestCount++ % REQUESTS_PER_SESSION === 0) {
    await new Promise<void>((resolve) => session.close(resolve));
    session = await openSession(server.url);
  }
  const stream = post(session, path, contentType, headers);
  const reply = await firstOf(stream, body, random);
  const outcome = {
    path,
    contentType,
    status: reply[':status'],
    grpcStatus: reply['grpc-status'],
    message: reply['grpc-message'],
  };
  expect(reply[':status'], JSON.stringify(outcome)).toBeLessThan(500);
  if (PROTOCOL_BROKEN.test(decodeURIComponent(String(reply['grpc-message'])))) return;
  expect(FAULTS_OF_THE_SERVER, JSON.stringify(outcome)).not.toContain(reply['grpc-status']);
}

async function firstOf(
  stream: ClientHttp2Stream,
  body: Uint8Array,
  random: SeededRandom,
): Promise<IncomingHttpHeaders & { ':status'?: number | undefined }> {
  const reply = replyOf(stream);
  // What comes in two parts is put together again.
  const cut = random.below(body.length + 1);
  stream.write(body.subarray(0, cut));
  stream.end(body.subarray(cut));
  // The first message of a watch: it would go on for ever.
  void once(stream, 'data').then(
    () => setImmediate(() => stream.close(8)),
    () => undefined,
  );
  return (await reply).headers;
}
