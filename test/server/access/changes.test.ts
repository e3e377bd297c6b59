/** Access that changes while calls go on: they end once they are not allowed any more, and not before. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { Permission } from '../../../gen/kelp/v1/access_pb.ts';
import { type PipelineResponse, KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { mapped } from '../../../src/server/calls/mapped.ts';
import { GrpcJsClient } from '../../support/grpc-js-client.ts';
import { startTestServer } from '../../support/test-server.ts';
import { basic, bearer, type Clients, clientsOf } from './access-client.ts';
import { type Open, type OpenCall, userStreams, watches } from './open-calls.ts';

const value = Buffer.from('x');
const keysOf = (prefix: string) => ({ keys: { case: 'prefix', value: Buffer.from(prefix) } }) as const;
const KEPT = { permission: Permission.READWRITE, keys: keysOf('kept/') } as const;
const TAKEN = { permission: Permission.READWRITE, keys: keysOf('taken/') } as const;

interface Closed {
  readonly url: string;
  readonly root: Clients;
  readonly byPassword: string;
  readonly byToken: string;
}

/** A server with a user, ann, who has two roles: one for what she keeps, one for what is taken from her. */
async function closed(): Promise<Closed> {
  const { url } = await startTestServer();
  await clientsOf(url).access.createUser({ name: 'root', password: 'top' });
  const root = clientsOf(url, basic('root', 'top'));
  for (const [name, grant] of [
    ['kept', KEPT],
    ['taken', TAKEN],
  ] as const) {
    await root.access.createRole({ name });
    await root.access.addGrant({ role: name, grant });
  }
  await root.access.createUser({ name: 'ann', password: 'word', roles: ['kept', 'taken'] });
  const { secret } = await root.access.createToken({ name: 'of-ann', user: 'ann' });
  return { url, root, byPassword: basic('ann', 'word'), byToken: bearer(secret) };
}

type Change = (root: Clients) => Promise<unknown>;

/** After which what is taken may not be read any more. */
const lessRights: Readonly<Record<string, Change>> = {
  'a grant is removed': ({ access }) => access.removeGrant({ role: 'taken', keys: TAKEN.keys }),
  'a grant becomes one to write': ({ access }) =>
    access.addGrant({ role: 'taken', grant: { ...TAKEN, permission: Permission.WRITE } }),
  'a role is taken': ({ access }) => access.takeRole({ user: 'ann', role: 'taken' }),
  'a role is deleted': ({ access }) => access.deleteRole({ name: 'taken' }),
};

/** After which the credentials are none: of those with a password, and those with a token. */
const loginsEnd: readonly (readonly [name: string, shown: 'byPassword' | 'byToken', change: Change])[] = [
  ['its user is deleted', 'byPassword', ({ access }) => access.deleteUser({ name: 'ann' })],
  ['its user is deleted', 'byToken', ({ access }) => access.deleteUser({ name: 'ann' })],
  [
    'its password is changed',
    'byPassword',
    ({ access }) => access.setPassword({ name: 'ann', password: 'new' }),
  ],
  ['its token is deleted', 'byToken', ({ access }) => access.deleteToken({ name: 'of-ann' })],
];

/** Changes that take nothing away. */
const harmless: Readonly<Record<string, Change>> = {
  'a grant is added': ({ access }) =>
    access.addGrant({ role: 'kept', grant: { permission: Permission.READ, keys: keysOf('more/') } }),
  'a role is made': ({ access }) => access.createRole({ name: 'another' }),
  'another user is deleted': async ({ access }) => {
    await access.createUser({ name: 'bob' });
    await access.deleteUser({ name: 'bob' });
  },
};

async function openAll(
  opens: Readonly<Record<string, Open>>,
  url: string,
  shown: string | undefined,
  prefix: string,
): Promise<(readonly [string, OpenCall])[]> {
  return await Promise.all(
    Object.entries(opens).map(async ([name, open]) => [name, await open(url, shown, prefix)] as const),
  );
}

async function endsOf(calls: readonly (readonly [string, OpenCall])[]): Promise<unknown> {
  return Object.fromEntries(await Promise.all(calls.map(async ([name, { ended }]) => [name, await ended])));
}

function allOf<Result>(opens: Readonly<Record<string, Open>>, result: Result): Record<string, Result> {
  return Object.fromEntries(Object.keys(opens).map((name) => [name, result]));
}

async function putMany({ kv }: Clients, prefix: string, from: number, to: number): Promise<string[]> {
  const keys = Array.from({ length: to - from }, (_, index) => `${prefix}${from + index}`);
  for (const key of keys) await kv.put({ key, value });
  return keys;
}

describe.each(Object.entries(lessRights))('when %s', (_, change) => {
  test('watches of its keys end behind all that was written before, and those of other keys go on', async () => {
    const { url, root, byPassword } = await closed();
    const ending = await openAll(watches, url, byPassword, 'taken/');
    const kept = await openAll(watches, url, byPassword, 'kept/');
    const streams = await openAll(userStreams, url, byPassword, '');
    const before = await putMany(root, 'taken/', 0, 20);
    await change(root);
    await putMany(root, 'taken/', 20, 40);
    const goneOn = await putMany(root, 'kept/', 0, 20);
    expect(await endsOf(ending)).toEqual(allOf(watches, 'PermissionDenied'));
    for (const [name, { keys }] of ending) expect([name, ...keys]).toEqual([name, ...before]);
    await root.access.deleteUser({ name: 'ann' });
    expect(await endsOf(kept)).toEqual(allOf(watches, 'Unauthenticated'));
    for (const [name, { keys }] of kept) expect([name, ...keys]).toEqual([name, ...goneOn]);
    expect(await endsOf(streams)).toEqual(allOf(userStreams, 'Unauthenticated'));
  });
});

describe.each(loginsEnd)('when %s (%s)', (_, shown, change) => {
  test('all that was begun with it ends', async () => {
    const { root, url, ...headers } = await closed();
    const opens = { ...watches, ...userStreams };
    const ending = await openAll(opens, url, headers[shown], 'kept/');
    const before = await putMany(root, 'kept/', 0, 20);
    await change(root);
    await putMany(root, 'kept/', 20, 40);
    expect(await endsOf(ending)).toEqual(allOf(opens, 'Unauthenticated'));
    for (const [name, { keys }] of ending)
      expect([name, ...keys]).toEqual([name, ...(name in watches ? before : [])]);
  });
});

test.each(Object.entries(harmless))('when %s nothing ends', async (_, change) => {
  const { url, root, byPassword, byToken } = await closed();
  const opened = await openAll(watches, url, byPassword, 'kept/');
  const streams = await openAll(userStreams, url, byToken, '');
  await change(root);
  const keys = await putMany(root, 'kept/', 0, 5);
  await root.access.deleteUser({ name: 'ann' });
  expect(await endsOf(opened)).toEqual(allOf(watches, 'Unauthenticated'));
  for (const [name, call] of opened) expect([name, ...call.keys]).toEqual([name, ...keys]);
  expect(await endsOf(streams)).toEqual(allOf(userStreams, 'Unauthenticated'));
});

test('a password that is changed ends nothing that was begun with a token', async () => {
  const { url, root, byToken } = await closed();
  const opened = await openAll(watches, url, byToken, 'kept/');
  await root.access.setPassword({ name: 'ann', password: 'new' });
  const keys = await putMany(root, 'kept/', 0, 5);
  await root.access.deleteToken({ name: 'of-ann' });
  expect(await endsOf(opened)).toEqual(allOf(watches, 'Unauthenticated'));
  for (const [name, call] of opened) expect([name, ...call.keys]).toEqual([name, ...keys]);
});

test('a token whose time is over ends what was begun with it, without any change', async () => {
  const { url, root } = await closed();
  const { secret } = await root.access.createToken({ name: 'short', user: 'ann', ttl: { seconds: 3n } });
  const opens = { ...watches, ...userStreams };
  const ending = await openAll(opens, url, bearer(secret), 'kept/');
  expect(await endsOf(ending)).toEqual(allOf(opens, 'Unauthenticated'));
});

test('the first root ends what clients without credentials have begun', async () => {
  const { url } = await startTestServer();
  const anybody = clientsOf(url);
  const opens = { ...watches, ...userStreams };
  const ending = await openAll(opens, url, undefined, 'kept/');
  const before = await putMany(anybody, 'kept/', 0, 5);
  await anybody.access.createUser({ name: 'root', password: 'top' });
  await putMany(clientsOf(url, basic('root', 'top')), 'kept/', 5, 10);
  expect(await endsOf(ending)).toEqual(allOf(opens, 'Unauthenticated'));
  for (const [name, { keys }] of ending)
    expect([name, ...keys]).toEqual([name, ...(name in watches ? before : [])]);
});

test('operations of an open pipeline are asked for by what is granted when they come', async () => {
  const { url, root, byPassword } = await closed();
  const stream = new GrpcJsClient(new URL(url).host, undefined, byPassword).bidiStream(
    KvService.method.pipeline,
  );
  const ask = async (): Promise<unknown> => {
    const operations = ['taken/', 'kept/', 'taken/'].map((key) => ({
      operation: { case: 'put', value: { key, value } } as const,
    }));
    stream.write({ operations });
    const [{ results }] = (await once(stream, 'data')) as [PipelineResponse];
    return results.map(({ result }) => (result.case === 'failure' ? Code[result.value.code] : result.case));
  };
  expect(await ask()).toEqual(['put', 'put', 'put']);
  await root.access.takeRole({ user: 'ann', role: 'taken' });
  expect(await ask()).toEqual(['PermissionDenied', 'put', 'PermissionDenied']);
  await root.access.giveRole({ user: 'ann', role: 'taken' });
  expect(await ask()).toEqual(['put', 'put', 'put']);
  stream.end();
  stream.resume();
  await once(stream, 'end');
});

describe('a long reply that its client has not read', () => {
  const MIB = 1 << 20;
  const VALUES = 32;

  async function filled(): Promise<Closed> {
    const opened = await closed();
    for (let index = 0; index < VALUES; index++)
      await opened.root.kv.put({ key: `taken/${index}`, value: randomBytes(MIB) });
    return opened;
  }

  /** Takes the first message, lets the change come, and reads on. @returns the code at the end, and how many bytes came. */
  async function readOver(
    messages: AsyncIterable<{ readonly bytes: number }>,
    change: () => Promise<unknown>,
  ): Promise<{ code: string | undefined; bytes: number }> {
    let bytes = 0;
    try {
      for await (const message of messages) {
        if (bytes === 0) await change();
        bytes += message.bytes;
      }
    } catch (error) {
      return { code: Code[ConnectError.from(error).code], bytes };
    }
    return { code: 'Ok', bytes };
  }

  test('ends before the rest: a scan', async () => {
    const { url, root, byPassword } = await filled();
    const { kv } = clientsOf(url, byPassword);
    const scanned = kv.scanStream({ range: { prefix: 'taken/' }, chunkLimit: 1 });
    const sizes = mapped(scanned, ({ entries }) => ({ bytes: entries[0]?.value.length ?? 0 }));
    const end = await readOver(sizes, () => root.access.takeRole({ user: 'ann', role: 'taken' }));
    expect(end.code).toBe('PermissionDenied');
    expect(end.bytes).toBeLessThan(VALUES * MIB);
  });

  test('ends before the rest: a backup', async () => {
    const { url, root, byPassword } = await filled();
    await root.access.createRole({ name: 'operator' });
    await root.access.addGrant({ role: 'operator', grant: { permission: Permission.ADMIN } });
    await root.access.giveRole({ user: 'ann', role: 'operator' });
    const sizes = mapped(clientsOf(url, byPassword).admin.backup({}), ({ data }) => ({ bytes: data.length }));
    const end = await readOver(sizes, () => root.access.takeRole({ user: 'ann', role: 'operator' }));
    expect(end.code).toBe('PermissionDenied');
    expect(end.bytes).toBeLessThan(VALUES * MIB);
  });
});
