/** Clients that show a certificate: fixed, or as a function gives it for each connection; and what is told when it is of no use. */
import { once } from 'node:events';
import { type ServerHttp2Session, createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type TLSSocket, type TlsOptions as ServerTls, createServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import { createClient } from '../../../src/client/client.ts';
import { ConnectFailure, kindOf } from '../../../src/client/errors/connect-failure.ts';
import { CallFailure } from '../../../src/client/errors/call-failure.ts';
import { toKelpError } from '../../../src/client/errors/kelp-error.ts';
import { grpcCode } from '../../../src/grpc-code.ts';
import { Authority, type Identity } from '../../support/certificates.ts';
import { FakePace, failureOf } from '../support/fake-server.ts';
import { framed, getReply, grpcHead, respondWith, respondWithHead } from '../support/grpc-server.ts';

const authority = new Authority();
const ca = authority.identity.cert;
const certificateOf = (name: string): Identity => authority.issue({ commonNames: [name] });

interface Guarded {
  readonly address: string;
  /** Whose calls are answered; those of others are UNAUTHENTICATED. */
  readonly valid: Set<string>;
  /** By whose certificate each call came. */
  readonly seen: string[];
  connectionCount: number;
}

async function startServer(valid: string[], tls: ServerTls = {}): Promise<Guarded> {
  const guarded: Guarded = { address: '', valid: new Set(valid), seen: [], connectionCount: 0 };
  const server = createSecureServer({ ...authority.server(), ca, requestCert: true, ...tls });
  server.on('session', () => guarded.connectionCount++);
  server.on('sessionError', () => undefined);
  const answer = respondWith(grpcHead, [framed(getReply())], { 'grpc-status': '0' });
  const refuse = respondWithHead({ ...grpcHead, 'grpc-status': '16', 'grpc-message': 'not any more' });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const { socket } = stream.session as ServerHttp2Session;
    const { subject } = (socket as TLSSocket).getPeerCertificate();
    const name = String(subject?.CN ?? '');
    guarded.seen.push(name);
    (guarded.valid.has(name) ? answer : refuse)(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return Object.assign(guarded, { address: `https://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function clientFor(address: string, tls: ClientOptions['tls'], pace = new FakePace()): KelpClient {
  const client = createClient({ address, deadlineMs: 5000, ...(tls !== undefined && { tls }) }, pace);
  onTestFinished(() => client.close());
  return client;
}

test('a client shows its certificate, and calls over it', async () => {
  const server = await startServer(['ada']);
  await clientFor(server.address, { ca, ...certificateOf('ada') }).get('a');
  expect(server.seen).toEqual(['ada']);
});

test('one whose certificate is refused is told so at once', async () => {
  const server = await startServer(['ada']);
  const client = clientFor(server.address, { ca, ...certificateOf('eve') });
  expect(await failureOf(client.put('a', '1'))).toMatchObject({
    code: 'unauthenticated',
    mayHaveTakenEffect: false,
  });
  expect(server.seen).toEqual(['eve']);
});

test('a function gives the certificate of each connection, and calls that are refused go over a new one, once', async () => {
  const server = await startServer(['ada 1']);
  let count = 1;
  const client = clientFor(server.address, () => ({ ca, ...certificateOf(`ada ${count}`) }));
  await Promise.all([client.get('a'), client.get('b')]);
  count = 2;
  await client.get('c');
  expect(server.connectionCount).toBe(1);
  server.valid.clear();
  server.valid.add('ada 2');
  await Promise.all(Array.from({ length: 5 }, () => client.get('d')));
  expect(server.connectionCount).toBe(2);
  expect(server.seen).toEqual([...Array<string>(8).fill('ada 1'), ...Array<string>(5).fill('ada 2')]);
  server.valid.clear();
  expect(await failureOf(client.get('e'))).toMatchObject({ code: 'unauthenticated' });
  expect(server.seen.slice(13)).toEqual(['ada 2', 'ada 2']);
});

test('a function that fails for a while is asked again until the deadline', async () => {
  const server = await startServer(['ada']);
  let failures = 0;
  const client = clientFor(server.address, () => {
    if (failures < 2) throw new Error(`the files are being replaced ${++failures}`);
    return { ca, ...certificateOf('ada') };
  });
  await client.get('a');
  expect(failures).toBe(2);
});

test.each<[string, () => object, RegExp]>([
  [
    'throws',
    () => {
      throw new Error('no such file');
    },
    /can't reach .*: the TLS options can't be used: no such file/,
  ],
  ['gives something else', () => ({ crt: 'a' }), /what the function tls gave has no member "crt"/],
  [
    'gives half of a pair',
    () => ({ ca, ...certificateOf('ada'), key: certificateOf('ada').key }),
    /can't be used: .*key values mismatch/,
  ],
])('a function that %s is told by the call', async (_, source, message) => {
  const server = await startServer([]);
  const failure = await failureOf(clientFor(server.address, source).put('a', '1'));
  expect(failure).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: false });
  expect((failure as Error).message).toMatch(message);
});

test.each<[string, object, RegExp]>([
  ['no certificate', { cert: 'a', key: 'b' }, /can't be used: .*(no start line|PEM)/],
  [
    'a key of another',
    { cert: certificateOf('ada').cert, key: certificateOf('ada').key },
    /can't be used: .*key values mismatch/,
  ],
])('options that hold %s are told at once', async (_, tls, message) => {
  const server = await startServer([]);
  const pace = new FakePace();
  const failure = await failureOf(clientFor(server.address, tls, pace).put('a', '1'));
  expect(failure).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: false });
  expect((failure as Error).message).toMatch(message);
  expect((failure as Error).message).not.toContain('tried');
  expect(pace.waitsMs).toEqual([]);
});

test('a server that wants a certificate says so at once', async () => {
  const server = createServer({ ...authority.server(), ca, requestCert: true, ALPNProtocols: ['h2'] });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pace = new FakePace();
  const failure = await failureOf(clientFor(address, { ca }, pace).put('a', '1'));
  expect((failure as Error).message).toBe(
    `the server at ${address} takes no connection without a client certificate; give one with tls: { cert, key }`,
  );
  expect(pace.waitsMs).toEqual([]);
});

test('a server that closes the connection behind a certificate may do so for that', async () => {
  const server = await startServer([]);
  const other = new Authority('another').issue({ commonNames: ['ada'] });
  // The last of many tries may have too little time to learn it.
  const client = createClient({ address: server.address, tls: { ca, ...other }, retries: 0 });
  onTestFinished(() => client.close());
  const failure = await failureOf(client.put('a', '1'));
  expect(failure).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: false });
  expect((failure as Error).message).toContain('as one does that takes no such client certificate');
});

test.each([
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'unknown ca'],
  ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED', 'certificate expired'],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'bad certificate'],
])('an alert on the certificate (%s) is told as such', (code, text) => {
  const alert = Object.assign(new Error('0A000418:SSL routines:...'), { code });
  expect(kindOf(alert)).toBe('certificateRefused');
  const cause = new ConnectFailure(kindOf(alert), alert);
  const error = toKelpError(new CallFailure(grpcCode.Unavailable, '', { cause, isUnprocessed: true }), {
    isWrite: true,
    address: 'https://kelp.example',
  });
  expect(error.message).toBe(
    `the server at https://kelp.example does not take the client certificate: ${text}`,
  );
});
