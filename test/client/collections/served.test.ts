/** The calls on data types against a server: what differs from a scripted one, such as pages, old revisions and times to live. */
import { expect, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/index.ts';
import { startTestServer } from '../../support/test-server.ts';

async function connected(): Promise<KelpClient> {
  const { address } = await startTestServer();
  return createClient({ address });
}

const names = Array.from({ length: 2500 }, (_, place) => `name-${String(place).padStart(4, '0')}`);

test('scans give each element once over several pages, all as of their first revision', async () => {
  await using client = await connected();
  await client.hash.set(
    'h',
    names.map((name) => [name, 'v'] as const),
  );
  await client.set.add('s', names);
  await client.sortedSet.add(
    'z',
    names.map((name, place) => [name, place] as const),
  );
  await client.list.push('l', names);
  const fields: string[] = [];
  for await (const { items } of client.hash.scan('h', { pageSize: 300 }).pages()) {
    if (fields.length === 0) await client.delete('h');
    fields.push(...items.map(({ name }) => name.text()));
  }
  expect(fields.toSorted()).toEqual(names);
  const members = await client.set.scan('s', { pageSize: 700 }).toArray();
  expect(members.map(String).toSorted()).toEqual(names);
  const scored = await client.sortedSet
    .range('z', { rank: { start: 10, stop: -11 } }, { pageSize: 400 })
    .toArray();
  expect(scored.map(({ member }) => member.text())).toEqual(names.slice(10, -10));
  const reversed = await client.sortedSet
    .range('z', { score: { max: 99 } }, { reverse: true, pageSize: 30 })
    .toArray();
  expect(reversed.map(({ score }) => score)).toEqual(Array.from({ length: 100 }, (_, place) => 99 - place));
  const elements = await client.list.scan('l', { start: -2000, pageSize: 999 }).toArray();
  expect(elements.map(String)).toEqual(names.slice(500));
  expect((await client.list.range('l')).elements.map(String)).toEqual(names);
});

test('an old revision shows what there was', async () => {
  await using client = await connected();
  const { revision } = await client.hash.set('h', { a: '1' });
  await client.hash.set('h', { a: '2', b: '3' });
  const { fields, count } = await client.hash.get('h', { revision });
  expect([fields.toObject(), count]).toEqual([{ a: '1' }, 1]);
  expect((await client.hash.get('h')).fields.toObject()).toEqual({ a: '2', b: '3' });
  await expect(client.hash.get('h', { revision: 99 })).rejects.toMatchObject({ code: 'revisionFuture' });
});

test('a time to live is that of the call that creates the key, and is refreshed by reads that ask for it', async () => {
  await using client = await connected();
  await client.set.add('s', ['a'], { ttlMs: 60_000 });
  const { entry } = await client.get('s');
  expect([entry?.type, entry?.expireTimeMs === 0]).toEqual(['set', false]);
  const { contained } = await client.set.contains('s', ['a'], { refreshTtl: true });
  expect(contained).toEqual([true]);
  const { entry: refreshed } = await client.get('s');
  expect(refreshed?.expireTimeMs).toBeGreaterThanOrEqual(entry?.expireTimeMs ?? Infinity);
});

test('bytes that are no text go in and come out as they are', async () => {
  await using client = await connected();
  const binary = Uint8Array.of(0xff, 0x00, 0xfe);
  await client.hash.set(binary, new Map([[binary, binary]]));
  expect((await client.hash.get(binary)).fields.get(binary)?.bytes).toEqual(binary);
  await client.sortedSet.add('z', [[binary, -Infinity]]);
  const [first] = await client.sortedSet.range('z').toArray();
  expect([first?.member.bytes, first?.score]).toEqual([binary, -Infinity]);
});

test('what can go wrong has codes of its own', async () => {
  await using client = await connected();
  await client.put('plain', 'text');
  await client.hash.set('h', { text: 'x', max: String(2n ** 63n - 1n) });
  await client.list.push('l', ['a']);
  await client.sketch.bloomAdd('b', ['a']);
  for (const [call, code] of [
    [client.hash.get('plain'), 'wrongType'],
    [client.list.push('h', ['a']), 'wrongType'],
    [client.hash.increment('h', 'text'), 'notAnInteger'],
    [client.hash.increment('h', 'max'), 'integerOverflow'],
    [client.hash.incrementFloat('h', 'text', 1), 'notAFloat'],
    [client.list.set('l', 5, 'x'), 'indexOutOfRange'],
    [client.list.set('none', 0, 'x'), 'keyNotFound'],
    [client.sketch.bloomCreate('h'), 'wrongType'],
    [client.sketch.bloomCreate('b'), 'conditionFailed'],
  ] as const) {
    await expect(call, code).rejects.toMatchObject({ code, mayHaveTakenEffect: false });
  }
});
