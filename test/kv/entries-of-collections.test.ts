/** What calls of plain keys see of one that holds a collection: that it is there, what it is, and never its metadata. */
import { expect, test } from 'vitest';
import { kinds } from '../../src/store/collections/kinds.ts';
import type { KvStore } from '../../src/kv/kv-store.ts';
import { opened } from '../access/opened.ts';

const METADATA = Uint8Array.of(0, 1, 0x61, 1, 0x62);
const NOTHING = new Uint8Array(0);

async function withHash(): Promise<KvStore> {
  const { store } = await opened();
  await store.transact((view) => view.put(Buffer.from('h'), METADATA, { kind: kinds.hash }));
  return store;
}

test('a read gives its type and no value', async () => {
  const store = await withHash();
  await store.put('p', 'plain');
  const { entry } = await store.get('h');
  expect(entry).toMatchObject({ key: 'h', value: NOTHING, type: 'hash', version: 1 });
  expect((await store.get('p')).entry).not.toHaveProperty('type');
  const { entries } = await store.scan({});
  expect(entries.map(({ key, type, value }) => [key, type, value.length])).toEqual([
    ['h', 'hash', 0],
    ['p', undefined, 5],
  ]);
});

test('a watch gives its type and no value, of what is there and of what comes', async () => {
  const store = await withHash();
  const told: unknown[] = [];
  for await (const message of store.watch({ includeCurrent: true })) {
    if (message.kind === 'current')
      told.push(...message.entries.map(({ type, value }) => [type, value.length]));
    if (message.kind === 'synced')
      await store.transact((view) => view.put(Buffer.from('s'), METADATA, { kind: kinds.set }));
    if (message.kind !== 'events') continue;
    for (const event of message.events)
      if (event.type === 'put') told.push([event.entry.type, event.entry.value.length]);
    break;
  }
  expect(told).toEqual([
    ['hash', 0],
    ['set', 0],
  ]);
});

test('an increment is refused, and changes nothing', async () => {
  const store = await withHash();
  await expect(store.increment('h', 1)).rejects.toMatchObject({ code: 'wrongType' });
  expect((await store.get('h')).entry?.version).toBe(1);
});

test('its value is unequal to every value, its metadata included', async () => {
  const store = await withHash();
  const compare = async (relation: 'equal' | 'notEqual' | 'greater'): Promise<boolean> => {
    const operand = { kind: 'value', value: METADATA } as const;
    return (await store.txn({ compares: [{ subject: { key: 'h' }, relation, operand }] })).succeeded;
  };
  expect(await compare('equal')).toBe(false);
  expect(await compare('notEqual')).toBe(true);
  expect(await compare('greater')).toBe(false);
});

test('a put takes its place, and a delete takes it away', async () => {
  const store = await withHash();
  await store.put('h', 'plain');
  expect((await store.get('h')).entry).toMatchObject({
    value: Uint8Array.from(Buffer.from('plain')),
    version: 2,
  });
  expect((await store.delete('h')).deleted).toBe(true);
});
