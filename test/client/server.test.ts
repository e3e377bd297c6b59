/** The client against a server: what it says about each call holds for the real thing. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ClientOptions } from '../../src/client/client-options.ts';
import { type KelpClient, createClient } from '../../src/client/client.ts';
import type { WatchMessage } from '../../src/client/messages/types.ts';
import { restore } from '../../src/offline/restore.ts';
import { eventually } from '../support/eventually.ts';
import { engineOfTests, KEPT_HISTORY_FLAGS } from '../support/test-engine.ts';
import { type TestServer, startTestServer, temporaryDirectory } from '../support/test-server.ts';
import { failureOf } from './support/fake-server.ts';

function clientFor(server: { readonly address: string }, options: Partial<ClientOptions> = {}): KelpClient {
  const client = createClient({ address: server.address, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** A server with the data and on the port of one that has stopped. */
function restarted(server: TestServer): Promise<TestServer> {
  return startTestServer({ flags: { 'data-dir': server.dataDir, listen: server.address } });
}

describe('keys', () => {
  let client: KelpClient;
  beforeEach(async () => {
    // Old revisions are read.
    client = clientFor(await startTestServer({ flags: KEPT_HISTORY_FLAGS }));
  });

  test('are written, read, found and deleted', async () => {
    expect(await client.put('a', 'hé')).toEqual({ revision: 1, previous: undefined });
    const put = await client.put('a', new Uint8Array([1]), { returnPrevious: true });
    expect(put.previous?.text()).toBe('hé');
    expect(await client.get('a')).toMatchObject({
      entry: { value: new Uint8Array([1]), version: 2 },
      revision: 2,
    });
    expect((await client.get('a', { revision: 1 })).entry?.text()).toBe('hé');
    expect((await client.exists(['a', 'b'])).exists).toEqual([true, false]);
    expect(await client.delete('a')).toMatchObject({ deleted: true, revision: 3 });
    expect((await client.get('a')).entry).toBeUndefined();
    expect(await client.delete('a')).toMatchObject({ deleted: false, revision: 3 });
  });

  test('large values go there all at once', async () => {
    const client = clientFor(await startTestServer(), { retries: 0, deadlineMs: 30_000 });
    const keys = ['a', 'b', 'c', 'd', 'e'];
    const value = new Uint8Array(4_000_000);
    await Promise.all(keys.map((key) => client.put(key, value)));
    const results = await Promise.all(keys.map((key) => client.get(key)));
    expect(results.map(({ entry }) => entry?.value.length)).toEqual(keys.map(() => value.length));
  });

  test('any text and any bytes go there and back', { timeout: 120_000 }, async () => {
    const key = fc.string({ unit: 'binary', minLength: 1, maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(key, fc.uint8Array({ maxLength: 500 }), async (key, value) => {
        await client.put(key, value);
        const { entry } = await client.get(key);
        expect(entry?.key).toBe(key);
        expect(Buffer.from(entry?.value ?? []).equals(value)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('conditions that fail say what is there', async () => {
    await client.put('a', '1', { condition: { kind: 'modRevisionEquals', modRevision: 0 } });
    for (const condition of [
      { kind: 'mustNotExist' },
      { kind: 'modRevisionEquals', modRevision: 7 },
    ] as const) {
      const failure = await failureOf(client.put('a', '2', { condition }));
      expect(failure).toMatchObject({
        code: 'conditionFailed',
        details: { currentModRevision: 1 },
        mayHaveTakenEffect: false,
      });
    }
    expect(await failureOf(client.delete('b', { condition: { kind: 'mustExist' } }))).toMatchObject({
      details: { currentModRevision: 0 },
    });
  });

  test('a scan over many pages shows one revision, whatever is written meanwhile', async () => {
    const success = Array.from(
      { length: 25 },
      (_, index) => ({ kind: 'put', key: `k/${index}`, value: 'old' }) as const,
    );
    await client.txn({ success });
    const values: string[] = [];
    for await (const entry of client.scan({ prefix: 'k/' }, { pageSize: 4 })) {
      values.push(entry.text());
      await client.put('k/9', 'new');
      await client.put('k/99', 'new');
    }
    expect(values).toEqual(Array.from({ length: 25 }, () => 'old'));
    expect(await client.count({ prefix: 'k/' })).toMatchObject({ count: 26 });
    expect(await client.keys('k/2?', { pageSize: 3 }).toArray()).toEqual([
      'k/20',
      'k/21',
      'k/22',
      'k/23',
      'k/24',
    ]);
    const backwards = await client
      .scan({ start: 'k/2', end: 'k/22' }, { reverse: true, keysOnly: true, limit: 2 })
      .toArray();
    expect(backwards.map(({ key, value }) => [key, value.length])).toEqual([
      ['k/21', 0],
      ['k/20', 0],
    ]);
    expect(await client.deleteRange({ prefix: 'k/' })).toMatchObject({ deletedCount: 26 });
  });

  test('numbers have 64 bits', async () => {
    const largest = 2n ** 63n - 1n;
    expect(await client.increment('n', largest)).toMatchObject({ value: largest });
    expect(await failureOf(client.increment('n'))).toMatchObject({
      code: 'integerOverflow',
      mayHaveTakenEffect: false,
    });
    await client.put('t', 'text');
    expect(await failureOf(client.increment('t'))).toMatchObject({ code: 'notAnInteger' });
  });

  test('times to live are set, refreshed and ended', async () => {
    await client.put('a', '1', { ttlMs: 3_600_000 });
    const { entry } = await client.touch('a', { ttlMs: 7_200_000 });
    expect(entry.expireTimeMs).toBeGreaterThan(Date.now() + 7_000_000);
    expect((await client.get('a', { refreshTtl: true })).entry?.expireTimeMs).toBeGreaterThanOrEqual(
      entry.expireTimeMs,
    );
    expect((await client.touch('a', { ttlMs: 0 })).entry.expireTimeMs).toBe(0);
    expect(await failureOf(client.touch('a'))).toMatchObject({ code: 'noTimeToLive' });
    expect(await failureOf(client.touch('b'))).toMatchObject({ code: 'keyNotFound' });
  });

  test('transactions run one of two lists', async () => {
    const request = {
      compares: [{ subject: { key: 'a' }, relation: 'equal', operand: { kind: 'exists', value: false } }],
      success: [
        { kind: 'put', key: 'a', value: 'x' },
        { kind: 'increment', key: 'n', delta: 3n },
      ],
      failure: [{ kind: 'get', key: 'a' }],
    } as const;
    expect(await client.txn(request)).toMatchObject({
      succeeded: true,
      revision: 1,
      results: [{ kind: 'put' }, { kind: 'increment', value: 3n }],
    });
    const { succeeded, results } = await client.txn(request);
    expect(succeeded).toBe(false);
    expect(results).toMatchObject([{ kind: 'get', entry: { key: 'a', modRevision: 1 } }]);
  });

  test('what the server refuses is told with its reason', async () => {
    expect(await failureOf(client.get(''))).toMatchObject({ code: 'invalidArgument' });
    expect(await failureOf(client.get('a', { revision: 5 }))).toMatchObject({
      code: 'revisionFuture',
      details: { requestedRevision: 5, newestRevision: 0 },
    });
    expect(await failureOf(client.put('a', '', { leaseId: 5 }))).toMatchObject({ code: 'leaseNotFound' });
    for (const value of ['1', '2', '3']) await client.put('a', value);
    await client.admin.compact(2);
    expect(await failureOf(client.get('a', { revision: 1 }))).toMatchObject({
      code: 'revisionCompacted',
      details: { requestedRevision: 1, oldestRevision: 2, newestRevision: 3 },
    });
    expect(await failureOf(client.leases.grant(10))).toMatchObject({ code: 'invalidArgument' });
  });

  test('status and snapshot', async () => {
    await client.put('a', '1');
    expect(await client.admin.snapshot()).toMatchObject({ revision: 1 });
    expect(await client.admin.status()).toMatchObject({
      revision: 1,
      keyCount: 1,
      // An engine on disk writes a checkpoint to its own files.
      ...(engineOfTests() === undefined
        ? { snapshotCount: 1, snapshotRevision: 1 }
        : { snapshotCount: 0, storage: { revision: 1 } }),
    });
  });
});

describe('a lease', () => {
  test('takes its keys with it', async () => {
    const client = clientFor(await startTestServer());
    const lease = await client.leases.grant(3_600_000);
    await client.put('a', '1', { leaseId: lease.id });
    expect(await client.leases.get(lease.id, { includeKeys: true })).toMatchObject({
      keyCount: 1,
      keys: ['a'],
    });
    expect(await client.leases.list().toArray()).toMatchObject([{ leaseId: lease.id }]);
    expect(await failureOf(client.leases.grant(60_000, { leaseId: lease.id }))).toMatchObject({
      code: 'leaseExists',
    });
    expect(await lease.revoke()).toMatchObject({ deletedCount: 1 });
    expect((await client.get('a')).entry).toBeUndefined();
    expect(await failureOf(lease.renew())).toMatchObject({ code: 'leaseNotFound' });
  });

  test.each([1600, 4000])('of %i ms is renewed by tries that the server takes', async (ttlMs) => {
    const server = await startTestServer();
    const client = clientFor(server);
    const lease = await client.leases.grant(ttlMs);
    lease.keepAlive();
    const call = await server.log.line(({ method }) => String(method).endsWith('Renew'));
    expect(call).toMatchObject({ code: 'Ok' });
  });

  test('is lost when somebody else revokes it', async () => {
    const client = clientFor(await startTestServer());
    const lease = (await client.leases.grant(1000)).keepAlive();
    await client.leases.revoke(lease.id);
    expect(await lease.lost).toMatchObject({ code: 'leaseNotFound' });
  });
});

describe('a watch', () => {
  /** Reads a watch in the background. */
  function collect(watch: AsyncIterable<WatchMessage>): WatchMessage[] {
    const messages: WatchMessage[] = [];
    void (async () => {
      for await (const message of watch) messages.push(message);
    })();
    return messages;
  }

  const keysOf = (messages: readonly WatchMessage[]): string[] =>
    messages.flatMap((message) =>
      message.kind === 'events'
        ? message.events.map(
            (event) => `${message.revision} ${'entry' in event ? event.entry.key : `-${event.key}`}`,
          )
        : [],
    );

  test('goes on over a restart without gap or repeat', async () => {
    const server = await startTestServer();
    const client = clientFor(server, { deadlineMs: 60_000 });
    await client.put('k/0', '');
    const messages = collect(client.watch({ ranges: [{ prefix: 'k/' }], includeCurrent: true }));
    await eventually(() => messages.at(-1)?.kind).toBe('synced');
    await client.put('k/1', '');
    await client.put('other', '');
    await server.stop();
    const next = await restarted(server);
    // Written by somebody else before the watch is back.
    await clientFor(next).put('k/2', '');
    await client.delete('k/0');
    await client.put('k/3', '');
    await eventually(() => keysOf(messages)).toEqual(['2 k/1', '4 k/2', '5 -k/0', '6 k/3']);
    expect(messages.filter(({ kind }) => kind === 'synced')).toHaveLength(1);
    expect(messages.filter(({ kind }) => kind === 'restarted')).toHaveLength(0);
  });

  test('does not go on in a restored store, however far that has come', async () => {
    const server = await startTestServer();
    const client = clientFor(server, { deadlineMs: 60_000 });
    await client.put('k', '1');
    const backupPath = join(await temporaryDirectory(), 'backup');
    await writeFile(backupPath, client.admin.backup());
    const watch = client.watch();
    const synced = (await watch.next()).value;
    await client.put('k', '2');
    expect((await watch.next()).value).toMatchObject({ kind: 'events', revision: 2 });
    await server.stop();
    const dataDir = join(await temporaryDirectory(), 'restored');
    const { storeId } = await restore(
      { backupPath, dataDir, logPaths: [], engine: engineOfTests() ?? 'memory' },
      () => undefined,
    );
    const rest = failureOf(watch.next());
    const next = await startTestServer({ flags: { 'data-dir': dataDir, listen: server.address } });
    for (const value of ['other 2', 'other 3']) await clientFor(next).put('k', value);
    expect(await rest).toMatchObject({
      code: 'otherStore',
      details: { requestedStoreId: synced.storeId, storeId },
    });
    expect(synced).toMatchObject({ kind: 'synced', revision: 1 });
  });

  test('does not go on when a copy of the files was put back, however far that has come', async () => {
    const server = await startTestServer();
    const client = clientFor(server, { retries: 1000, deadlineMs: 30_000 });
    await client.put('k', '1');
    await server.stop();
    const copy = join(await temporaryDirectory(), 'copy');
    await cp(server.dataDir, copy, { recursive: true });
    const second = await startTestServer({ flags: { 'data-dir': server.dataDir, listen: server.address } });
    const watch = client.watch({ startRevision: 1 });
    const began = client.watch({ startRevision: 1, restartWhenLost: true });
    await client.put('k', '2');
    const { storeId, incarnation } = await client.admin.status();
    for (const each of [watch, began]) {
      for (let revision = 0; revision < 2;) {
        const { value } = await each.next();
        if (value?.kind === 'events') ({ revision } = value);
      }
    }
    const pages = client.scan({}, { pageSize: 1 }).pages();
    // More than the server sends ahead.
    const value = Buffer.alloc(100_000);
    const puts = Array.from({ length: 60 }, (_, index) => ({
      kind: 'put' as const,
      key: `k2/${index}`,
      value,
    }));
    await client.txn({ success: puts });
    expect((await pages.next()).value).toMatchObject({ revision: 3, incarnation });
    await second.stop();
    const lost = failureOf(
      (async () => {
        while ((await watch.next()).done !== true);
      })(),
    );
    const third = await startTestServer({ flags: { 'data-dir': copy, listen: server.address } });
    for (const value of ['other 2', 'other 3', 'other 4']) await clientFor(third).put('k', value);
    expect(await clientFor(third).admin.status()).toMatchObject({ storeId, revision: 4 });
    expect(await lost).toMatchObject({
      code: 'historyDiffers',
      details: { requestedIncarnation: incarnation, sharedRevision: 0 },
    });
    const rest = (async () => {
      while ((await pages.next()).done !== true);
    })();
    expect(await failureOf(rest)).toMatchObject({ code: 'historyDiffers' });
    const kinds: string[] = [];
    while (kinds.at(-1) !== 'current') kinds.push((await began.next()).value?.kind ?? 'end');
    expect(kinds.slice(-2)).toEqual(['restarted', 'current']);
  });

  test('of a huge transaction hands out all of it at once', { timeout: 120_000 }, async () => {
    // What was before is in history, which a checkpoint shortens.
    const server = await startTestServer({ flags: KEPT_HISTORY_FLAGS });
    const client = clientFor(server, { deadlineMs: 60_000 });
    const messages = collect(client.watch({ returnPrevious: true }));
    await eventually(() => messages.at(-1)?.kind).toBe('synced');
    const value = 'v'.repeat(50_000);
    // 5 MB: more than a message of the server holds.
    const success = Array.from(
      { length: 100 },
      (_, index) => ({ kind: 'put', key: `k${index}`, value }) as const,
    );
    await client.txn({ success });
    await client.deleteRange({ all: true });
    const kinds = (): string[] => messages.map(({ kind }) => kind);
    await eventually(kinds, { timeout: 60_000 }).toEqual(['synced', 'events', 'events']);
    expect(messages.map((message) => (message.kind === 'events' ? message.events.length : 0))).toEqual([
      0, 100, 100,
    ]);
  });

  test('tells progress while nothing happens', async () => {
    const client = clientFor(await startTestServer());
    const messages = collect(client.watch({ progressIntervalMs: 100, ranges: [{ key: 'a' }] }));
    await client.put('b', '');
    await eventually(() => messages.at(-1)).toMatchObject({ kind: 'progress', revision: 1 });
  });

  test('says when its revision is not kept any more, or begins anew', async () => {
    const client = clientFor(await startTestServer({ flags: KEPT_HISTORY_FLAGS }));
    for (const value of ['1', '2', '3', '4']) await client.put('a', value);
    await client.admin.compact(3);
    const { oldestWatchRevision } = await client.admin.status();
    const first = await client.watch({ startRevision: 1, returnPrevious: true }).next();
    expect(oldestWatchRevision).toBeLessThanOrEqual(4);
    expect(first.value).toMatchObject({ kind: 'compacted', requestedRevision: 1, newestRevision: 4 });
    const messages = collect(client.watch({ startRevision: 1, returnPrevious: true, restartWhenLost: true }));
    await eventually(() => messages.map(({ kind }) => kind)).toEqual(['restarted', 'current', 'synced']);
  });
});

test('a client with TLS trusts whom it is told to trust', async () => {
  const tls = (name: string): string => join('test/support/tls', name);
  const server = await startTestServer({ flags: { 'tls-cert': tls('cert.pem'), 'tls-key': tls('key.pem') } });
  const ca = await readFile(tls('cert.pem'));
  expect(await clientFor(server, { tls: { ca } }).put('a', '1')).toMatchObject({ revision: 1 });
  const stranger = await failureOf(clientFor(server, { tls: true, retries: 0 }).put('a', '2'));
  expect(stranger).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: false });
  const plain = await failureOf(clientFor(server, { retries: 0 }).put('a', '2'));
  expect(plain).toMatchObject({ code: 'unavailable' });
});

test('no acknowledged write is done twice or lost while the server is restarted again and again', async () => {
  let server = await startTestServer({ flags: { 'data-dir': join(await temporaryDirectory(), 'data') } });
  const client = clientFor(server, { deadlineMs: 60_000 });
  const over = new AbortController();
  let acknowledgedCount = 0;
  let openCount = 0;
  const writers = Array.from({ length: 4 }, async () => {
    while (!over.signal.aborted) {
      try {
        await client.increment('n');
        acknowledgedCount++;
      } catch (error) {
        expect(error).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: true });
        openCount++;
      }
    }
  });
  for (let round = 0; round < 3; round++) {
    const target = acknowledgedCount + 50;
    await eventually(() => acknowledgedCount).toBeGreaterThan(target);
    await server.stop();
    server = await restarted(server);
  }
  over.abort();
  await Promise.all(writers);
  const { entry } = await client.get('n');
  const count = Number(entry?.text());
  expect(count).toBeGreaterThanOrEqual(acknowledgedCount);
  expect(count).toBeLessThanOrEqual(acknowledgedCount + openCount);
});
