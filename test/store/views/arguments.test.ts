/** The store in process as a program without types calls it: whatever is wrong is refused, and says what is. */
import { describe, expect, test } from 'vitest';
import { optionsByCall } from '../../../src/arguments/store-calls.ts';
import { storeOptions } from '../../../src/store/store-options.ts';
import { CheckedStore } from '../../../src/kv/checked-store.ts';
import { openStore } from '../../../src/kv/open-store.ts';
import type { Collections, Store } from '../../../src/api.ts';
import {
  type CallShape,
  type Kind,
  bytesInEveryForm,
  failureOfCall,
  wrongCalls,
} from '../../support/wrong-arguments.ts';
import { MemoryHarness } from '../model/store-harness.ts';

/** Those on collections are looked at in `test/collections/arguments.test.ts`. */
type Call = Exclude<keyof Store, 'storeId' | 'failed' | keyof Collections>;

const shapeByCall: Record<Call, CallShape> = {
  get: { positions: [['key', 'key', 'a']], options: optionsByCall.get.names },
  put: {
    positions: [
      ['key', 'key', 'a'],
      ['value', 'value', '1'],
    ],
    options: optionsByCall.put.names,
  },
  delete: { positions: [['key', 'key', 'a']], options: optionsByCall.delete.names },
  deleteRange: {
    positions: [['range', 'deletedRange', { key: 'a' }]],
    options: optionsByCall.deleteRange.names,
  },
  getMany: { positions: [['keys', 'keys', ['a']]], options: optionsByCall.getMany.names },
  exists: { positions: [['keys', 'keys', ['a']]] },
  scan: { positions: [['range', 'range', {}, 'optional']], options: optionsByCall.scan.names },
  count: { positions: [['range', 'range', {}, 'optional']], options: optionsByCall.count.names },
  keys: { positions: [['pattern', 'text', '*', 'optional']], options: optionsByCall.keys.names },
  increment: {
    positions: [
      ['key', 'key', 'n'],
      ['delta', 'delta', 1n, 'optional'],
    ],
    options: optionsByCall.increment.names,
  },
  touch: { positions: [['key', 'key', 'a']], options: optionsByCall.touch.names },
  txn: { positions: [['request', 'request', {}]] },
  watch: { positions: [], options: optionsByCall.watch.names },
  grantLease: {
    positions: [
      ['ttlMs', 'wholeNumber', 5000],
      ['leaseId', 'wholeNumber', 5, 'optional'],
    ],
  },
  renewLease: { positions: [['leaseId', 'wholeNumber', 5]] },
  revokeLease: { positions: [['leaseId', 'wholeNumber', 5]] },
  getLease: { positions: [['leaseId', 'wholeNumber', 5]], options: optionsByCall.getLease.names },
  listLeases: { positions: [], options: optionsByCall.listLeases.names },
  compact: { positions: [['revision', 'wholeNumber', 1]] },
  close: { positions: [], options: optionsByCall.close.names },
  status: { positions: [] },
  snapshot: { positions: [] },
  compactStorage: { positions: [] },
  backup: { positions: [] },
};

const kindByOption: Record<string, Kind> = {
  revision: 'wholeNumber',
  refreshTtl: 'flag',
  admit: 'callback',
  ttlMs: 'wholeNumber',
  leaseId: 'wholeNumber',
  condition: 'condition',
  returnPrevious: 'flag',
  includeElements: 'flag',
  limit: 'wholeNumber',
  pageToken: 'text',
  reverse: 'flag',
  keysOnly: 'flag',
  ranges: 'ranges',
  startRevision: 'wholeNumber',
  storeId: 'text',
  incarnation: 'text',
  includeCurrent: 'flag',
  eventTypes: 'eventTypes',
  progressIntervalMs: 'number',
  signal: 'signal',
  includeKeys: 'flag',
  snapshotMsMax: 'wholeNumber',
  inParts: 'flag',
};

const calls = Object.keys(shapeByCall) as Call[];

test('every call of the store is looked at', () => {
  const methods = Object.getOwnPropertyNames(CheckedStore.prototype);
  expect(methods.filter((name) => name !== 'constructor').sort()).toEqual([...calls].sort());
});

describe.each(calls)('%s refuses', (call) => {
  test('every wrong kind of every argument, by its name', async () => {
    const { store } = await MemoryHarness.open();
    await store.put('a', 'as it was');
    const method = (store[call] as (...given: readonly unknown[]) => unknown).bind(store);
    for (const { title, given, name } of wrongCalls(shapeByCall[call], kindByOption)) {
      const failure = await failureOfCall(() => method(...given));
      expect(failure, title).toMatchObject({ name: 'StoreError', code: 'invalidArgument' });
      expect((failure as Error).message, title).toContain(name);
    }
    const { entries, revision } = await store.scan({});
    expect(entries.map(({ key, value }) => `${key}=${Buffer.from(value).toString()}`)).toEqual([
      'a=as it was',
    ]);
    expect(revision).toBe(1);
  });
});

test('unknown names are told with the nearest known one, and with all that there are', async () => {
  const { store } = await MemoryHarness.open();
  const put = store.put.bind(store) as (...given: unknown[]) => unknown;
  const message = async (call: () => unknown): Promise<string> =>
    ((await failureOfCall(call)) as Error).message;
  expect(await message(() => put('a', '1', { ttl: 5 }))).toBe(
    'put has no option "ttl" (did you mean "ttlMs"?); there are ttlMs, leaseId, condition, returnPrevious, admit',
  );
  expect(await message(() => put('a', '1', { ifAbsent: true }))).toMatch(
    /^put has no option "ifAbsent"; there are/,
  );
  expect(await message(() => store.txn({ sucess: [] } as object))).toMatch(
    /"sucess" \(did you mean "success"\?\)/,
  );
  expect(await message(() => put('a', '1', { condition: { kind: 'mustNotExists' } }))).toBe(
    'condition.kind is the text "mustNotExists" (did you mean "mustNotExist"?); it must be one of mustNotExist, mustExist, modRevisionEquals',
  );
  expect(await message(() => put('a'))).toBe(
    'value is missing; it must be text or bytes (a Uint8Array, ArrayBuffer or other view of one)',
  );
  expect(await message(() => store.deleteRange({ prefix: '' }))).toBe(
    'range.prefix is empty; to delete all keys give { all: true }',
  );
  expect((await message(() => put('a', '1', { [`x${'y'.repeat(1e6)}`]: 5 }))).length).toBeLessThan(200);
});

test('what is left out is the same as for the client: all keys, and 1 to add', async () => {
  const { store } = await MemoryHarness.open();
  expect(await store.increment('n')).toMatchObject({ value: 1n });
  expect(await store.increment('n', undefined, {})).toMatchObject({ value: 2n });
  expect(await store.count()).toMatchObject({ count: 1 });
  expect((await store.scan()).entries.map(({ key }) => key)).toEqual(['n']);
  expect(await store.keys()).toMatchObject({ keys: ['n'] });
  // A wrapper may hand on options that it was not given.
  expect(await store.exists(...([['n'], undefined] as unknown as [string[]]))).toMatchObject({
    exists: [true],
  });
});

test('a page goes on with the same range in another form', async () => {
  const { store } = await MemoryHarness.open();
  for (const key of ['pa', 'pb', 'pc']) await store.put(key, '1');
  const seen: string[] = [];
  let pageToken = '';
  for (const prefix of [Buffer.from('p'), 'p', Uint8Array.of(0x70)]) {
    const page = await store.scan({ prefix }, { limit: 1, pageToken });
    seen.push(...page.entries.map(({ key }) => key));
    pageToken = page.nextPageToken;
  }
  expect(seen).toEqual(['pa', 'pb', 'pc']);
});

test('a watch takes one request, and nothing more', async () => {
  const { store } = await MemoryHarness.open();
  const watch = store.watch.bind(store) as (...given: unknown[]) => unknown;
  expect(await failureOfCall(() => watch({}, { signal: AbortSignal.abort() }))).toMatchObject({
    code: 'invalidArgument',
    message: 'watch takes no options and no further argument',
  });
});

test('a range to delete of all keys says so, in a transaction, too', async () => {
  const { store } = await MemoryHarness.open();
  await store.put('a', '1');
  expect(await store.deleteRange({ all: true })).toMatchObject({ deletedCount: 1 });
  await store.put('b', '1');
  await store.put('c', '1');
  const { results } = await store.txn({ success: [{ kind: 'deleteRange', range: { all: true } }] });
  expect(results).toEqual([{ kind: 'deleteRange', deletedCount: 2 }]);
});

test('where keys are read, a member of a range that is empty or undefined counts as left out', async () => {
  const { store } = await MemoryHarness.open();
  await store.put('a', '1');
  for (const range of [{}, { prefix: '' }, { prefix: undefined }, { key: undefined, end: '' }] as object[]) {
    expect(await store.count(range)).toMatchObject({ count: 1 });
    expect((await store.scan(range)).entries).toHaveLength(1);
  }
});

test.each(Object.entries(bytesInEveryForm()))(
  '%s is taken as the bytes that it is',
  async (_, [value, bytes]) => {
    const { store } = await MemoryHarness.open();
    await store.put('a', value);
    await store.txn({ success: [{ kind: 'put', key: 'b', value }] });
    for (const key of ['a', 'b']) expect([...((await store.get(key)).entry?.value ?? [])]).toEqual(bytes);
    const equals = { subject: { key: 'a' }, relation: 'equal', operand: { kind: 'value', value } } as const;
    expect(await store.txn({ compares: [equals] })).toMatchObject({ succeeded: true });
  },
);

describe('openStore refuses', () => {
  const open = openStore as unknown as (...given: unknown[]) => Promise<unknown>;
  const kinds: Record<string, Kind> = {
    dataDir: 'textOrNull',
    engine: 'policy',
    fsync: 'policy',
    limits: 'limits',
    memoryBytesMax: 'wholeNumber',
    memoryPolicy: 'policy',
    valueCompression: 'flag',
    onRecoveryProgress: 'callback',
    onEvent: 'callback',
    clock: 'object',
    random: 'object',
    disk: 'object',
    observer: 'object',
    keyObserver: 'object',
    makeEngine: 'callback',
    replication: 'object',
  };

  test('every wrong kind of every option, by its name', async () => {
    for (const { title, given, name } of wrongCalls({ positions: [], options: storeOptions.names }, kinds)) {
      const options = given[0];
      const withPath =
        typeof options === 'object' && options !== null && !Array.isArray(options)
          ? { dataDir: '/never', ...options }
          : options;
      const failure = await failureOfCall(() => open(withPath));
      expect(failure, title).toMatchObject({ name: 'StoreError', code: 'invalidArgument' });
      expect((failure as Error).message, title).toContain(name);
    }
  });

  test.each([
    [[], "options is missing; it must be an object such as { dataDir: './data' }"],
    [['./data'], 'options is the text "./data"; it must be an object such as { dataDir: \'./data\' }'],
    [[{}], 'dataDir is missing; it must be text'],
    [[{ dataDir: '' }], 'dataDir is empty; it must be a path, or null for a store in memory alone'],
  ])('%j, and says what is missing', async (given, message) => {
    await expect(open(...given)).rejects.toThrow(message);
  });
});
