/** What is a key, what is a range, and in which order keys come. */
import { expect, it } from 'vitest';
import { allPairs, bytes, plain, refused, valueOf } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';

const LONE_SURROGATES = ['\ud800', 'a\udc00', '\udc00\ud800'];

export function testKeys(open: OpenHarness): void {
  it('takes keys of 1 byte to 4 KiB', async () => {
    const { store } = await open();
    for (const key of ['a', '\0', 'k'.repeat(4096), 'é'.repeat(2048), '\u{1f40b}'.repeat(1024)]) {
      await store.put(key, 'v');
      expect(await valueOf(store, key)).toBe('v');
      expect(await store.exists([key])).toMatchObject({ exists: [true] });
    }
    expect(await allPairs(store)).toHaveLength(5);
  });

  it('refuses keys that are empty, too long or no Unicode text, in every call', async () => {
    const { store } = await open();
    for (const key of ['', 'k'.repeat(4097), 'é'.repeat(2049), ...LONE_SURROGATES]) {
      await refused(store.get(key), 'invalidArgument');
      await refused(store.get(key, { refreshTtl: true }), 'invalidArgument');
      await refused(store.put(key, 'v'), 'invalidArgument');
      await refused(store.delete(key), 'invalidArgument');
      await refused(store.exists(['a', key]), 'invalidArgument');
      await refused(store.increment(key, 1n), 'invalidArgument');
      await refused(store.touch(key), 'invalidArgument');
      await refused(store.txn({ success: [{ kind: 'get', key }] }), 'invalidArgument');
      await refused(store.txn({ failure: [{ kind: 'put', key, value: 'v' }] }), 'invalidArgument');
    }
    expect(await store.status()).toMatchObject({ revision: 0, keyCount: 0 });
  });

  it('refuses ranges whose bounds are too long or no Unicode text', async () => {
    const { store } = await open();
    for (const bound of ['k'.repeat(4097), 'é'.repeat(2049), ...LONE_SURROGATES]) {
      for (const range of [{ prefix: bound }, { start: bound }, { end: bound }, { key: bound }]) {
        await refused(store.scan(range), 'invalidArgument');
        await refused(store.count(range), 'invalidArgument');
        await refused(store.deleteRange(range), 'invalidArgument');
      }
    }
  });

  it('refuses ranges that contradict themselves', async () => {
    const { store } = await open();
    const ranges = [
      { key: 'a', prefix: 'a' },
      { key: 'a', start: 'a' },
      { key: 'a', end: 'b' },
      { prefix: 'a', start: 'a' },
      { prefix: 'a', end: 'b' },
      { start: 'b', end: 'a' },
      { start: 'a', end: 'a' },
    ];
    for (const range of ranges) {
      await refused(store.scan(range), 'invalidArgument');
      await refused(store.count(range), 'invalidArgument');
      await refused(store.deleteRange(range), 'invalidArgument');
      await refused(store.txn({ success: [{ kind: 'deleteRange', range }] }), 'invalidArgument');
    }
  });

  it('takes an empty text in a range as left out', async () => {
    const { store } = await open();
    await store.put('a', '1');
    await store.put('b', '2');
    const all = ['a=1', 'b=2'];
    expect(await allPairs(store, {})).toEqual(all);
    expect(await allPairs(store, { key: '', prefix: '', start: '', end: '' })).toEqual(all);
    expect(await allPairs(store, { key: '', start: 'b', end: '' })).toEqual(['b=2']);
    expect(await allPairs(store, { start: '', end: 'b' })).toEqual(['a=1']);
    expect(await allPairs(store, { key: 'b', prefix: '' })).toEqual(['b=2']);
  });

  it('orders keys by their UTF-8 bytes, not by their UTF-16 units', async () => {
    const { store } = await open();
    const keys = [
      '\0',
      '\0\0',
      'A',
      'a',
      'a\0',
      'a\x01',
      'aa',
      '~',
      '\x7f',
      'é',
      'ÿ',
      '\ud7ff',
      '\ue000',
      '\uffff',
    ];
    keys.push('\u{10000}', '\u{10ffff}', '\u{10ffff}a');
    for (const key of [...keys].reverse()) await store.put(key, '');
    const { entries } = await store.scan({});
    expect(entries.map(({ key }) => key)).toEqual(keys);
    const backwards = await store.scan({}, { reverse: true });
    expect(backwards.entries.map(({ key }) => key)).toEqual([...keys].reverse());
    expect((await store.keys('*')).keys).toEqual(keys);
    expect(await store.count({ start: '\uffff', end: '\u{10001}' })).toMatchObject({ count: 2 });
  });

  it('finds by prefix all keys that begin so, also where the last byte can not grow', async () => {
    const { store } = await open();
    const prefixes = ['a', '\x7f', 'ÿ', '\u07ff', '\uffff', '\u{3ffff}', '\u{10ffff}'];
    for (const prefix of prefixes) {
      await store.put(prefix, 'self');
      await store.put(`${prefix}\u{10ffff}\u{10ffff}`, 'below');
    }
    for (const prefix of prefixes) {
      expect(await allPairs(store, { prefix })).toEqual([
        `${prefix}=self`,
        `${prefix}\u{10ffff}\u{10ffff}=below`,
      ]);
      expect(await store.count({ prefix })).toMatchObject({ count: 2 });
    }
    expect((await store.deleteRange({ prefix: '\u{10ffff}' })).deletedCount).toBe(2);
    expect((await store.deleteRange({ prefix: 'ÿ' })).deletedCount).toBe(2);
    expect((await store.status()).keyCount).toBe(10);
  });

  it('ends a range before its end and begins it with its start', async () => {
    const { store } = await open();
    for (const key of ['a', 'b', 'b\0', 'c']) await store.put(key, '');
    const keysOf = async (range: object) => (await store.scan(range)).entries.map(({ key }) => key);
    expect(await keysOf({ start: 'b', end: 'c' })).toEqual(['b', 'b\0']);
    expect(await keysOf({ start: 'b', end: 'b\0' })).toEqual(['b']);
    expect(await keysOf({ key: 'b' })).toEqual(['b']);
    expect(await keysOf({ key: 'bb' })).toEqual([]);
    expect(await keysOf({ start: 'bb' })).toEqual(['c']);
    expect(await keysOf({ end: 'b' })).toEqual(['a']);
  });

  it('keeps values byte for byte, empty ones and texts too', async () => {
    const { store } = await open();
    const every = Uint8Array.from({ length: 256 }, (_, index) => index);
    await store.put('bytes', every);
    await store.put('none', new Uint8Array(0));
    await store.put('text', 'Grüße \u{1f40b}');
    expect([...((await store.get('bytes')).entry?.value ?? [])]).toEqual([...every]);
    expect(plain((await store.get('none')).entry)).toMatchObject({ value: '' });
    expect(await valueOf(store, 'text')).toBe('Grüße \u{1f40b}');
    const { entries } = await store.scan({});
    expect(entries.map(({ value }) => value.length)).toEqual([256, 0, bytes('Grüße \u{1f40b}').length]);
  });

  it('lets the caller reuse a value as soon as the call has returned', async () => {
    const { store } = await open();
    const buffer = Buffer.from('before');
    const array = bytes('before');
    const writes = [
      store.put('buffer', buffer),
      store.put('array', array),
      store.txn({
        success: [
          { kind: 'put', key: 'txn-buffer', value: buffer },
          { kind: 'put', key: 'txn-array', value: array },
        ],
      }),
    ];
    buffer.write('after!');
    array.fill(0);
    await Promise.all(writes);
    expect(await allPairs(store)).toEqual([
      'array=before',
      'buffer=before',
      'txn-array=before',
      'txn-buffer=before',
    ]);
  });

  it('shows a transaction what it has written itself as it was handed in', async () => {
    const { store } = await open();
    const buffer = Buffer.from('first');
    const transaction = store.txn({
      success: [
        { kind: 'put', key: 'k', value: buffer },
        { kind: 'get', key: 'k' },
        { kind: 'put', key: 'k', value: 'second', returnPrevious: true },
        { kind: 'put', key: 'k', value: buffer },
        { kind: 'delete', key: 'k', returnPrevious: true },
      ],
    });
    buffer.fill('z');
    const { results } = await transaction;
    const texts = results.map((result) => {
      const entry = 'entry' in result ? result.entry : 'previous' in result ? result.previous : undefined;
      return entry && plain(entry)?.value;
    });
    expect(texts).toEqual([undefined, 'first', 'first', undefined, 'first']);
  });

  it('says for each key whether it exists, in the order of the question', async () => {
    const { store } = await open();
    await store.put('a', '1');
    await store.put('b', '2');
    expect(await store.exists(['b', 'x', 'a', 'b'])).toEqual({
      exists: [true, false, true, true],
      revision: 2,
    });
    await refused(store.exists([]), 'invalidArgument');
    await refused(store.exists(Array.from({ length: 10_001 }, () => 'a')), 'invalidArgument');
    expect((await store.exists(Array.from({ length: 10_000 }, () => 'a'))).exists).toHaveLength(10_000);
  });
}
