/** A client with TLS at a port without it, and the other way round. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createHttp1Server } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import { createClient } from '../../../src/client/client.ts';
import { Kelp } from '../../cli/kelp.ts';
import { startTestServer } from '../../support/test-server.ts';
import { FakePace, failureOf } from '../support/fake-server.ts';

const certPath = join(import.meta.dirname, '../../support/tls/cert.pem');
const keyPath = join(import.meta.dirname, '../../support/tls/key.pem');
const tlsFlags = { 'tls-cert': certPath, 'tls-key': keyPath };

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** How a write fails, and after how many tries. */
async function putFailure(
  address: string,
  options: Partial<ClientOptions> = {},
): Promise<{ readonly failure: unknown; readonly tries: number }> {
  const pace = new FakePace();
  const client = createClient({ address, deadlineMs: 5000, ...options }, pace);
  onTestFinished(() => client.close());
  const failure = await failureOf(client.put('a', '1'));
  return { failure, tries: pace.waitsMs.length + 1 };
}

describe('a client without TLS at a port with it', () => {
  const outcome = (address: string): object => ({
    failure: {
      code: 'unavailable',
      message: `the server at http://${address} speaks TLS; use https:// or tls: true`,
      mayHaveTakenEffect: false,
    },
    tries: 1,
  });

  test('is told so at once', async () => {
    const { address } = await startTestServer({ flags: tlsFlags });
    expect(await putFailure(`http://${address}`)).toMatchObject(outcome(address));
  });

  test.each<[string, { readonly requestCert?: boolean; readonly maxVersion?: 'TLSv1.2' }]>([
    ['another server', {}],
    ['a server that demands a certificate', { requestCert: true }],
    ['a server that demands one before the handshake is over', { requestCert: true, maxVersion: 'TLSv1.2' }],
  ])('is told so of %s', async (_, options) => {
    const [cert, key] = [await readFile(certPath), await readFile(keyPath)];
    const server = createTlsServer({ cert, key, ...options });
    server.on('tlsClientError', (_error, socket) => void socket.destroy());
    const address = await listen(server);
    expect(await putFailure(address)).toMatchObject(outcome(address));
  });

  test('is told by the command too', async () => {
    const { address } = await startTestServer({ flags: tlsFlags });
    const { code, stderr } = await new Kelp(address).run(['get', 'a']);
    expect(code).toBe(3);
    expect(stderr).toBe(
      `kelp: the server at http://${address} speaks TLS; use --tls, or https:// in --address or KELP_ADDRESS\n`,
    );
  });
});

describe('a client with TLS at a port without it', () => {
  const outcome = (address: string): object => ({
    failure: {
      code: 'unavailable',
      message: `the server at https://${address} speaks no TLS; use http:// or leave tls out`,
      mayHaveTakenEffect: false,
    },
    tries: 1,
  });

  test('is told so at once', async () => {
    const { address } = await startTestServer();
    expect(await putFailure(`https://${address}`)).toMatchObject(outcome(address));
    expect(await putFailure(address, { tls: true })).toMatchObject(outcome(address));
  });

  test.each<[string, () => Server]>([
    ['a server of HTTP/1.1', () => createHttp1Server()],
    ['a server that speaks first', () => createTcpServer((socket) => void socket.end('220 kelp\r\n'))],
  ])('is told so of %s', async (_, create) => {
    const address = await listen(create());
    expect(await putFailure(`https://${address}`)).toMatchObject(outcome(address));
  });

  test('is told by the command too', async () => {
    const { address } = await startTestServer();
    const { code, stderr } = await new Kelp(`https://${address}`).run(['get', 'a']);
    expect(code).toBe(3);
    expect(stderr).toBe(
      `kelp: the server at https://${address} speaks no TLS; use http:// in --address or KELP_ADDRESS, and no --tls\n`,
    );
  });
});

describe('a server with TLS that has no HTTP/2', () => {
  const outcome = (address: string): object => ({
    failure: {
      code: 'unavailable',
      message:
        `the server at https://${address} speaks TLS, but no HTTP/2; go through a proxy of HTTP/1.1 or gRPC-Web with ` +
        'the option transport',
      mayHaveTakenEffect: false,
    },
    tries: 1,
  });

  test.each<[string, readonly string[] | undefined]>([
    ['knows only HTTP/1.1', ['http/1.1']],
    ['says nothing of protocols', undefined],
  ])('is told at once when it %s', async (_, ALPNProtocols) => {
    const [cert, key] = [await readFile(certPath), await readFile(keyPath)];
    const server = createTlsServer({
      cert,
      key,
      ...(ALPNProtocols && { ALPNProtocols: [...ALPNProtocols] }),
    });
    server.on('tlsClientError', () => undefined);
    const address = await listen(server);
    const tls = { ca: cert, servername: 'localhost' };
    expect(await putFailure(address, { tls })).toMatchObject(outcome(address));
  });

  test('is told by the command with advice of its own', async () => {
    const [cert, key] = [await readFile(certPath), await readFile(keyPath)];
    const address = await listen(createTlsServer({ cert, key }));
    const kelp = new Kelp(`https://localhost:${address.split(':')[1]}`);
    const { code, stderr } = await kelp.run(['get', 'a', '--tls-ca', certPath]);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /speaks TLS, but no HTTP\/2; give the address of the server, or of a proxy that speaks HTTP\/2/,
    );
  });
});

describe('a certificate that is not trusted', () => {
  const reason = 'its certificate is self-signed, or from an authority that is not known here';

  test('is told at once, with the option that trusts it', async () => {
    const { address } = await startTestServer({ flags: tlsFlags });
    expect(await putFailure(`https://${address}`)).toMatchObject({
      failure: {
        code: 'unavailable',
        mayHaveTakenEffect: false,
        message: `the server at https://${address} is not trusted: ${reason}; give the certificate to trust with tls: { ca }`,
      },
      tries: 1,
    });
  });

  test('is told by the command with its own options, as text and as JSON', async () => {
    const { address } = await startTestServer({ flags: tlsFlags });
    const message = `the server at https://${address} is not trusted: ${reason}; give the certificate to trust with --tls-ca or KELP_TLS_CA`;
    const kelp = new Kelp(`https://${address}`);
    expect(await kelp.run(['get', 'a'])).toMatchObject({ code: 3, stderr: `kelp: ${message}\n` });
    const { stderr } = await kelp.run(['get', 'a', '--json']);
    expect(JSON.parse(stderr)).toEqual({ error: { code: 'unavailable', message } });
  });

  test('since it is for another name is told with the names, and no advice to trust it', async () => {
    const server = await startTestServer({ flags: tlsFlags });
    const tls = { ca: await readFile(certPath), servername: 'elsewhere.example' };
    const { failure } = await putFailure(`https://${server.address}`, { tls });
    expect(failure).toMatchObject({ message: expect.stringMatching(/is not trusted: .*altnames/) });
    expect(failure).not.toMatchObject({ message: expect.stringMatching(/tls: \{ ca \}/) });
  });
});

test.each<[string, Server]>([
  ['something that is neither TLS nor HTTP/2', createTcpServer((socket) => void socket.end('220 kelp\r\n'))],
  ['a port that closes every connection', createTcpServer((socket) => void socket.destroy())],
])('%s may be on its way up, and is tried again', async (_, server) => {
  const { failure, tries } = await putFailure(await listen(server));
  // The last try may be cut by the deadline.
  const code = expect.stringMatching(/^(unavailable|deadlineExceeded)$/);
  expect(failure).toMatchObject({ code, mayHaveTakenEffect: false });
  expect(tries).toBeGreaterThan(3);
});
