/** A client certificate is a login, at every door, for as long as it is valid and its user is there. */
import { writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { Code, createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { AccessService } from '../../../gen/kelp/v1/access_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import type { Clock } from '../../../src/clock.ts';
import { systemClock } from '../../../src/clock.ts';
import { Authority, type Identity, daysFromNow, selfSigned } from '../../support/certificates.ts';
import {
  type TestServer,
  type TestServerOptions,
  startTestServer,
  temporaryDirectory,
} from '../../support/test-server.ts';
import { basic, refusalOf } from '../access/access-client.ts';

const doors = ['gRPC', 'gRPC over TLS 1.2', 'gRPC-Web', 'Connect', 'Connect over HTTP/2'] as const;
type Door = (typeof doors)[number];

const serverAuthority = new Authority('authority of servers');
const clientAuthority = new Authority('authority of clients');
const URI = 'spiffe://example/ns/a/sa/b';

interface Clients {
  readonly access: ReturnType<typeof createClient<typeof AccessService>>;
  readonly kv: ReturnType<typeof createClient<typeof KvService>>;
  readonly watch: ReturnType<typeof createClient<typeof WatchService>>;
}

class ServerUnderTest {
  readonly #server: TestServer;

  private constructor(server: TestServer) {
    this.#server = server;
  }

  /** Access is closed; the users are `ann`, a URI and `host.example`, who may read. */
  static async start(storeOptions: TestServerOptions['storeOptions'] = {}): Promise<ServerUnderTest> {
    const directory = await temporaryDirectory();
    const file = (name: string, text: string): string => {
      const path = join(directory, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    const { cert, key } = serverAuthority.server();
    const flags = {
      'tls-cert': file('tls.crt', cert),
      'tls-key': file('tls.key', key),
      'tls-client-ca': file('ca.crt', clientAuthority.identity.cert),
      'root-password-file': file('password', 'secret'),
    };
    const server = new ServerUnderTest(await startTestServer({ flags, storeOptions }));
    const { access } = server.root;
    await access.createRole({ name: 'reader' });
    await access.addGrant({
      role: 'reader',
      grant: { permission: 1, keys: { keys: { case: 'prefix', value: new Uint8Array() } } },
    });
    for (const name of ['ann', URI, 'host.example']) await access.createUser({ name, roles: ['reader'] });
    return server;
  }

  get root(): Clients {
    return this.clients('gRPC', undefined, basic('root', 'secret'));
  }

  clients(door: Door, identity?: Identity, authorization?: string): Clients {
    const options = {
      baseUrl: `https://localhost:${this.#server.port}`,
      nodeOptions: {
        ...this.#identity(identity),
        ...(door === 'gRPC over TLS 1.2' ? { maxVersion: 'TLSv1.2' as const } : {}),
      },
      interceptors: [
        (next: (request: never) => Promise<never>) => (request: { header: Headers }) => {
          if (authorization !== undefined) request.header.set('authorization', authorization);
          return next(request as never);
        },
      ] as never,
    };
    const transport =
      door === 'gRPC-Web'
        ? createGrpcWebTransport({ ...options, httpVersion: '1.1' })
        : door === 'Connect' || door === 'Connect over HTTP/2'
          ? createConnectTransport({ ...options, httpVersion: door === 'Connect' ? '1.1' : '2' })
          : createGrpcTransport(options);
    return {
      access: createClient(AccessService, transport),
      kv: createClient(KvService, transport),
      watch: createClient(WatchService, transport),
    };
  }

  /** The status of a read over REST. */
  rest(identity: Identity | undefined): Promise<number | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const options = { ...this.#identity(identity), path: '/v1/keys/a', agent: false };
    httpsRequest(
      { ...options, host: '127.0.0.1', port: this.#server.port, servername: 'localhost' },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    )
      .once('error', reject)
      .end();
    return promise;
  }

  #identity(identity: Identity | undefined): object {
    return { ...identity, ca: serverAuthority.identity.cert };
  }
}

const ann = clientAuthority.issue({ commonNames: ['ann'] });
const uri = clientAuthority.issue({ commonNames: ['no user'], uris: [URI] });
const host = clientAuthority.issue({ dnsNames: ['host.example'] });
const stranger = clientAuthority.issue({ commonNames: ['stranger'] });

/** Opens a watch, and resolves with what it ended by. */
async function openWatch({ watch }: Clients): Promise<{ readonly ended: Promise<{ code: Code }> }> {
  const messages = watch.watch({ progressInterval: { seconds: 0n, nanos: 100_000_000 } });
  const stream = messages[Symbol.asyncIterator]();
  expect((await stream.next()).done).not.toBe(true);
  const readOn = async (): Promise<void> => {
    while ((await stream.next()).done !== true);
  };
  return { ended: refusalOf(readOn()) };
}

describe('a client certificate', () => {
  test.each(doors)('is a login over %s', async (door) => {
    const server = await ServerUnderTest.start();
    for (const [identity, user] of [
      [ann, 'ann'],
      [uri, URI],
      [host, 'host.example'],
    ] as const) {
      const { access, kv } = server.clients(door, identity);
      expect(await access.whoAmI({})).toMatchObject({ user, roles: ['reader'], isClosed: true });
      await kv.get({ key: 'a' });
      const write = await refusalOf(kv.put({ key: 'a' }));
      expect(write.code).toBe(Code.PermissionDenied);
    }
    for (const identity of [undefined, stranger]) {
      const { code } = await refusalOf(server.clients(door, identity).kv.get({ key: 'a' }));
      expect(code).toBe(Code.Unauthenticated);
    }
    const refused = server.clients(door, selfSigned({ commonNames: ['ann'] })).access.whoAmI({});
    const refusal = await refusalOf(refused);
    expect(refusal.code).toBe(Code.Unauthenticated);
    if (door.startsWith('gRPC over') || door === 'gRPC') {
      expect(refusal.rawMessage).toBe('the client certificate is not valid: it is signed by itself');
    }
  });

  test('is a login over REST', async () => {
    const server = await ServerUnderTest.start();
    expect(await server.rest(ann)).toBe(404);
    expect([await server.rest(undefined), await server.rest(stranger)]).toEqual([401, 401]);
  });

  test('gives way to credentials that the call has', async () => {
    const server = await ServerUnderTest.start();
    const { access } = server.clients('gRPC', ann, basic('root', 'secret'));
    expect(await access.whoAmI({})).toMatchObject({ user: 'root' });
    const wrong = server.clients('gRPC', ann, basic('root', 'wrong'));
    expect((await refusalOf(wrong.access.whoAmI({}))).code).toBe(Code.Unauthenticated);
  });

  test.each(doors)('whose user is deleted is refused, and what it has open over %s ends', async (door) => {
    const server = await ServerUnderTest.start();
    const clients = server.clients(door, ann);
    const other = await openWatch(server.clients(door, uri));
    const { ended } = await openWatch(clients);
    await server.root.access.deleteUser({ name: 'ann' });
    expect((await ended).code).toBe(Code.Unauthenticated);
    expect((await refusalOf(clients.kv.get({ key: 'a' }))).code).toBe(Code.Unauthenticated);
    await server.root.access.takeRole({ user: URI, role: 'reader' });
    expect((await other.ended).code).toBe(Code.PermissionDenied);
  });

  test('that expires is refused on the connection that it opened, and what it has open ends', async () => {
    const clock = new OffsetClock();
    const server = await ServerUnderTest.start({ clock });
    const identity = clientAuthority.issue({ commonNames: ['ann'], notAfter: daysFromNow(1) });
    const clients = server.clients('gRPC', identity);
    await clients.kv.get({ key: 'a' });
    const { ended } = await openWatch(clients);
    clock.passTo(daysFromNow(1).getTime() + 1);
    expect((await ended).code).toBe(Code.Unauthenticated);
    expect((await refusalOf(clients.kv.get({ key: 'a' }))).code).toBe(Code.Unauthenticated);
    await server.root.kv.get({ key: 'a' });
  });
});

/** The time of the system, until a test says that it is later: then the timers of more than an hour are over. */
class OffsetClock implements Clock {
  #offsetMs = 0;
  readonly #long = new Set<() => void>();

  nowMs(): number {
    return systemClock.nowMs() + this.#offsetMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): ReturnType<Clock['setTimer']> {
    if (delayMs < 3_600_000) return systemClock.setTimer(delayMs, callback);
    this.#long.add(callback);
    return { cancel: () => void this.#long.delete(callback) };
  }

  yieldNow(callback: () => void): void {
    systemClock.yieldNow(callback);
  }

  passTo(timeMs: number): void {
    this.#offsetMs = timeMs - systemClock.nowMs();
    const due = [...this.#long];
    this.#long.clear();
    for (const callback of due) callback();
  }
}
