/** npm's client of etcd: watchers, leases, locks and elections. */
import { once } from 'node:events';
import { Etcd3 } from 'etcd3';
import { expect, onTestFinished, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';

async function opened(): Promise<Etcd3> {
  const { url } = await startTestServer();
  const client = new Etcd3({ hosts: url });
  onTestFinished(() => client.close());
  return client;
}

test('watchers are told what changes, and many share a stream', async () => {
  const client = await opened();
  const all = await client.watch().prefix('k/').withPreviousKV().create();
  const one = await client.watch().key('k/1').only('delete').create();
  const put = once(all, 'put');
  await client.put('k/1').value('a');
  const [first] = (await put) as [{ readonly key: Buffer; readonly value: Buffer }];
  expect([String(first.key), String(first.value)]).toEqual(['k/1', 'a']);
  type Deletion = [{ readonly key: Buffer }, { readonly value: Buffer } | null];
  const deletions = Promise.all([once(all, 'delete'), once(one, 'delete')]);
  await client.delete().key('k/1');
  const [[deleted, before], [sameDeleted, notTold]] = (await deletions) as [Deletion, Deletion];
  expect([deleted, sameDeleted].map(({ key }) => String(key))).toEqual(['k/1', 'k/1']);
  expect(String(before?.value)).toBe('a');
  expect(notTold).toBeNull();
  await all.cancel();
  await one.cancel();
});

test('a watcher begins in history', async () => {
  const client = await opened();
  const { header } = await client.put('a').value('1');
  await client.put('a').value('2');
  const watcher = client.watch().key('a').startRevision(header.revision).watcher();
  const values: string[] = [];
  watcher.on('put', ({ value }) => void values.push(String(value)));
  while (values.length < 2) await once(watcher, 'put');
  expect(values).toEqual(['1', '2']);
});

test('a lease holds keys while it is alive, and takes them with it', async () => {
  const client = await opened();
  const lease = client.lease(60);
  await lease.put('held').value('v');
  const watcher = await client.watch().key('held').create();
  await lease.keepaliveOnce();
  expect(await client.get('held').string()).toBe('v');
  const deleted = once(watcher, 'delete');
  await lease.revoke();
  await deleted;
  expect(await client.get('held').string()).toBeNull();
});

test('a lock is held by one at a time', async () => {
  const client = await opened();
  const held = await client.lock('l').ttl(60).acquire();
  await expect(client.lock('l').acquire()).rejects.toThrow('lock');
  await held.release();
  const again = await client.lock('l').acquire();
  await again.release();
});

test('an election has one leader, and another one when that resigns', async () => {
  const client = await opened();
  const election = client.election('e', 60);
  const first = election.campaign('one');
  await once(first, 'elected');
  const observer = await election.observe();
  if (observer.leader() !== 'one') await once(observer, 'change');
  expect(observer.leader()).toBe('one');
  const second = client.election('e', 60).campaign('two');
  const isElected = once(second, 'elected');
  await first.resign();
  await isElected;
  while (observer.leader() !== 'two') await once(observer, 'change');
  await second.resign();
  await observer.cancel();
});

test('a transaction of memory commits, and begins again when what it read has changed', async () => {
  const client = await opened();
  await client.put('n').value('1');
  let tries = 0;
  await client.stm().transact(async (txn) => {
    const value = Number(await txn.get('n'));
    if (tries++ === 0) await client.put('n').value('5');
    await txn.put('n').value(String(value + 1));
  });
  expect([tries, await client.get('n').string()]).toEqual([2, '6']);
});

test('a client with a user and a password logs in, and again when its token is taken no more', async () => {
  const { url } = await startTestServer();
  const open = new Etcd3({ hosts: url });
  onTestFinished(() => open.close());
  const root = open.user('root');
  await root.create('pw');
  await root.addRole('root');
  await open.auth.authEnable();
  const client = new Etcd3({ hosts: url, auth: { username: 'root', password: 'pw' } });
  onTestFinished(() => client.close());
  await client.put('a').value('1');
  expect((await client.getUsers()).map(({ name }) => name)).toEqual(['root']);
  const role = client.role('r');
  await role.create();
  await role.grant([
    { permission: 'Read', range: client.range({ prefix: 'a' }) },
    { permission: 'Readwrite', key: 'b' },
  ]);
  expect((await role.permissions()).map(({ permission }) => permission)).toEqual(['Read', 'Readwrite']);
  const alice = client.user('alice');
  await alice.create('word');
  await alice.addRole('r');
  const asAlice = new Etcd3({ hosts: url, auth: { username: 'alice', password: 'word' } });
  onTestFinished(() => asAlice.close());
  const watcher = await asAlice.watch().prefix('a').create();
  expect(await asAlice.get('a').string()).toBe('1');
  await expect(asAlice.put('a').value('2')).rejects.toThrow('permission denied');
  // A password that is set anew, if to the same one, ends its tokens.
  await alice.setPassword('word');
  await expect(asAlice.put('b').value('2')).resolves.toBeDefined();
  await watcher.cancel();
  await client.auth.authDisable();
  expect(await open.get('a').string()).toBe('1');
});
