/** A stream whose deadline passes ends by a status that says so, whatever protocol it came by. */
import { once } from 'node:events';
import { type OutgoingHttpHeaders, connect } from 'node:http2';
import { expect, onTestFinished, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';

const ofRequests = [
  '/kelp.v1.KvService/Pipeline',
  '/kelp.v1.LeaseService/KeepAlive',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
];
/** Those that have no end of their own. */
const ofReplies = ['/kelp.v1.WatchService/Watch', '/grpc.health.v1.Health/Watch'];

const forms = [
  ['gRPC', { 'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': '50m' }, /^4$/],
  ['gRPC-Web', { 'content-type': 'application/grpc-web+proto', 'grpc-timeout': '50m' }, /grpc-status: 4/],
  [
    'Connect',
    { 'content-type': 'application/connect+proto', 'connect-timeout-ms': '50' },
    /deadline_exceeded/,
  ],
] as const;

/** A message without fields, with its prefix. */
const emptyMessage = Buffer.alloc(5);

/** @param request all that is sent; `undefined`: nothing is, and more may come. @returns the texts of the reply, and its status. */
async function replyTo(path: string, fields: OutgoingHttpHeaders, request?: Buffer): Promise<string> {
  const server = await startTestServer();
  const session = connect(server.url);
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': path, ...fields }, { endStream: false });
  if (request !== undefined) stream.end(request);
  let text = '';
  let status = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  stream.on('trailers', (trailers) => (status = String(trailers['grpc-status'])));
  stream.on('response', (head) => (status = String(head['grpc-status'] ?? '')));
  await once(stream, 'close');
  return status === '' ? text : status;
}

test.each(ofRequests.flatMap((path) => forms.map((form) => [path, ...form] as const)))(
  '%s by %s',
  async (path, _, fields, ends) => {
    expect(await replyTo(path, fields)).toMatch(ends);
  },
);

test.each(ofReplies.flatMap((path) => forms.map((form) => [path, ...form] as const)))(
  '%s by %s',
  async (path, _, fields, ends) => {
    expect(await replyTo(path, fields, emptyMessage)).toMatch(ends);
  },
);
