/** Clients of HTTP/1.1 that wait to be told to send the body. */
import { expect, test } from 'vitest';
import { RawConnection } from '../../support/raw-connection.ts';
import { startTestServer } from '../../support/test-server.ts';

function head(target: string, length: number, ...fields: readonly string[]): string {
  const lines = [target, 'host: localhost', `content-length: ${length}`, 'expect: 100-continue', ...fields];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

test.each([
  ['of REST', head('PUT /v1/keys/a HTTP/1.1', 5), 'value', '201 Created'],
  [
    'of Connect',
    head('POST /kelp.v1.KvService/Get HTTP/1.1', 11, 'content-type: application/json'),
    '{"key":"a"}',
    '200 OK',
  ],
])('a request %s is told when its body is read, once', async (_, request, body, status) => {
  const connection = await RawConnection.open(await startTestServer());
  connection.send(request);
  await connection.until('HTTP/1.1 100 Continue\r\n\r\n');
  connection.send(body);
  const received = await connection.until(`HTTP/1.1 ${status}`);
  expect(received.match(/100 Continue/g)).toHaveLength(1);
});

test.each([
  ['a body that is too long', head('PUT /v1/keys/a HTTP/1.1', 3000), '413 Payload Too Large'],
  ['an unknown parameter', head('PUT /v1/keys/a?x=1 HTTP/1.1', 5), '400 Bad Request'],
  ['an unknown path', head('PUT /nowhere HTTP/1.1', 5), '404 Not Found'],
])('%s is refused without the body', async (_, request, status) => {
  const connection = await RawConnection.open(
    await startTestServer({ flags: { 'value-bytes-max': '2000' } }),
  );
  connection.send(request);
  const received = await connection.until(/\r\n\r\n[^]*\{[^]*\}\n/);
  expect(received.startsWith(`HTTP/1.1 ${status}\r\n`)).toBe(true);
  expect(received).toMatch(/^connection: close\r$/im);
  await connection.closed;
  expect(connection.received).not.toContain('100 Continue');
});

test('requests that wait in line are told in their order', async () => {
  const connection = await RawConnection.open(await startTestServer());
  connection.send(`${head('PUT /v1/keys/a HTTP/1.1', 1)}1${head('PUT /v1/keys/a HTTP/1.1', 1)}2`);
  const received = await connection.until(/201 Created[^]*200 OK/);
  expect(received).toMatch(/100 Continue[^]*201 Created[^]*100 Continue[^]*200 OK/);
});
