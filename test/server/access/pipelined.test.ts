/** Requests behind each other in a connection of HTTP/1.1 keep their order, also while a password is checked for one of them. */
import { expect, test } from 'vitest';
import { RawConnection } from '../../support/raw-connection.ts';
import { startTestServer } from '../../support/test-server.ts';
import { basic, bearer, clientsOf } from './access-client.ts';

test('a write waits for a read before it whose password is still being checked', async () => {
  const server = await startTestServer();
  await clientsOf(server.url).access.createUser({ name: 'root', password: 'top' });
  const { access } = clientsOf(server.url, basic('root', 'top'));
  const { secret } = await access.createToken({ name: 'of-root', user: 'root' });
  await access.setPassword({ password: 'next' });

  const connection = await RawConnection.open(server);
  connection.send(
    `GET /v1/keys/a HTTP/1.1\r\nhost: localhost\r\nauthorization: ${basic('root', 'next')}\r\n\r\n` +
      `PUT /v1/keys/a HTTP/1.1\r\nhost: localhost\r\nauthorization: ${bearer(secret)}\r\ncontent-length: 1\r\n\r\nx` +
      `GET /v1/keys/a HTTP/1.1\r\nhost: localhost\r\nauthorization: ${bearer(secret)}\r\nconnection: close\r\n\r\n`,
  );
  await connection.closed;
  const statuses = [...connection.received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  expect(statuses).toEqual(['404', '201', '200']);
});
