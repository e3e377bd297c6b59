/** A transport of the user's own: what Connect makes goes in as it is. */
import type { Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import { createClient } from '../../../src/client/index.ts';
import { startTestServer } from '../../support/test-server.ts';

const transports: readonly [string, (baseUrl: string) => Transport][] = [
  ['Connect over HTTP/1.1', (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1' })],
  ['gRPC-Web over HTTP/1.1', (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' })],
  ['gRPC over HTTP/2', (baseUrl) => createGrpcTransport({ baseUrl })],
];

test.each(transports)('%s carries calls and watches', async (_, transportTo) => {
  const { url } = await startTestServer();
  await using client = createClient({ address: url, transport: transportTo(url) });
  await client.put('a', 'one');
  expect((await client.get('a')).entry?.text()).toBe('one');
  const first = await client.watch({ ranges: [{ key: 'a' }], includeCurrent: true }).next();
  expect(first.value).toMatchObject({ kind: 'current', revision: 1 });
  await expect(client.touch('none')).rejects.toMatchObject({ code: 'keyNotFound' });
});
