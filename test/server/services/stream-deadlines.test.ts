/** A stream of requests whose deadline passes ends by a status that says so, whatever protocol it came by. */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { expect, onTestFinished, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';

const paths = [
  '/kelp.v1.KvService/Pipeline',
  '/kelp.v1.LeaseService/KeepAlive',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
];

const forms = [
  ['gRPC', { 'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': '50m' }, /^4$/],
  ['gRPC-Web', { 'content-type': 'application/grpc-web+proto', 'grpc-timeout': '50m' }, /grpc-status: 4/],
  [
    'Connect',
    { 'content-type': 'application/connect+proto', 'connect-timeout-ms': '50' },
    /deadline_exceeded/,
  ],
] as const;

test.each(paths.flatMap((path) => forms.map((form) => [path, ...form] as const)))(
  '%s by %s',
  async (path, _, fields, ends) => {
    const server = await startTestServer();
    const session = connect(server.url);
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':method': 'POST', ':path': path, ...fields }, { endStream: false });
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    stream.on('trailers', (trailers) => (text += String(trailers['grpc-status'])));
    stream.on(
      'response',
      (head) => (text += head['grpc-status'] === undefined ? '' : String(head['grpc-status'])),
    );
    await once(stream, 'close');
    expect(text).toMatch(ends);
  },
);
