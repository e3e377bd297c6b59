/** `kelp import --from-etcd` beside Debian's etcd: its changes are followed, whatever ends and comes back, until a signal comes. */
import { expect, test } from 'vitest';
import type { KelpClient } from '../../../src/client/index.ts';
import { openStore } from '../../../src/index.ts';
import type { EtcdClient } from '../../server/etcd/support/etcd-client.ts';
import { hasRealEtcd } from '../../server/etcd/support/real-etcd.ts';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { jsonLines } from '../kelp.ts';
import { KelpProcess } from '../kelp-process.ts';
import { bytes, clientOf, putAll, startEtcd, stateOfEtcd, stateOfKelp } from './support.ts';

/** An import in a process of its own. */
function importing(address: string, endpoint: string, ...args: readonly string[]): KelpProcess {
  return new KelpProcess(['import', '--address', address, '--from-etcd', endpoint, ...args]);
}

/** Ends it as one does at a terminal. @returns the revision of etcd that it says is in. */
async function stopped(process: KelpProcess): Promise<number> {
  process.child.kill('SIGINT');
  const { code, stdout, stderr } = await process.ended;
  expect([code, stderr]).toEqual([0, stderr]);
  const [, revision] = /^revision (\d+) of etcd is all in/m.exec(stdout) ?? [];
  return Number(revision);
}

/** Waits until a key has a value here, such as the one that was put last there. */
async function untilHere(client: KelpClient, key: string, value: string): Promise<void> {
  for await (const message of client.watch({ ranges: [{ key }], includeCurrent: true })) {
    if (message.kind !== 'current' && message.kind !== 'events') continue;
    const entries =
      message.kind === 'current'
        ? message.entries
        : message.events.map((event) => ('entry' in event ? event.entry : undefined));
    if (entries.some((entry) => entry?.text() === value)) return;
  }
}

async function put({ kv }: EtcdClient, key: string, value: string): Promise<number> {
  const { header } = await kv.put({ key: bytes(key), value: bytes(value) });
  return Number(header?.revision);
}

test.runIf(hasRealEtcd)('every revision here holds whole transactions of etcd, in their order', async () => {
  const { endpoint, calls } = await startEtcd();
  const accounts = Array.from({ length: 10 }, (_, index) => `account/${index}`);
  await putAll(
    calls,
    accounts.map((key) => [bytes(key), bytes('100')] as const),
  );
  await putAll(
    calls,
    Array.from({ length: 5000 }, (_, index) => [bytes(`other/${index}`), bytes('x')] as const),
  );
  const server = await startTestServer();
  const client = clientOf(server.address);
  const balances = new Map(accounts.map((key) => [key, 100]));
  let number = 0;
  /** Takes from one account and gives to another, and deletes or puts a key beside them. */
  const transfer = async (): Promise<void> => {
    const [from = '', to = ''] = [accounts[number % 10], accounts[(number * 7 + 3) % 10]];
    if (from === to) return void number++;
    const name = `transfer/${number % 50}`;
    const amount = (number++ % 5) + 1;
    const [less, more] = [(balances.get(from) ?? 0) - amount, (balances.get(to) ?? 0) + amount];
    balances.set(from, less).set(to, more);
    const putOf = (key: string, value: string) =>
      ({ request: { case: 'requestPut', value: { key: bytes(key), value: bytes(value) } } }) as const;
    const deleted = { request: { case: 'requestDeleteRange', value: { key: bytes(name) } } } as const;
    await calls.kv.txn({
      success: [
        putOf(from, String(less)),
        putOf(to, String(more)),
        number % 3 === 0 ? deleted : putOf(name, `${number}`),
        putOf('number', String(number)),
      ],
    });
  };
  for (let index = 0; index < 20; index++) await transfer();
  const process = importing(server.address, endpoint);
  const sums: number[] = [];
  const numbers: number[] = [];
  const here = new Map<string, number>();
  const checking = (async () => {
    for await (const message of client.watch({ startRevision: 1 })) {
      if (message.kind !== 'events') continue;
      for (const event of message.events) {
        if (event.type !== 'put') continue;
        if (event.entry.key.startsWith('account/')) here.set(event.entry.key, Number(event.entry.text()));
        if (event.entry.key === 'number') numbers.push(Number(event.entry.text()));
        if (event.entry.key === 'end') return;
      }
      if (here.size === 10) sums.push([...here.values()].reduce((sum, each) => sum + each, 0));
    }
  })();
  // Both while it copies and while it follows.
  while (!process.stdout.includes('keys written')) await transfer();
  for (let index = 0; index < 1000; index++) await transfer();
  const last = await put(calls, 'end', 'x');
  await checking;
  expect(new Set(sums)).toEqual(new Set([1000]));
  // Nothing comes twice or before what came earlier.
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  expect(numbers.length).toBeGreaterThan(500);
  expect(await stopped(process)).toBe(last);
  expect(await stateOfKelp(client)).toEqual(await stateOfEtcd(calls));
});

test.runIf(hasRealEtcd)('a restart of etcd is waited for, and so is one of the server', async () => {
  const { etcd, endpoint, calls } = await startEtcd();
  await put(calls, 'a', '1');
  const dataDir = await temporaryDirectory();
  const serving = new KelpProcess(['serve', '--data-dir', dataDir, '--listen', '127.0.0.1:0']);
  const address = await serving.ready();
  const process = importing(address, endpoint);
  const client = clientOf(address);
  await put(calls, 'a', '2');
  await untilHere(client, 'a', '2');

  await etcd.kill();
  await process.until(() => process.stderr.includes('trying again'));
  await etcd.startAgain();
  await put(calls, 'a', '3');
  await untilHere(client, 'a', '3');
  expect(process.stderr).toContain('etcd is there again');

  serving.child.kill('SIGKILL');
  await serving.ended;
  for (let index = 0; index < 100; index++) await put(calls, `while/${index}`, 'x');
  const last = await put(calls, 'a', '4');
  // The connection that breaks is that to the server now.
  await process.until(() => process.stderr.split('trying again').length > 2);
  const again = new KelpProcess(['serve', '--data-dir', dataDir, '--listen', address]);
  await again.ready();
  const client2 = clientOf(address);
  await untilHere(client2, 'a', '4');
  expect(await stopped(process)).toBe(last);
  expect(await stateOfKelp(client2)).toEqual(await stateOfEtcd(calls));
});

test.runIf(hasRealEtcd)('goes on from the revision that it named, unless etcd has compacted it', async () => {
  const { endpoint, calls } = await startEtcd();
  await putAll(
    calls,
    Array.from({ length: 300 }, (_, index) => [bytes(`key/${index}`), bytes('x')] as const),
  );
  const server = await startTestServer();
  const client = clientOf(server.address);
  const first = importing(server.address, endpoint);
  await first.until(() => first.stdout.includes('300 keys written'));
  const revision = await stopped(first);
  expect(first.stderr).toContain(
    `to go on: kelp import --from-etcd ${endpoint} --from-revision ${revision + 1}`,
  );

  await calls.kv.deleteRange({ key: bytes('key/1'), rangeEnd: bytes('key/2') });
  const last = await put(calls, 'a', 'later');
  const second = importing(server.address, endpoint, '--from-revision', String(revision + 1), '--json');
  await untilHere(client, 'a', 'later');
  second.child.kill('SIGTERM');
  const { code, stdout } = await second.ended;
  expect(code).toBe(0);
  expect(jsonLines(stdout).at(-1)).toMatchObject({
    kind: 'end',
    revision: last,
    changeCount: 112,
    revisionCount: 2,
  });
  expect(await stateOfKelp(client)).toEqual(await stateOfEtcd(calls));

  const future = await importing(server.address, endpoint, '--from-revision', String(last + 2)).ended;
  expect([future.code, future.stderr]).toEqual([2, expect.stringContaining(`not with ${last + 2}`)]);
  await put(calls, 'a', 'much later');
  await calls.kv.compact({ revision: BigInt(last + 1) });
  const third = await importing(server.address, endpoint, '--from-revision', String(last)).ended;
  expect(third.code).toBe(4);
  expect(third.stderr).toMatch(/^kelp: etcd has compacted what is to be read next: .*copy it anew/);
});

test.runIf(hasRealEtcd)(
  'a deletion of more keys than a transaction has operations is one revision here',
  async () => {
    const { endpoint, calls } = await startEtcd();
    const entries = Array.from(
      { length: 12_000 },
      (_, index) => [bytes(`many/${index}`), bytes('x')] as const,
    );
    await putAll(calls, [...entries, [bytes('before'), bytes('x')], [bytes('nearly'), bytes('x')]]);
    const server = await startTestServer();
    const client = clientOf(server.address);
    // A key that etcd has not, among those that are deleted.
    await client.put('many/5000/mine', 'x');
    const process = importing(server.address, endpoint);
    await process.until(() => process.stdout.includes('12002 keys written'));
    const { revision } = await client.get('before');
    const deletions: number[] = [];
    const watching = (async () => {
      for await (const message of client.watch({ startRevision: revision + 1 })) {
        if (message.kind === 'events') deletions.push(message.events.length);
        if (message.kind === 'events' && message.events.some((event) => event.type === 'put')) return;
      }
    })();
    await calls.kv.deleteRange({ key: bytes('many/'), rangeEnd: bytes('many0') });
    const last = await put(calls, 'end', 'x');
    await watching;
    expect([deletions[0], await stopped(process)]).toEqual([expect.any(Number), last]);
    expect(deletions[0]).toBeGreaterThanOrEqual(12_000);
    expect([...(await stateOfKelp(client)).keys()]).toEqual(['before', 'end', 'many/5000/mine', 'nearly']);
  },
);

test.runIf(hasRealEtcd)('keys of a lease go when it ends in etcd, all in one revision', async () => {
  const { endpoint, calls } = await startEtcd();
  const { ID: lease } = await calls.lease.leaseGrant({ TTL: 600n });
  for (const key of ['l/1', 'l/2', 'l/3']) await calls.kv.put({ key: bytes(key), value: bytes('x'), lease });
  const server = await startTestServer();
  const client = clientOf(server.address);
  const process = importing(server.address, endpoint);
  await process.until(() => process.stdout.includes('3 keys written'));
  await calls.kv.put({ key: bytes('l/4'), value: bytes('x'), lease });
  await untilHere(client, 'l/4', 'x');
  const { entry } = await client.get('l/4');
  expect(entry?.expireTimeMs).toBeGreaterThan(Date.now());
  await calls.kv.put({ key: bytes('l/1'), value: bytes('free') });
  await untilHere(client, 'l/1', 'free');
  expect((await client.get('l/1')).entry?.expireTimeMs).toBe(0);
  const { revision } = await client.get('l/1');
  await calls.lease.leaseRevoke({ ID: lease });
  for await (const message of client.watch({ startRevision: revision + 1 })) {
    if (message.kind !== 'events') continue;
    expect(message.events.map((event) => [event.type, 'key' in event ? event.key : ''])).toEqual([
      ['delete', 'l/2'],
      ['delete', 'l/3'],
      ['delete', 'l/4'],
    ]);
    break;
  }
  await stopped(process);
});

test.runIf(hasRealEtcd)('a copy that is broken off by a signal says that it is not whole', async () => {
  const { endpoint, calls } = await startEtcd();
  await putAll(
    calls,
    Array.from({ length: 20_000 }, (_, index) => [bytes(`key/${index}`), Buffer.alloc(200)] as const),
  );
  const server = await startTestServer();
  const client = clientOf(server.address);
  const process = importing(server.address, endpoint);
  await untilHere(client, 'key/0', Buffer.alloc(200).toString());
  process.child.kill('SIGTERM');
  const { code, stdout, stderr } = await process.ended;
  // It may have been done by then.
  if (code === 0) expect(stdout).toMatch(/is all in/);
  else {
    expect([code, stderr]).toEqual([
      143,
      expect.stringMatching(
        /^kelp: interrupted by SIGTERM; the copy is not whole, \d+ keys of it are written; begin again/m,
      ),
    ]);
  }
});

test.runIf(hasRealEtcd)('a store without a server follows, too', async () => {
  const { endpoint, calls } = await startEtcd();
  const { ID: lease } = await calls.lease.leaseGrant({ TTL: 600n });
  await calls.kv.put({ key: bytes('leased'), value: bytes('x'), lease });
  const dataDir = await temporaryDirectory();
  const process = new KelpProcess(['import', '--data-dir', dataDir, '--from-etcd', endpoint, '--json']);
  await process.until(() => process.stdout.includes('"copied"'));
  const last = await put(calls, 'a', 'later');
  // The first state comes before it, and another one only after ten seconds.
  await process.until(() => process.stdout.includes(`"revision":${last},`));
  process.child.kill('SIGINT');
  const { code, stdout } = await process.ended;
  expect(code).toBe(0);
  expect(jsonLines(stdout).at(-1)).toMatchObject({
    kind: 'end',
    revision: last,
    etcdRevision: last,
    changeCount: 1,
  });
  const store = await openStore({ dataDir });
  expect((await store.get('a')).entry?.value).toEqual(new Uint8Array(Buffer.from('later')));
  expect((await store.get('leased')).entry?.expireTimeMs).toBeGreaterThan(Date.now());
  await store.close();
});

test('one KelpDB follows another by its etcd door', async () => {
  const from = await startTestServer();
  const to = await startTestServer();
  const [source, target] = [clientOf(from.address), clientOf(to.address)];
  for (let index = 0; index < 500; index++) void source.put(`key/${index}`, String(index));
  await source.put('a', '1');
  const process = importing(to.address, from.address);
  await process.until(() => process.stdout.includes('keys written'));
  await source.txn({
    success: [
      { kind: 'put', key: 'b', value: '2' },
      { kind: 'delete', key: 'key/7' },
    ],
  });
  const { revision } = await source.put('c', '3', { ttlMs: 1_000_000 });
  await untilHere(target, 'c', '3');
  // What etcd calls a revision is one more.
  expect(await stopped(process)).toBe(revision + 1);
  expect(await stateOfKelp(target)).toEqual(await stateOfKelp(source));
});
