/** What neither side of a call that is passed on takes is held back at the other one, and comes whole in the end. */
import { type ClientHttp2Session, type ServerHttp2Stream, connect } from 'node:http2';
import { expect, onTestFinished, test } from 'vitest';
import { startNode } from './nodes.ts';
import { playWriter } from './played-writer.ts';

const LONG = Buffer.alloc(8 * 1024 * 1024, 'kelp');
const PIECE = 64 * 1024;
const KEEP_ALIVE = { ':path': '/kelp.v1.LeaseService/KeepAlive', 'content-type': 'application/grpc' };
const REST = { ':path': '/v1/keys/a' };

const heads = [
  ['gRPC', { ...KEEP_ALIVE, ':method': 'POST' }],
  ['REST', { ...REST, ':method': 'PUT' }],
] as const;

/** All that was sent has had its time to be taken. */
async function settled(session: ClientHttp2Session): Promise<void> {
  for (let count = 0; count < 200; count++) {
    await new Promise<void>((resolve) => session.ping(() => resolve()));
  }
}

async function situation() {
  const writer = await playWriter();
  const follower = await startNode('follower');
  follower.view.writerAddress = writer.address;
  const session = connect(follower.url);
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  const came = Promise.withResolvers<ServerHttp2Stream>();
  writer.onStream = (stream) => came.resolve(stream);
  return { session, came: came.promise };
}

test.each(heads)('a request of %s', async (_, head) => {
  const { session, came } = await situation();
  const request = session.request(head);
  request.on('error', () => undefined);
  for (let at = 0; at < LONG.length; at += PIECE) request.write(LONG.subarray(at, at + PIECE));
  request.end();
  const stream = await came;
  await settled(session);
  expect(request.writableLength).toBeGreaterThan(LONG.length / 2);
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await new Promise((resolve) => stream.once('end', resolve));
  expect(bytes).toBe(LONG.length);
});

test.each(heads)('a reply of %s', async (_, head) => {
  const { session, came } = await situation();
  const request = session.request(head);
  request.on('error', () => undefined);
  if (head[':method'] === 'PUT') request.end();
  const stream = await came;
  stream.respond({ 'content-type': head[':method'] === 'PUT' ? 'text/plain' : 'application/grpc' });
  for (let at = 0; at < LONG.length; at += PIECE) stream.write(LONG.subarray(at, at + PIECE));
  stream.end();
  await settled(session);
  expect(stream.writableLength).toBeGreaterThan(LONG.length / 2);
  let bytes = 0;
  request.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await new Promise((resolve) => request.once('end', resolve));
  expect(bytes).toBe(LONG.length);
});
