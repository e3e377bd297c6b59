/** Folders of keys, and the calls that finding them takes. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Range, bytesOf } from '../../src/console/bytes/key-name.ts';
import { type Folder, KeyTree, type TreeReads } from '../../src/console/keys/key-tree.ts';
import { RangedKeys } from '../../src/console/keys/ranged-keys.ts';

/** A store of keys that counts what it is asked. */
class Keys implements TreeReads {
  callCount = 0;
  readonly #keys: readonly string[];

  constructor(keys: readonly string[]) {
    this.#keys = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  within({ start, end }: Range): string[] {
    return this.#keys.filter((key) => {
      const bytes = Buffer.from(key);
      return Buffer.compare(bytes, start) >= 0 && (end.length === 0 || Buffer.compare(bytes, end) < 0);
    });
  }

  scan(range: Range, limit: number): ReturnType<TreeReads['scan']> {
    this.callCount++;
    const found = this.within(range);
    const rows = found.slice(0, limit).map((key) => ({ key, type: undefined }));
    return Promise.resolve({ rows, isLast: found.length <= limit });
  }

  count(range: Range): Promise<bigint> {
    return Promise.resolve(BigInt(this.within(range).length));
  }
}

async function openAll(tree: KeyTree, folder: Folder): Promise<string[]> {
  await tree.open(folder);
  while (folder.next !== undefined) await tree.readMore(folder);
  const keys: string[] = [];
  for (const child of folder.children ?? []) {
    if (child.kind === 'key') keys.push(String(child.key));
    else keys.push(...(await openAll(tree, child)));
  }
  return keys;
}

test('unfolded, a tree has every key once', async () => {
  const key = fc
    .array(fc.constantFrom('a', 'b', '/', '::', 'ü'), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(key), fc.constantFrom('/', '::', 'ü'), async (names, separator) => {
      const keys = new Keys(names);
      const tree = new KeyTree('', separator, keys);
      const found = await openAll(tree, tree.root);
      expect(found.toSorted()).toEqual(names.toSorted());
      expect(new Set(found).size).toBe(found.length);
    }),
  );
});

test('a folder costs one short read, however many keys it has', async () => {
  const names = ['a', 'b', 'c'].flatMap((folder) =>
    Array.from({ length: 5000 }, (_, index) => `${folder}/${index}`),
  );
  const keys = new Keys(names);
  const tree = new KeyTree('', '/', keys);
  await tree.open(tree.root);
  expect(tree.rows.value.map((row) => row.kind === 'folder' && row.label)).toEqual(['a/', 'b/', 'c/']);
  expect(keys.callCount).toBeLessThanOrEqual(4);
});

test('a prefix that ends within a name shows the whole name', async () => {
  const tree = new KeyTree('config/th', '/', new Keys(['config/theme/a', 'config/three', 'other']));
  await tree.open(tree.root);
  expect(tree.rows.value.map((row) => row.kind !== 'more' && row.label)).toEqual(['theme/', 'three']);
});

test('a list goes both ways over more keys than it keeps, in order and without a gap', async () => {
  const names = Array.from({ length: 100 }, (_, index) => `k${String(index).padStart(3, '0')}`);
  const keys = new Keys(names);
  const range = { start: bytesOf('k'), end: bytesOf('l') };
  const list = new RangedKeys(
    range,
    (range, isReverse) => {
      const found = keys.within(range);
      const ordered = isReverse ? found.toReversed() : found;
      return Promise.resolve({
        rows: ordered.slice(0, 10).map((key) => ({ key, type: undefined })),
        isLast: ordered.length <= 10,
      });
    },
    30,
  );
  const shown = (): unknown[] => list.rows.value.map(({ key }) => key);
  await list.show('first');
  for (let page = 0; page < 20; page++) await list.readAfter();
  expect(shown()).toEqual(names.slice(70));
  expect([list.shift.value, list.hasMore.value]).toEqual([70, false]);
  for (let page = 0; page < 3; page++) await list.readBefore();
  expect(shown()).toEqual(names.slice(40, 70));
  expect([list.shift.value, list.hasMore.value]).toEqual([40, true]);
  await list.readAfter();
  expect(shown()).toEqual(names.slice(50, 80));
  await list.show('last');
  expect(shown()).toEqual(names.slice(90));
  for (let page = 0; page < 20; page++) await list.readBefore();
  expect(shown()).toEqual(names.slice(0, 30));
});
