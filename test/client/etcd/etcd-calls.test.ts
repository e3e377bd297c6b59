/** Calls of an etcd with a login: a token that it has forgotten is asked for anew, and the call made again, once. */
import { once } from 'node:events';
import { createServer } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  Auth,
  KV,
  RangeRequestSchema,
  RangeResponseSchema,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { parseAddress } from '../../../src/client/connection/address.ts';
import { EtcdCalls, type EtcdLogin, etcdMethod } from '../../../src/client/etcd/etcd-calls.ts';
import { failureOf } from '../support/fake-server.ts';

const range = etcdMethod('KV/Range', RangeResponseSchema);
const request = toBinary(RangeRequestSchema, create(RangeRequestSchema, { key: new Uint8Array(1) }));
const never = new AbortController().signal;

/** An etcd with one user, which forgets tokens when a test says so. */
class FakeEtcd {
  readonly calls: string[] = [];
  /** How the next reads fail. */
  failures: ConnectError[] = [];
  port = 0;
  #token: string | undefined;
  #count = 0;

  static async start(): Promise<FakeEtcd> {
    const etcd = new FakeEtcd();
    const server = createServer(
      connectNodeAdapter({
        routes(router) {
          router.service(Auth, {
            authenticate: ({ name, password }, context) => etcd.#authenticate(name, password, context),
          });
          router.service(KV, { range: (_, context) => etcd.#range(context) });
        },
      }),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    etcd.port = (server.address() as AddressInfo).port;
    return etcd;
  }

  /** @param before members that are asked before this one, by their ports. */
  client(login: EtcdLogin = { user: 'ada', password: 'secret' }, before: readonly number[] = []): EtcdCalls {
    const addresses = [...before, this.port].map((port) => parseAddress(`127.0.0.1:${port}`, false));
    const calls = new EtcdCalls({ addresses, tls: {}, login });
    onTestFinished(() => calls.close());
    return calls;
  }

  forget(): void {
    this.#token = undefined;
  }

  #authenticate(name: string, password: string, { requestHeader }: HandlerContext): { token: string } {
    this.calls.push('authenticate');
    // As etcd does with every call that shows a token.
    if (requestHeader.has('authorization')) throw invalidToken();
    if (name !== 'ada' || password !== 'secret') {
      throw new ConnectError(
        'etcdserver: authentication failed, invalid user ID or password',
        Code.InvalidArgument,
      );
    }
    this.#token = `token ${++this.#count}`;
    return { token: this.#token };
  }

  #range({ requestHeader }: HandlerContext): { count: bigint } {
    const token = requestHeader.get('authorization');
    this.calls.push(`range with ${token ?? 'nothing'}`);
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    if (token !== this.#token) throw invalidToken();
    return { count: 1n };
  }
}

const invalidToken = (): ConnectError =>
  new ConnectError('etcdserver: invalid auth token', Code.Unauthenticated);

describe('a login', () => {
  test('that etcd has forgotten is made anew, without the old token', async () => {
    const etcd = await FakeEtcd.start();
    const calls = etcd.client();
    for (let round = 0; round < 2; round++) {
      expect((await calls.unary(range, request, never)).count).toBe(1n);
      etcd.forget();
    }
    expect(etcd.calls).toEqual([
      'authenticate',
      'range with token 1',
      'range with token 1',
      'authenticate',
      'range with token 2',
    ]);
  });

  test('that is older than the users of etcd is made anew', async () => {
    const etcd = await FakeEtcd.start();
    const calls = etcd.client();
    await calls.unary(range, request, never);
    etcd.failures = [new ConnectError('etcdserver: revision of auth store is old', Code.InvalidArgument)];
    expect((await calls.unary(range, request, never)).count).toBe(1n);
    expect(etcd.calls.slice(2)).toEqual(['range with token 1', 'authenticate', 'range with token 2']);
  });

  test('that is refused again is made no third time', async () => {
    const etcd = await FakeEtcd.start();
    const calls = etcd.client();
    await calls.unary(range, request, never);
    etcd.failures = [invalidToken(), invalidToken(), invalidToken()];
    expect(await failureOf(calls.unary(range, request, never))).toMatchObject({ kind: 'refused' });
    expect(etcd.calls.slice(2)).toEqual(['range with token 1', 'authenticate', 'range with token 2']);
  });

  test('by a token of its own is not made anew', async () => {
    const etcd = await FakeEtcd.start();
    const calls = etcd.client({ token: 'of my own' });
    expect(await failureOf(calls.unary(range, request, never))).toMatchObject({ kind: 'refused' });
    expect(etcd.calls).toEqual(['range with of my own']);
  });
});

test('a member that never answers is left by a caller that gives up before a try does', async () => {
  let isGivenUp = false;
  const silent = createTcpServer((socket) => {
    socket.on('error', () => undefined).resume();
    socket.on('close', () => (isGivenUp = true));
  });
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const etcd = await FakeEtcd.start();
  const calls = etcd.client({ user: 'ada', password: 'secret' }, [(silent.address() as AddressInfo).port]);
  const impatient = new AbortController();
  const asked = once(silent, 'connection');
  const given = failureOf(calls.unary(range, request, impatient.signal));
  await asked;
  impatient.abort(new Error('no patience'));
  expect(await given).toMatchObject({ message: 'no patience' });
  expect((await calls.unary(range, request, never)).count).toBe(1n);
  expect(isGivenUp, 'it has waited for the silent one').toBe(false);
});

test('a moment without a leader is unavailable, and another login is not asked for', async () => {
  const etcd = await FakeEtcd.start();
  const calls = etcd.client();
  await calls.unary(range, request, never);
  etcd.failures = [new ConnectError('raft proposal dropped', Code.Unknown)];
  expect(await failureOf(calls.unary(range, request, never))).toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('raft proposal dropped') as string,
  });
  expect((await calls.unary(range, request, never)).count).toBe(1n);
  expect(etcd.calls.slice(2)).toEqual(['range with token 1', 'range with token 1']);
});
