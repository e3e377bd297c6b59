/** The end that a client of Connect may send behind its messages: no message, and nothing follows it. */
import { expect, test } from 'vitest';
import { openSession, post, replyOf } from '../../support/bare-http2.ts';
import { startTestServer } from '../../support/test-server.ts';

const END_OF_STREAM = 2;

function enveloped(json: string, flags = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(json.length, 1);
  return Buffer.concat([prefix, Buffer.from(json)]);
}

async function pipelined(...messages: readonly Buffer[]): Promise<string> {
  const server = await startTestServer();
  const session = await openSession(server.url);
  const stream = post(session, '/kelp.v1.KvService/Pipeline', 'application/connect+json');
  stream.end(Buffer.concat(messages));
  const { body } = await replyOf(stream);
  session.close();
  return Buffer.from(body).toString('latin1');
}

const put = (key: string): string => `{"operations":[{"put":{"key":"${key}"}}]}`;
const exists = (key: string): string => `{"operations":[{"exists":{"keys":["${key}"]}}]}`;

test('is no message of the call', async () => {
  const reply = await pipelined(enveloped(exists('a')), enveloped('{"metadata":{}}', END_OF_STREAM));
  expect(reply).toContain('"exists":[false]');
  expect(reply).not.toContain('error');
});

test('puts nothing in the place of another message', async () => {
  const reply = await pipelined(
    enveloped(put('first')),
    enveloped(exists('first')),
    enveloped(put('as an end'), END_OF_STREAM),
    enveloped(put('behind')),
  );
  expect(reply.match(/"(?:put|exists)"/g)).toEqual(['"put"', '"exists"', '"exists"']);
  expect(reply).not.toContain('error');
});
