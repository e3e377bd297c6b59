/** npm's client of etcd as programs use it: namespaces, ranges, conditions, errors, leases that are kept, restarts. */
import { once } from 'node:events';
import {
  Etcd3,
  EtcdLeaseInvalidError,
  EtcdLockFailedError,
  GRPCInvalidArgumentError,
  STMConflictError,
} from 'etcd3';
import { expect, onTestFinished, test } from 'vitest';
import { ServerProcess } from '../../crash/server-process.ts';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';

function clientOf(hosts: string): Etcd3 {
  const client = new Etcd3({ hosts });
  onTestFinished(() => client.close());
  return client;
}

async function opened(): Promise<Etcd3> {
  return clientOf((await startTestServer()).url);
}

test('a namespace has keys, transactions, watches and locks of its own', async () => {
  const client = await opened();
  const space = client.namespace('s/');
  await space.put('a').value('1');
  await client.put('a').value('outside');
  expect([await space.get('a').string(), await client.get('s/a').string()]).toEqual(['1', '1']);
  expect(await space.getAll().strings()).toEqual({ a: '1' });
  const watcher = await space.watch().key('a').create();
  const put = once(watcher, 'put');
  await space.if('a', 'Value', '==', '1').then(space.put('a').value('2')).commit();
  const [{ key, value }] = (await put) as [{ readonly key: Buffer; readonly value: Buffer }];
  expect([String(key), String(value)]).toEqual(['a', '2']);
  await watcher.cancel();
  const held = await space.lock('l').acquire();
  await expect(space.lock('l').acquire()).rejects.toThrow(EtcdLockFailedError);
  await (await client.lock('l').acquire()).release();
  await held.release();
  await space.delete().all();
  expect(await client.getAll().strings()).toEqual({ a: 'outside' });
});

test('ranges are sorted, limited, counted, and read at a revision', async () => {
  const client = await opened();
  for (const [key, value] of [
    ['k/b', '1'],
    ['k/a', '3'],
    ['k/c', '2'],
    ['l', '4'],
  ] as const)
    await client.put(key).value(value);
  const all = () => client.getAll().prefix('k/');
  expect(await all().keys()).toEqual(['k/a', 'k/b', 'k/c']);
  expect(await all().sort('Key', 'Descend').limit(2).keys()).toEqual(['k/c', 'k/b']);
  expect(Object.keys(await all().sort('Mod', 'Ascend').strings())).toEqual(['k/b', 'k/a', 'k/c']);
  expect(Object.values(await all().sort('Value', 'Descend').numbers())).toEqual([3, 2, 1]);
  expect(await all().count()).toBe(3);
  expect(await all().limit(1).count()).toBe(3);
  const { header } = await client.get('k/a').exec();
  await client.put('k/a').value('30');
  expect(await client.get('k/a').revision(header.revision).number()).toBe(3);
  expect(
    await all()
      .minModRevision(Number(header.revision) + 1)
      .keys(),
  ).toEqual(['k/a']);
  expect(await client.getAll().inRange({ start: 'k/b', end: 'l' }).keys()).toEqual(['k/b', 'k/c']);
  expect(await client.get('nothing').exists()).toBe(false);
  const deleted = await client.delete().prefix('k/').getPrevious();
  expect(deleted.map(({ key, value }) => [String(key), String(value)])).toEqual([
    ['k/a', '30'],
    ['k/b', '1'],
    ['k/c', '2'],
  ]);
  expect((await client.delete().inRange({ start: 'a', end: 'z' }).exec()).deleted).toBe('1');
});

test('conditions decide, on all that can be compared', async () => {
  const client = await opened();
  const create = () =>
    client.if('a', 'Create', '==', 0).then(client.put('a').value('made')).else(client.get('a')).commit();
  expect((await create()).succeeded).toBe(true);
  const again = await create();
  expect(again.succeeded).toBe(false);
  expect(String(again.responses[0]?.response_range.kvs[0]?.value)).toBe('made');
  const { succeeded } = await client
    .if('a', 'Value', '==', 'made')
    .and('a', 'Version', '<', 2)
    .and('a', 'Mod', '>', 1)
    .and('b', 'Version', '==', 0)
    .then(client.put('a').value('swapped'), client.put('b').value('1'))
    .commit();
  expect([succeeded, await client.get('a').string()]).toEqual([true, 'swapped']);
  expect(String((await client.put('a').value('last').getPrevious()).value)).toBe('swapped');
  await client.put('a').value('touched').exec();
  await client.put('a').ignoreLease().value('kept');
  expect(await client.get('a').string()).toBe('kept');
});

test('errors come as the types that the client has for them', async () => {
  const client = await opened();
  await expect(client.put('').value('v')).rejects.toThrow(GRPCInvalidArgumentError);
  await expect(client.put('a').value('v').lease(77)).rejects.toThrow(EtcdLeaseInvalidError);
  await expect(client.leaseClient.leaseRevoke({ ID: 77 })).rejects.toThrow(EtcdLeaseInvalidError);
  const duplicate = client.if('a', 'Version', '==', 0);
  await expect(
    duplicate.then(client.put('a').value('1'), client.put('a').value('2')).commit(),
  ).rejects.toThrow('duplicate key given in txn request');
  await expect(client.get('a').revision(99).string()).rejects.toThrow(
    'required revision is a future revision',
  );
});

test('a lease is kept alive, and one that is gone is told as lost', async () => {
  const client = await opened();
  const kept = client.lease(9);
  await kept.put('kept').value('v');
  for (let count = 0; count < 2; count++) {
    const [{ TTL }] = (await once(kept, 'keepaliveSucceeded')) as [{ readonly TTL: string }];
    expect(TTL).toBe('9');
  }
  expect(await client.get('kept').string()).toBe('v');
  const lost = once(kept, 'lost');
  await client.leaseClient.leaseRevoke({ ID: await kept.grant() });
  const [error] = (await lost) as [Error];
  expect(error).toBeInstanceOf(EtcdLeaseInvalidError);
  expect(await client.get('kept').string()).toBeNull();
});

test('transactions of memory that get in the way of each other all count, and give up when told so', async () => {
  const client = await opened();
  await client.put('n').value('0');
  const add = () =>
    client.stm({ retries: 1000 }).transact(async (txn) => {
      const value = Number(await txn.get('n'));
      await txn.put('n').value(String(value + 1));
    });
  await Promise.all(Array.from({ length: 8 }, add));
  expect(await client.get('n').number()).toBe(8);
  const never = client.stm({ retries: 0 }).transact(async (txn) => {
    const value = Number(await txn.get('n'));
    await client.put('n').value(String(value + 1));
    await txn.put('n').value('lost');
  });
  await expect(never).rejects.toThrow(STMConflictError);
});

test(
  'watchers and leases go on where they were when the server is killed and comes back',
  { timeout: 120_000 },
  async () => {
    const dataDir = await temporaryDirectory();
    const first = await ServerProcess.start({ dataDir });
    const { port } = first;
    const hosts = `http://127.0.0.1:${port}`;
    const client = clientOf(hosts);
    const lease = client.lease(600);
    await lease.put('k/leased').value('v');
    const watcher = await client.watch().prefix('k/').create();
    const values: string[] = [];
    const told = async (count: number): Promise<string[]> => {
      while (values.length < count) await once(watcher, 'put');
      return values;
    };
    watcher.on('put', ({ value }) => void values.push(String(value)));
    await client.put('k/1').value('before');
    await told(1);
    const isBack = once(watcher, 'connected');
    await first.end('SIGKILL');
    await ServerProcess.start({ dataDir, port });
    // Another client writes before the watcher is back, perhaps.
    await clientOf(hosts).put('k/1').value('meanwhile');
    await isBack;
    await clientOf(hosts).put('k/1').value('behind');
    expect(await told(3)).toEqual(['before', 'meanwhile', 'behind']);
    expect(await clientOf(hosts).getAll().prefix('k/').strings()).toEqual({
      'k/1': 'behind',
      'k/leased': 'v',
    });
    const { TTL } = await clientOf(hosts).leaseClient.leaseTimeToLive({ ID: await lease.grant() });
    expect(Number(TTL)).toBeGreaterThan(0);
  },
);
