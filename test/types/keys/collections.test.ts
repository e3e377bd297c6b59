/** What is done to keys of collections, whose elements lie under keys of their own. */
import { describe, expect, it } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import {
  elementKey,
  elementsOf,
  sweptKey,
  tags,
  type Tag,
} from '../../../src/store/collections/collection-keys.ts';
import type { View } from '../../../src/store/views/view.ts';
import { spreadMetadata } from '../../../src/types/collections/metadata.ts';
import { toDatabaseKey } from '../../../src/types/databases/database-keys.ts';
import { swapDatabases } from '../../../src/types/databases/swapping.ts';
import { copyKey } from '../../../src/types/keys/copying.ts';
import { encodingOf } from '../../../src/types/keys/encoding.ts';
import { refreshLifetime } from '../../../src/types/keys/expiry.ts';
import { memoryUsageOf } from '../../../src/types/keys/memory-usage.ts';
import { moveKey } from '../../../src/types/keys/moving.ts';
import { kinds, type Kind } from '../../../src/store/collections/kinds.ts';
import { SeamHarness } from '../../store/seam/seam-harness.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** A spread collection whose elements have these subs and values. */
function put(
  view: View,
  key: string,
  kind: Kind,
  tag: Tag,
  elements: readonly (readonly [string, string])[],
): number {
  const collectionId = view.newCollectionId();
  for (const [sub, value] of elements) view.put(elementKey(collectionId, tag, bytes(sub)), bytes(value));
  view.put(bytes(key), spreadMetadata(elements.length).value, { kind, collectionId, ttlMs: 60_000 });
  return collectionId;
}

function elements(view: View, id: number): string[] {
  const shown: string[] = [];
  view.scan(elementsOf(id), false, ({ key, value, expireTimeMs }) => {
    const text = `${Buffer.from(key).toString('latin1', 9)}=${Buffer.from(value).toString('latin1')}`;
    shown.push(expireTimeMs === 0 ? text : `${text} until ${expireTimeMs}`);
    return true;
  });
  return shown;
}

const numbered = (count: number): [string, string][] =>
  Array.from({ length: count }, (_, index) => [`field${index}`, `${index}`]);

describe('a copy', () => {
  it('has elements of its own, with their deadlines, and the deadline of the key', async () => {
    const { store, clock } = await SeamHarness.open();
    store.decide((view) => {
      const id = put(view, 'h', kinds.hash, tags.field, numbered(600));
      view.put(elementKey(id, tags.field, bytes('later')), bytes('v'), { ttlMs: 1000 });
    });
    clock.jump(500);
    store.decide((view) => {
      expect(copyKey(view, bytes('h'), bytes('copy'), false)).toBe(true);
      const from = view.read(bytes('h'));
      const to = view.read(bytes('copy'));
      expect(to?.collectionId).not.toBe(from?.collectionId);
      expect(to).toMatchObject({ kind: kinds.hash, expireTimeMs: from?.expireTimeMs, value: from?.value });
      expect(elements(view, to?.collectionId ?? 0)).toEqual(elements(view, from?.collectionId ?? 0));
      expect(elements(view, to?.collectionId ?? 0)).toHaveLength(601);
    });
  });

  it('takes the place of another key only when it is told to', async () => {
    const { store } = await SeamHarness.open();
    store.decide((view) => {
      put(view, 'h', kinds.hash, tags.field, [['a', '1']]);
      view.put(bytes('taken'), bytes('v'));
      expect(copyKey(view, bytes('h'), bytes('taken'), false)).toBe(false);
      expect(view.read(bytes('taken'))?.kind).toBe(kinds.plain);
      expect(copyKey(view, bytes('h'), bytes('taken'), true)).toBe(true);
      expect(view.read(bytes('taken'))?.kind).toBe(kinds.hash);
      expect(copyKey(view, bytes('none'), bytes('taken'), true)).toBe(false);
    });
  });

  it('of more elements than a transaction may write is refused, and nothing is changed', async () => {
    const { store } = await SeamHarness.open();
    const id = store.decide((view) => put(view, 'h', kinds.hash, tags.field, numbered(60_000))).result;
    store.decide((view) => {
      for (let index = 0; index < 60_000; index++)
        view.put(elementKey(id, tags.field, bytes(`more${index}`)), bytes('v'));
    });
    const { committedSequence } = store;
    expect(() => store.decide((view) => copyKey(view, bytes('h'), bytes('copy'), false))).toThrow(
      /looks at more than|changes more than/,
    );
    // It is refused before anything is copied, in the time that a count takes.
    const { result: idsTaken } = store.decide((view) => {
      const before = view.newCollectionId();
      expect(() => copyKey(view, bytes('h'), bytes('copy'), false)).toThrow(/looks at more than/);
      return view.newCollectionId() - before;
    });
    expect(idsTaken).toBe(1);
    expect(store.committedSequence).toBe(committedSequence);
  });
});

describe('a key that gets another name', () => {
  it('keeps its elements, and those of the key that gives way are swept', async () => {
    const { store } = await SeamHarness.open();
    const { result: ids } = store.decide((view) => {
      const moved = put(view, 'from', kinds.hash, tags.field, numbered(3));
      return { moved, gone: put(view, 'to', kinds.set, tags.member, numbered(3)) };
    });
    store.decide((view) => {
      expect(moveKey(view, bytes('from'), bytes('to'), false)).toBe('taken');
      expect(moveKey(view, bytes('from'), bytes('to'), true)).toBe('moved');
    });
    store.decide((view) => {
      expect(view.read(bytes('from'))).toBeUndefined();
      expect(view.read(bytes('to'))).toMatchObject({ kind: kinds.hash, collectionId: ids.moved });
      expect(elements(view, ids.moved)).toHaveLength(3);
      expect(view.readMeta(sweptKey(ids.gone))).toBeDefined();
      expect(view.readMeta(sweptKey(ids.moved))).toBeUndefined();
    });
  });
});

describe('databases that change places', () => {
  it('keep what their collections hold, with deadlines, and nothing is swept', async () => {
    const { store } = await SeamHarness.open();
    const inOther = toDatabaseKey(3, bytes('both'));
    const { result: ids } = store.decide((view) => {
      const first = put(view, 'both', kinds.hash, tags.field, [['a', '1']]);
      const second = put(view, 'moved', kinds.set, tags.member, [['b', '']]);
      moveKey(view, bytes('moved'), inOther, false);
      view.put(bytes('alone'), bytes('value'));
      return { first, second };
    });
    store.decide((view) => swapDatabases(view, 0, 3));
    store.decide((view) => {
      expect(view.read(bytes('both'))).toMatchObject({
        kind: kinds.set,
        collectionId: ids.second,
        ttlMs: 60_000,
      });
      expect(view.read(inOther)).toMatchObject({ kind: kinds.hash, collectionId: ids.first, ttlMs: 60_000 });
      expect(view.read(bytes('alone'))).toBeUndefined();
      expect(view.read(toDatabaseKey(3, bytes('alone')))?.value).toEqual(new Uint8Array(bytes('value')));
      expect(elements(view, ids.first)).toEqual(['fa=1']);
      expect(elements(view, ids.second)).toEqual(['mb=']);
      for (const id of Object.values(ids)) expect(view.readMeta(sweptKey(id))).toBeUndefined();
    });
  });
});

describe('the encoding of a collection', () => {
  const cases: [string, Kind, Tag, [string, string][], string][] = [
    ['a hash of few short fields', kinds.hash, tags.field, numbered(512), 'listpack'],
    ['a hash of many fields', kinds.hash, tags.field, numbered(513), 'hashtable'],
    ['a hash with a long field', kinds.hash, tags.field, [['x'.repeat(65), '']], 'hashtable'],
    ['a hash with a long value', kinds.hash, tags.field, [['a', 'x'.repeat(65)]], 'hashtable'],
    ['a set of integers', kinds.set, tags.member, numbered(512).map(([, n]) => [n, '']), 'intset'],
    ['a set of many integers', kinds.set, tags.member, numbered(513).map(([, n]) => [n, '']), 'hashtable'],
    [
      'a set of words',
      kinds.set,
      tags.member,
      [
        ['7', ''],
        ['seven', ''],
      ],
      'hashtable',
    ],
    ['a small sorted set', kinds.sortedSet, tags.member, numbered(128), 'listpack'],
    ['a sorted set', kinds.sortedSet, tags.member, numbered(129), 'skiplist'],
    ['a list', kinds.list, tags.chunk, [['1', 'x']], 'quicklist'],
  ];

  it.each(cases)('is what Redis would say of %s', async (_, kind, tag, given, expected) => {
    const { store } = await SeamHarness.open();
    store.decide((view) => {
      put(view, 'c', kind, tag, given);
      const version = view.read(bytes('c'));
      expect(version && encodingOf(view, version)).toBe(expected);
    });
  });
});

describe('the memory of a key', () => {
  it('is that of its bytes and, by a sample, of its elements', async () => {
    const { store } = await SeamHarness.open();
    store.decide((view) => {
      view.put(bytes('text'), new Uint8Array(1000));
      expect(memoryUsageOf(view, bytes('text'), 5)).toBe(51 + 4 + 1000);
      expect(memoryUsageOf(view, bytes('none'), 5)).toBeUndefined();
      const same = Array.from({ length: 300 }, (_, index): [string, string] => [`f${100 + index}`, 'value']);
      put(view, 'h', kinds.hash, tags.field, same);
      for (const sampleCount of [1, 5, 0, fixed.integerMax]) {
        const own = 51 + 1 + 3;
        expect(memoryUsageOf(view, bytes('h'), sampleCount)).toBe(own + 300 * (51 + 10 + 4 + 5));
      }
    });
  });
});

describe('a lifetime', () => {
  it('begins anew when it is refreshed, and the collection stays', async () => {
    const { store, clock } = await SeamHarness.open();
    const id = store.decide((view) => put(view, 'h', kinds.hash, tags.field, [['a', '1']])).result;
    clock.jump(30_000);
    store.decide((view) => {
      const refreshed = refreshLifetime(view, bytes('h'));
      expect(refreshed).toMatchObject({ expireTimeMs: clock.nowMs() + 60_000, collectionId: id });
      view.put(bytes('for ever'), bytes('v'));
      expect(refreshLifetime(view, bytes('for ever'))).toMatchObject({ expireTimeMs: 0, version: 1 });
      expect(refreshLifetime(view, bytes('none'))).toBeUndefined();
    });
  });
});
