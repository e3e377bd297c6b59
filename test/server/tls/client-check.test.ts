/** Which client certificates a port takes, and what its handlers learn of them, over both versions of HTTP. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { Deadlines } from '../../../src/deadlines.ts';
import { serverDefaults } from '../../../src/limits.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import { Listener } from '../../../src/server/listener/listener.ts';
import { createLogger } from '../../../src/server/logging/logger.ts';
import { AddressLimit } from '../../../src/server/limits/address-limit.ts';
import { Traffic } from '../../../src/server/metrics/calls/traffic.ts';
import { type ClientCertificate, clientCertificateOf } from '../../../src/server/tls/client-certificate.ts';
import { checkTlsFiles } from '../../../src/server/tls/tls-material.ts';
import { Cors } from '../../../src/server/web/cors.ts';
import { WebGuard } from '../../../src/server/web/web-guard.ts';
import { Authority, type Identity, daysFromNow, selfSigned } from '../../support/certificates.ts';
import { TestLog } from '../../support/test-server.ts';
import { pageRefusal } from '../web/default-refusal.ts';

const REFUSED = 'a client came with a certificate that is not valid';

const serverAuthority = new Authority('authority of servers');
const clientAuthority = new Authority('authority of clients');
const serverIdentity = serverAuthority.server();
const defaults = { clientCa: clientAuthority.identity.cert };

class PortUnderTest {
  readonly log = new TestLog();
  /** Of each request in order, in the lane and behind it. */
  readonly seen: (ClientCertificate | undefined)[] = [];
  readonly #listener: Listener;
  port = 0;

  constructor(clientCa: string | undefined) {
    const calls = new CallTable(serverDefaults);
    const guard = new WebGuard({ corsOrigins: [], ownHosts: [] });
    this.#listener = new Listener({
      grpcLane: (stream) => {
        this.seen.push(clientCertificateOf(stream.connection));
        return undefined;
      },
      pageRefusal,
      cors: new Cors(guard, [], calls.meters.of('http', 'other')),
      calls,
      addressLimit: new AddressLimit(100),
      traffic: new Traffic(),
      deadlines: new Deadlines(systemClock),
      handlers: [
        (request, response) => {
          this.seen.push(clientCertificateOf(request.socket));
          response.writeHead(200, {});
          response.end('served');
          return true;
        },
      ],
      tls: materialOf(serverIdentity, clientCa),
      limits: serverDefaults,
      logger: createLogger({ level: 'info', format: 'json' }, this.log),
    });
    onTestFinished(() => this.#listener.destroy());
  }

  static async open({ clientCa }: { clientCa: string | undefined } = defaults): Promise<PortUnderTest> {
    const opened = new PortUnderTest(clientCa);
    const address = await opened.#listener.listen({ host: '127.0.0.1', port: 0 });
    if ('port' in address) opened.port = address.port;
    return opened;
  }

  renew(clientCa: string): void {
    this.#listener.renewTls(materialOf(serverIdentity, clientCa));
  }

  /** @returns the text of the reply; rejects when the connection is closed before. */
  http1(identity?: Identity): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const request = httpsRequest({ ...this.#options(identity), path: '/', agent: false }, (response) => {
      response.setEncoding('utf8').once('data', (text: string) => resolve(`${response.statusCode} ${text}`));
    });
    request.once('error', reject).end();
    return promise;
  }

  http2(identity?: Identity): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const session = connectHttp2(`https://localhost:${this.port}`, this.#options(identity));
    onTestFinished(() => session.destroy());
    session.once('error', reject).once('close', () => reject(new Error('closed')));
    const stream = session.request({ ':path': '/' });
    let status: unknown;
    stream.once('response', (headers) => (status = headers[':status']));
    stream.once('error', reject).setEncoding('utf8');
    stream.once('data', (text: string) => resolve(`${String(status)} ${text}`));
    return promise.finally(() => session.destroy());
  }

  tls(identity: Identity | undefined, options: ConnectionOptions): TLSSocket {
    const socket = connectTls({ ...this.#options(identity), servername: 'localhost', ...options });
    onTestFinished(() => void socket.destroy());
    return socket;
  }

  #options(identity: Identity | undefined): object {
    return {
      ...identity,
      host: '127.0.0.1',
      port: this.port,
      ca: serverAuthority.identity.cert,
      servername: 'localhost',
    };
  }
}

function materialOf({ cert, key }: Identity, clientCa: string | undefined): ReturnType<typeof checkTlsFiles> {
  return checkTlsFiles({
    cert: Buffer.from(cert),
    key: Buffer.from(key),
    clientCa: clientCa === undefined ? undefined : Buffer.from(clientCa),
  });
}

test('a valid certificate is seen by all that answer requests of its connection', async () => {
  const port = await PortUnderTest.open();
  const notAfter = new Date('2040-01-02T03:04:05Z');
  const identity = clientAuthority.issue({ commonNames: ['alice'], uris: ['spiffe://x/alice'], notAfter });
  const expected = { names: ['alice', 'spiffe://x/alice'], expireTimeMs: notAfter.getTime() };

  expect(await port.http1(identity)).toBe('200 served');
  expect(port.seen).toEqual([expected]);

  expect(await port.http2(identity)).toBe('200 served');
  expect(port.seen).toEqual([expected, expected, expected]);
});

test('a client without a certificate is served, and has none', async () => {
  const port = await PortUnderTest.open();
  expect([await port.http1(), await port.http2()]).toEqual(['200 served', '200 served']);
  expect(port.seen).toEqual([undefined, undefined, undefined]);
  expect(port.log.lines).toEqual([]);
});

test('a certificate is neither asked for nor looked at where there is no authority of clients', async () => {
  const port = await PortUnderTest.open({ clientCa: undefined });
  const identity = selfSigned({ commonNames: ['alice'] });
  expect([await port.http1(identity), await port.http2(identity)]).toEqual(['200 served', '200 served']);
  expect(port.seen).toEqual([undefined, undefined, undefined]);
});

const refused: readonly (readonly [what: string, identity: () => Identity, reason: RegExp])[] = [
  [
    'has expired',
    () =>
      clientAuthority.issue({
        commonNames: ['alice'],
        notBefore: daysFromNow(-2),
        notAfter: daysFromNow(-1),
      }),
    /has expired/,
  ],
  [
    'is not valid yet',
    () => clientAuthority.issue({ commonNames: ['alice'], notBefore: daysFromNow(1) }),
    /not valid yet/,
  ],
  [
    'is of another authority',
    () => serverAuthority.issue({ commonNames: ['alice'] }),
    /no authority of --tls-client-ca/,
  ],
  [
    'is of another authority of the same name',
    () => new Authority('authority of clients').issue({ commonNames: ['alice'] }),
    /no authority of --tls-client-ca/,
  ],
  ['is signed by itself', () => selfSigned({ commonNames: ['alice'] }), /signed by itself/],
  [
    'is for servers alone',
    () => clientAuthority.issue({ commonNames: ['alice'], usages: ['serverAuth'] }),
    /not for clients/,
  ],
];

test.each(refused)(
  'a certificate that %s closes the connection; its client is told why, and so is the log',
  async (_, identity, reason) => {
    const port = await PortUnderTest.open();
    const told = /^401 the client certificate is not valid: (.*)\n$/;
    const [, overHttp1] = told.exec(await port.http1(identity())) ?? [];
    const [, overHttp2] = told.exec(await port.http2(identity())) ?? [];
    expect([overHttp1, overHttp2]).toEqual([expect.stringMatching(reason), overHttp1]);
    expect(port.seen).toEqual([]);
    expect(port.log.lines).toMatchObject([
      { msg: REFUSED, reason: expect.stringMatching(reason) as string, subject: 'CN=alice' },
    ]);
  },
);

test.each([
  ['which has no subject', {}, ''],
  ['which has alternative names alone', { dnsNames: ['a.example'] }, 'DNS:a.example'],
])('a certificate signed by itself %s is refused as any other', async (_, options, subject) => {
  const port = await PortUnderTest.open();
  const refusal = expect.stringMatching(/^401 .*signed by itself/) as string;
  expect([await port.http1(selfSigned(options)), await port.http2(selfSigned(options))]).toEqual([
    refusal,
    refusal,
  ]);
  expect(port.log.lines).toMatchObject([{ msg: REFUSED, subject }]);
});

test('a certificate without a subject is taken by its alternative names', async () => {
  const port = await PortUnderTest.open();
  expect(await port.http1(clientAuthority.issue({ dnsNames: ['a.example'] }))).toBe('200 served');
  expect(await port.http1(clientAuthority.issue({}))).toBe('200 served');
  expect(port.seen.map((certificate) => certificate?.names)).toEqual([['a.example'], []]);
});

test('a certificate for clients alone is taken', async () => {
  const port = await PortUnderTest.open();
  expect(await port.http1(clientAuthority.issue({ commonNames: ['a'], usages: ['clientAuth'] }))).toBe(
    '200 served',
  );
});

test('other authorities count for connections that are opened after they were changed', async () => {
  const port = await PortUnderTest.open();
  const [before, after] = [clientAuthority, new Authority('the next authority of clients')];
  const [old, next] = [before, after].map((each) => each.issue({ commonNames: ['alice'] }));
  port.renew(after.identity.cert);
  expect(await port.http1(old)).toMatch(/^401 /);
  expect(await port.http1(next)).toBe('200 served');
  port.renew(before.identity.cert + after.identity.cert);
  expect([await port.http1(old), await port.http1(next)]).toEqual(['200 served', '200 served']);
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a session of %s is not resumed where certificates are asked for: each connection is checked as a whole',
  async (maxVersion) => {
    const port = await PortUnderTest.open();
    const identity = clientAuthority.issue({ commonNames: ['alice'] });
    const options = { maxVersion, ALPNProtocols: ['http/1.1'] };
    const sessionOf = async (session?: Buffer): Promise<Buffer | undefined> => {
      const socket = port.tls(identity, { ...options, ...(session === undefined ? {} : { session }) });
      let last: Buffer | undefined;
      socket.on('session', (given) => (last = given));
      await once(socket, 'secureConnect');
      expect(socket.isSessionReused()).toBe(false);
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      socket.resume();
      await once(socket, 'close');
      return last ?? socket.getSession();
    };
    await sessionOf(await sessionOf());
    expect(port.seen.map((certificate) => certificate?.names)).toEqual([['alice'], ['alice']]);
  },
);

test('a session from before the authorities were changed lets no certificate of those before in', async () => {
  const port = await PortUnderTest.open();
  const identity = clientAuthority.issue({ commonNames: ['alice'] });
  const before = port.tls(identity, { ALPNProtocols: ['http/1.1'] });
  const [session] = await Promise.race([once(before, 'session'), once(before, 'secureConnect')]);
  before.destroy();
  port.renew(new Authority('the next authority of clients').identity.cert);
  const given = Buffer.isBuffer(session) ? session : before.getSession();
  const after = port.tls(identity, given === undefined ? {} : { session: given });
  after.on('error', () => undefined).resume();
  await once(after, 'close');
  expect(port.log.lines).toMatchObject([{ msg: REFUSED, subject: 'CN=alice' }]);
});
