/** Keys that are not UTF-8 from the client through the server to the store and back, by every call that has a key. */
import { expect, test } from 'vitest';
import type { Key, KeyRange } from '../../src/api.ts';
import { keyOf } from '../../src/arguments/key.ts';
import { type KelpClient, createClient } from '../../src/client/client.ts';
import type { WatchMessage } from '../../src/client/messages/types.ts';
import { startTestServer } from '../support/test-server.ts';

const bytes = (...each: number[]): Uint8Array => Uint8Array.from(each);

/** In the order of their bytes. */
const keys: readonly Key[] = [
  bytes(0x00, 0xff),
  'a',
  bytes(0x61, 0xc3),
  'aé',
  'b',
  bytes(0x80),
  'é',
  bytes(0xc3, 0xff),
  '\ufffd',
  bytes(0xf8),
  bytes(0xff),
  bytes(0xff, 0xff),
];
const FF = bytes(0xff);

async function openClient(): Promise<KelpClient> {
  const { url } = await startTestServer();
  return createClient({ address: url });
}

async function filledClient(): Promise<KelpClient> {
  const client = await openClient();
  for (const key of keys.toReversed()) await client.put(key, 'x');
  return client;
}

const keysIn = async (client: KelpClient, range: KeyRange): Promise<Key[]> =>
  (await client.scan(range, { keysOnly: true }).toArray()).map(keyOf);

test('every call with one key takes them, and names them in its entry', async () => {
  await using client = await openClient();
  expect(await client.put(FF, '1', { ttlMs: 60_000 })).toMatchObject({ revision: 1 });
  const named = { key: '', keyBytes: FF };
  expect((await client.get(FF)).entry).toMatchObject({ ...named, version: 1 });
  expect((await client.get(FF, { refreshTtl: true })).entry).toMatchObject(named);
  expect((await client.touch(FF)).entry).toMatchObject(named);
  expect(await client.increment(FF, 4)).toMatchObject({ value: 5n });
  expect((await client.put(FF, '2', { returnPrevious: true })).previous).toMatchObject(named);
  expect(await client.exists(['a', FF, 'b', bytes(0xfe), FF])).toMatchObject({
    exists: [false, true, false, false, true],
  });
  expect((await client.delete(FF, { returnPrevious: true })).previous).toMatchObject(named);
  expect((await client.get(FF)).entry).toBeUndefined();
});

test('bytes that are UTF-8 name the same key as their text', async () => {
  await using client = await openClient();
  await client.put(Buffer.from('é'), '1');
  const { entry } = await client.get('é');
  expect(entry).toMatchObject({ key: 'é', version: 1 });
  expect(entry).not.toHaveProperty('keyBytes');
  await client.put('é', '2');
  expect((await client.get(Buffer.from('é'))).entry).toMatchObject({ key: 'é', version: 2 });
  expect(await client.keys().toArray()).toEqual(['é']);
});

test('keys of both kinds lie in the order of their bytes, page by page, and each can be handed back', async () => {
  await using client = await filledClient();
  expect(await keysIn(client, {})).toEqual(keys);
  const reversed = await client.scan({}, { reverse: true, pageSize: 3 }).toArray();
  expect(reversed.map(keyOf)).toEqual(keys.toReversed());
  expect(await client.keys('*', { pageSize: 5 }).toArray()).toEqual(keys);
  expect((await client.exists(await client.keys().toArray())).exists).toEqual(keys.map(() => true));
  for await (const key of client.keys()) expect(await client.delete(key)).toMatchObject({ deleted: true });
  expect(await client.count()).toMatchObject({ count: 0 });
});

test('a glob takes the bytes of a key that is not UTF-8 for its characters', async () => {
  await using client = await filledClient();
  expect(await client.keys('a*').toArray()).toEqual(['a', bytes(0x61, 0xc3), 'aé']);
  expect(await client.keys('a?').toArray()).toEqual([bytes(0x61, 0xc3), 'aé']);
});

test.each<[KeyRange, readonly Key[]]>([
  [{ prefix: bytes(0xff) }, keys.slice(10)],
  // A character that is cut.
  [{ prefix: bytes(0xc3) }, keys.slice(6, 8)],
  [{ start: bytes(0x80), end: bytes(0xf8) }, keys.slice(5, 9)],
  [{ start: 'b', end: bytes(0xc3, 0xff) }, keys.slice(4, 7)],
  [{ end: bytes(0x61, 0xc3) }, keys.slice(0, 2)],
  [{ start: bytes(0xff) }, keys.slice(10)],
  [{ key: bytes(0xff) }, keys.slice(10, 11)],
])('the range %j is read, counted and deleted', async (range, within) => {
  await using client = await filledClient();
  expect(await keysIn(client, range)).toEqual(within);
  expect(await client.count(range)).toMatchObject({ count: within.length });
  expect(await client.deleteRange(range)).toMatchObject({ deletedCount: within.length });
  expect(await keysIn(client, {})).toEqual(keys.filter((key) => !within.includes(key)));
});

test('a transaction compares and changes them', async () => {
  await using client = await openClient();
  await client.put(FF, '1');
  const { succeeded, results } = await client.txn({
    compares: [
      { subject: { key: FF }, relation: 'equal', operand: { kind: 'value', value: '1' } },
      { subject: { range: { prefix: FF } }, relation: 'equal', operand: { kind: 'exists', value: true } },
    ],
    success: [
      { kind: 'get', key: FF },
      { kind: 'put', key: FF, value: '2', returnPrevious: true },
      { kind: 'increment', key: bytes(0xfe), delta: 3 },
      { kind: 'delete', key: bytes(0xfd), returnPrevious: true },
      { kind: 'deleteRange', range: { prefix: bytes(0xfc) } },
    ],
  });
  expect(succeeded).toBe(true);
  expect(results).toMatchObject([
    { entry: { key: '', keyBytes: FF } },
    { previous: { key: '', keyBytes: FF } },
    { value: 3n },
    { deleted: false },
    { deletedCount: 0 },
  ]);
  expect((await client.get(bytes(0xfe))).entry?.text()).toBe('3');
});

test('a lease lists them in the order of its keys', async () => {
  await using client = await openClient();
  const lease = await client.leases.grant(60_000);
  for (const key of keys) await client.put(key, '1', { leaseId: lease.id });
  expect((await client.leases.get(lease.id, { includeKeys: true })).keys).toEqual(keys);
});

test('a watch by key or prefix tells of them, live, from the log and at the beginning', async () => {
  await using client = await openClient();
  await client.put('\ufffd', '0');
  await client.put(FF, '1');
  await client.put('other', '1');
  await client.delete(FF);
  await client.put(bytes(0xc3, 0xa8), '1');
  const expected = [
    { type: 'put', entry: { key: '', keyBytes: FF } },
    { type: 'delete', key: '', keyBytes: FF, previous: { key: '', keyBytes: FF } },
    // By bytes that cut a character.
    { type: 'put', entry: { key: 'è' } },
    { type: 'put', entry: { key: '', keyBytes: FF }, previous: undefined },
  ];
  const watch = client.watch({
    ranges: [{ key: FF }, { prefix: bytes(0xc3) }],
    startRevision: 2,
    returnPrevious: true,
  });
  const events: unknown[] = [];
  for await (const message of watch) {
    if (message.kind === 'synced') await client.put(FF, '2');
    if (message.kind === 'events') events.push(...message.events);
    if (events.length === expected.length) break;
  }
  expect(events).toMatchObject(expected);
  const current: WatchMessage[] = [];
  for await (const message of client.watch({ ranges: [{ start: bytes(0xfe) }], includeCurrent: true })) {
    if (message.kind === 'synced') break;
    current.push(message);
  }
  expect(current).toMatchObject([{ kind: 'current', entries: [{ key: '', keyBytes: FF }] }]);
});

test('bytes of a key may be used again as soon as the call has returned its promise', async () => {
  await using client = await openClient();
  const buffer = bytes(0xff, 1);
  const written = client.put(buffer, '1');
  buffer.fill(0);
  await written;
  expect(await client.keys().toArray()).toEqual([bytes(0xff, 1)]);
});

test('a key has 1 to 4096 bytes, whatever they are', async () => {
  await using client = await openClient();
  await client.put(new Uint8Array(4096).fill(0xff), '1');
  await expect(client.put(new Uint8Array(4097).fill(0xff), '1')).rejects.toMatchObject({
    code: 'invalidArgument',
    message: expect.stringMatching(/4097 bytes long; at most 4096/) as string,
  });
  await expect(client.put(bytes(), '1')).rejects.toMatchObject({ code: 'invalidArgument' });
  await expect(client.exists([bytes()])).rejects.toMatchObject({ code: 'invalidArgument' });
});
