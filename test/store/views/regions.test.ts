/**
 * Users' keys and the store's own in one engine: keys whose first byte is F8 or above are kept with a byte before them, and no
 * call of a user comes to what is not a user's.
 */
import { faultOfEffect } from '../../../src/store/recovery/recorded-items.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeletedRange, Key, KeyRange, Store, WatchMessage } from '../../../src/api.ts';
import { keyOf } from '../../../src/arguments/key.ts';
import { fixed } from '../../../src/limits.ts';
import { decodeKey, encodeKey } from '../../../src/store/views/keys.ts';
import { toEngineRange } from '../../../src/store/views/range.ts';
import { SeededRandom } from '../../support/random.ts';
import { refused, Watching } from '../model/readable.ts';
import { SeamHarness } from '../seam/seam-harness.ts';

const hex = (key: Key): string => Buffer.from(key as Uint8Array).toString('hex');
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

/** On both sides of each border, and text among them. */
const firstByte = fc.constantFrom(0x00, 0x61, 0xf4, 0xf7, 0xf8, 0xf9, 0xfa, 0xff);
const anyByte = fc.constantFrom(0x00, 0x01, 0x61, 0xf7, 0xf8, 0xf9, 0xff);
const anyKey = fc
  .tuple(firstByte, fc.array(anyByte, { maxLength: 3 }))
  .map(([first, rest]) => Uint8Array.of(first, ...rest));

describe('a key of a user, as the engine has it', () => {
  it('is itself, or has F8 before it', () => {
    expect(hex(encodeKey('a'))).toBe('61');
    expect(hex(encodeKey(bytes('f7ff')))).toBe('f7ff');
    expect(hex(encodeKey(bytes('f8')))).toBe('f8f8');
    expect(hex(encodeKey(bytes('ff00')))).toBe('f8ff00');
  });

  it('lies among those of users, in the order of its bytes, and comes back as it was', () => {
    const property = fc.property(anyKey, anyKey, (a, b) => {
      const [engineA, engineB] = [encodeKey(a), encodeKey(b)];
      expect(Buffer.compare(engineA, engineB)).toBe(Buffer.compare(a, b));
      expect(engineA[0]).toBeLessThan(0xf9);
      expect(Buffer.from(decodeKey(engineA) as Uint8Array)).toEqual(Buffer.from(a));
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it('lies in a range of the engine exactly when it lies in that of its user', () => {
    const bound = fc.oneof(fc.constant(new Uint8Array(0)), anyKey);
    const range: fc.Arbitrary<KeyRange> = fc.oneof(
      anyKey.map((prefix) => ({ prefix })),
      anyKey.map((key) => ({ key })),
      fc
        .tuple(bound, bound)
        .filter(([start, end]) => end.length === 0 || Buffer.compare(start, end) < 0)
        .map(([start, end]) => ({ start, end })),
    );
    const property = fc.property(range, anyKey, (wanted, key) => {
      const { start, end } = toEngineRange(wanted);
      const engineKey = encodeKey(key);
      const isIn =
        Buffer.compare(start, engineKey) <= 0 && (end === undefined || Buffer.compare(engineKey, end) < 0);
      expect(isIn).toBe(liesIn(wanted, key));
    });
    fc.assert(property, { numRuns: 5000 });
  });
});

describe('among random keys of all first bytes', () => {
  it('scans, pages, counts and deletes of ranges give what their order has', async () => {
    const { calls: store } = await SeamHarness.open();
    const keys = fc.sample(anyKey, { numRuns: 300, seed: 5 });
    const kept = new Map(keys.map((key) => [hex(key), key]));
    for (const key of kept.values()) await store.put(key, key);
    const ordered = (): Uint8Array[] => [...kept.values()].sort((a, b) => Buffer.compare(a, b));
    const random = new SeededRandom(7);
    const ranges: KeyRange[] = [
      {},
      ...['f7', 'f8', 'f9', 'ff', 'f8f8', 'fff8'].map((prefix) => ({ prefix: bytes(prefix) })),
      { start: bytes('f7') },
      { start: bytes('f7'), end: bytes('f8') },
      { start: bytes('f7ff'), end: bytes('f8f8') },
      { start: bytes('f8'), end: bytes('ff') },
      { start: bytes('ff') },
      { end: bytes('f8') },
      { end: bytes('ff') },
      { key: bytes('f8') },
      { key: bytes('ff') },
    ];
    for (const range of ranges) {
      const expected = ordered()
        .filter((key) => liesIn(range, key))
        .map(hex);
      const limit = random.below(20) + 1;
      expect(await scanned(store, range, limit, false)).toEqual(expected);
      expect(await scanned(store, range, limit, true)).toEqual(expected.toReversed());
      expect((await store.count(range)).count).toBe(expected.length);
      // At a revision keys are counted one by one, not by their ranks.
      const { revision } = await store.status();
      expect((await store.count(range, { revision })).count).toBe(expected.length);
    }
    for (const range of ranges.slice(1).toReversed()) {
      const gone = ordered().filter((key) => liesIn(range, key));
      expect((await store.deleteRange(range)).deletedCount).toBe(gone.length);
      for (const key of gone) kept.delete(hex(key));
      expect(await scanned(store, {}, 1000, false)).toEqual(ordered().map(hex));
    }
  });
});

describe("the store's own keys", () => {
  const OWN = ['f90161', 'f9ff61', 'fa000000000000000161', 'ff'];

  /** A store with keys of users in front of its own, and at places that those look like. */
  async function withOwnKeys(): Promise<{ harness: SeamHarness; store: Store; users: string[] }> {
    const harness = await SeamHarness.open();
    const store = harness.calls;
    const users = ['61', 'f7ff', 'f8', 'f9ff', 'ff'];
    for (const key of users) await store.put(bytes(key), 'of a user');
    await harness.decide((view) => {
      for (const key of OWN) view.put(bytes(key), bytes('00'));
    });
    return { harness, store, users };
  }

  function ownKeys(harness: SeamHarness): Promise<string[]> {
    return harness.decide((view) => OWN.filter((key) => view.read(bytes(key)) !== undefined));
  }

  it('are read by no call, by whichever name or range', async () => {
    const { harness, store, users } = await withOwnKeys();
    expect(await ownKeys(harness)).toEqual(OWN);
    for (const key of OWN) {
      const { entry } = await store.get(bytes(key));
      expect(entry === undefined ? undefined : Buffer.from(entry.value).toString()).toBe(
        users.includes(key) ? 'of a user' : undefined,
      );
      expect((await store.exists([bytes(key)])).exists).toEqual([users.includes(key)]);
    }
    for (const range of [{}, { start: bytes('61') }, { start: new Uint8Array(0), end: bytes('ffff') }]) {
      expect(await scanned(store, range, 2, false)).toEqual(users);
      expect(await scanned(store, range, 2, true)).toEqual(users.toReversed());
      expect((await store.count(range)).count).toBe(users.length);
    }
    expect(await listed(store, '*', 2)).toEqual(users);
    expect(await listed(store, '?', 2)).toEqual(['61', 'f8', 'ff']);
    expect(await listed(store, '[!a]*', 2)).toEqual(users.slice(1));
  });

  it('are not among the keys of the status, also after another start', async () => {
    const { harness, store, users } = await withOwnKeys();
    expect((await store.status()).keyCount).toBe(users.length);
    await harness.decide((view) => void view.delete(bytes('f90161')));
    expect((await store.status()).keyCount).toBe(users.length);
    await harness.reopen();
    expect((await harness.calls.status()).keyCount).toBe(users.length);
    await harness.crash();
    expect((await harness.calls.status()).keyCount).toBe(users.length);
  });

  it.each<[string, DeletedRange, boolean]>([
    ['all keys', { all: true }, false],
    ['all keys in parts', { all: true }, true],
    ['what begins with FF', { prefix: bytes('ff') }, false],
    ['what begins with F9', { prefix: bytes('f9') }, true],
    ['all from F7 on', { start: bytes('f7') }, false],
  ])('are left by a delete of %s', async (_, range, inParts) => {
    const { harness, store, users } = await withOwnKeys();
    const gone = users.filter((key) => 'all' in range || liesIn(range, bytes(key)));
    expect((await store.deleteRange(range, { inParts })).deletedCount).toBe(gone.length);
    expect(await scanned(store, {}, 10, false)).toEqual(users.filter((key) => !gone.includes(key)));
    expect(await ownKeys(harness)).toEqual(OWN);
    const success = [{ kind: 'deleteRange', range: { all: true } }] as const;
    expect((await store.txn({ success })).results).toEqual([
      { kind: 'deleteRange', deletedCount: users.length - gone.length },
    ]);
    expect(await ownKeys(harness)).toEqual(OWN);
  });

  it('decide no compare of a range', async () => {
    const { store } = await withOwnKeys();
    await store.deleteRange({ all: true });
    const operand = { kind: 'exists', value: false } as const;
    const compares = [{ subject: { range: {} }, relation: 'equal', operand }] as const;
    expect((await store.txn({ compares })).succeeded).toBe(true);
  });

  it('are told to no watch: of what is present, of what is new, or of what the log has', async () => {
    const { harness, store, users } = await withOwnKeys();
    const present = new Watching(store, { includeCurrent: true });
    expect(keysIn(await present.next())).toEqual(users);
    expect((await present.next()).kind).toBe('synced');
    const watching = await Watching.live(store, { ranges: [{}, { prefix: bytes('ff') }] });
    const own = await harness.decide((view) => {
      view.put(bytes('f90161'), bytes('01'));
      return view.nextRevision;
    });
    // Both belong to one transaction, and one of them to the user.
    await harness.decide((view) => {
      view.put(encodeKey(bytes('ff')), bytes('01'));
      view.put(bytes('ff'), bytes('01'));
      view.delete(bytes('fa61'));
    });
    for (const each of [present, watching]) {
      const message = await each.next();
      expect([keysIn(message), message.revision]).toEqual([['ff'], own + 1]);
    }
    await harness.reopen();
    const again = new Watching(harness.calls, { startRevision: 1 });
    for (const key of [...users, 'ff']) expect(await nextKeys(again)).toEqual([key]);
  });
});

describe('a key of the greatest length that begins with FF', () => {
  const LONGEST = new Uint8Array(fixed.keyBytesMax).fill(0xff);

  it('is a key like any other, and one byte more is none', async () => {
    const harness = await SeamHarness.open();
    const { calls: store } = harness;
    const watching = await Watching.live(store, { ranges: [{ key: LONGEST }] });
    await store.put(LONGEST, 'longest');
    await refused(store.put(new Uint8Array(fixed.keyBytesMax + 1).fill(0xff), ''), 'invalidArgument');
    expect(await nextKeys(watching)).toEqual([hex(LONGEST)]);
    for (const range of [{}, { key: LONGEST }, { prefix: LONGEST }, { start: LONGEST }]) {
      expect(await scanned(store, range, 1, false)).toEqual([hex(LONGEST)]);
      expect(await scanned(store, range, 1, true)).toEqual([hex(LONGEST)]);
    }
    expect(await listed(store, '*', 1)).toEqual([hex(LONGEST)]);
    await harness.crash();
    expect((await harness.calls.get(LONGEST)).entry?.keyBytes).toEqual(LONGEST);
    await harness.calls.snapshot();
    await harness.reopen();
    expect((await harness.calls.get(LONGEST)).entry?.keyBytes).toEqual(LONGEST);
    expect(await harness.calls.delete(LONGEST)).toMatchObject({ deleted: true });
    expect(await scanned(harness.calls, {}, 1, false)).toEqual([]);
  });
});

describe('keys on both sides of the border', () => {
  const KEYS = ['f7', 'f8', 'f9', 'ff'];

  it('have the same names in events, leases, transactions and touches', async () => {
    const { calls: store } = await SeamHarness.open();
    const watching = await Watching.live(store, { eventTypes: ['put', 'delete', 'touch'] });
    const { leaseId } = await store.grantLease(5000);
    for (const key of KEYS) {
      await store.put(bytes(key), '1', { leaseId });
      expect(await nextKeys(watching)).toEqual([key]);
      expect(hex(keyOf((await store.touch(bytes(key), { ttlMs: 1000 })).entry))).toBe(key);
      expect(await nextKeys(watching)).toEqual([key]);
      await store.increment(bytes(key), 1);
      expect(await nextKeys(watching)).toEqual([key]);
    }
    const { results } = await store.txn({
      success: KEYS.map((key) => ({ kind: 'get', key: bytes(key) })),
    });
    expect(
      results.map((result) => result.kind === 'get' && result.entry && hex(keyOf(result.entry))),
    ).toEqual(KEYS);
    expect((await store.getLease(leaseId, { includeKeys: true })).keys.map(hex)).toEqual(KEYS);
    expect((await store.revokeLease(leaseId)).deletedCount).toBe(KEYS.length);
    expect(await nextKeys(watching)).toEqual(KEYS);
  });

  it.each(KEYS)('are watched by the prefix %s alone', async (prefix) => {
    const { calls: store } = await SeamHarness.open();
    const watching = await Watching.live(store, { ranges: [{ prefix: bytes(prefix) }] });
    for (const key of KEYS) {
      await store.put(bytes(key), '');
      await store.put(bytes(`${key}00`), '');
    }
    await store.put(bytes(`${prefix}01`), 'last');
    for (const key of [prefix, `${prefix}00`, `${prefix}01`]) expect(await nextKeys(watching)).toEqual([key]);
  });

  it('are all there, with their history, after a snapshot and another start', async () => {
    const harness = await SeamHarness.open();
    for (const key of KEYS) await harness.calls.put(bytes(key), '1');
    const { revision } = await harness.calls.snapshot();
    for (const key of KEYS) await harness.calls.put(bytes(`${key}ff`), '2');
    await harness.reopen();
    const store = harness.calls;
    expect(await scanned(store, {}, 3, false)).toEqual(KEYS.flatMap((key) => [key, `${key}ff`]));
    expect((await store.scan({}, { revision })).entries.map((entry) => hex(keyOf(entry)))).toEqual(KEYS);
  });
});

/** Whether a key lies in a range, by its bytes alone. */
function liesIn({ key, prefix, start, end }: KeyRange, candidate: Uint8Array): boolean {
  const compared = (bound: Key): number => Buffer.compare(candidate, bound as Uint8Array);
  if (key !== undefined) return compared(key) === 0;
  if (prefix !== undefined) return hex(candidate).startsWith(hex(prefix));
  return (
    (start === undefined || compared(start) >= 0) &&
    (end === undefined || end.length === 0 || compared(end) < 0)
  );
}

/** The keys of a range, page by page. */
async function scanned(store: Store, range: KeyRange, limit: number, reverse: boolean): Promise<string[]> {
  const keys: string[] = [];
  let pageToken = '';
  do {
    const page = await store.scan(range, { limit, reverse, pageToken });
    keys.push(...page.entries.map((entry) => hex(keyOf(entry))));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return keys;
}

async function listed(store: Store, pattern: string, limit: number): Promise<string[]> {
  const keys: string[] = [];
  let pageToken = '';
  do {
    const page = await store.keys(pattern, { limit, pageToken });
    keys.push(...page.keys.map(hex));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return keys;
}

async function nextKeys(watching: Watching): Promise<string[]> {
  return keysIn(await watching.next());
}

function keysIn(message: WatchMessage): string[] {
  switch (message.kind) {
    case 'current':
      return message.entries.map((entry) => hex(keyOf(entry)));
    case 'events':
      return message.events.map((event) => hex(keyOf(event.type === 'delete' ? event : event.entry)));
    default:
      throw new Error(`a message of kind ${message.kind} has no keys`);
  }
}

describe('a key in the log', () => {
  const faultOf = (key: Uint8Array): string | undefined =>
    faultOfEffect({ case: 'delete', value: { key, reason: 1 } }, 1);

  it.each([
    ['of the greatest length', new Uint8Array(4096)],
    ['with an escape, of the greatest length', Uint8Array.from({ length: 4097 }, () => 0xf8)],
  ])('%s is read', (_, key) => expect(faultOf(key)).toBeUndefined());

  it.each([
    ['that is empty', new Uint8Array(0)],
    ['that is longer than a user can name', new Uint8Array(4097)],
    ['with an escape and nothing behind it', Uint8Array.of(0xf8)],
    ['with an escape that it does not need', Uint8Array.of(0xf8, 0x61)],
  ])('%s is refused', (_, key) => expect(faultOf(key)).toBeDefined());
});
