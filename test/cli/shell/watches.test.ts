/** The watches beside the commands of a shell. */
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Entry } from '../../../src/api.ts';
import type { EmbeddedStore } from '../../../src/cli/shell/store/embedded-store.ts';
import { openEmbeddedStore } from '../../../src/cli/shell/store/embedded-store.ts';
import type { ShellStore, WatchOptions } from '../../../src/cli/shell/store/shell-store.ts';
import { Watches } from '../../../src/cli/shell/watches.ts';
import type { WatchMessage } from '../../../src/client/messages/types.ts';
import { fixed, shell as limits } from '../../../src/limits.ts';
import { eventually } from '../../support/eventually.ts';
import { temporaryDirectory } from '../../support/test-server.ts';

const never = new AbortController().signal;

describe('with an embedded store', () => {
  let store: EmbeddedStore;
  let watches: Watches;
  let told: string[];
  beforeEach(async () => {
    store = await openEmbeddedStore(join(await temporaryDirectory(), 'data'));
    onTestFinished(() => store[Symbol.asyncDispose]());
    told = [];
    watches = new Watches(store, async (text) => void told.push(text));
  });

  test('one tells what changes from its reply on, until it is ended', async () => {
    await store.put('a1', 'before');
    expect(await watches.start('a*', { prefix: 'a' }, never)).toBe(1);
    await store.put('a1', 'x');
    await store.put('b', 'x');
    await store.delete('a1');
    await eventually(() => told).toEqual(['watch  2  put      a1  "x"\n', 'watch  4  delete   a1\n']);
    expect(watches.end('a*')).toBe(true);
    expect(watches.end('a*')).toBe(false);
    await eventually(async () => (await store.status()).watcherCount).toBe(0);
    await store.put('a1', 'y');
    expect(await watches.start('a*', { prefix: 'a' }, never)).toBe(5);
    await store.put('a1', 'z');
    await eventually(() => told.length).toBe(3);
    expect(told[2]).toBe('watch  6  put      a1  "z"\n');
  });

  test('all events of a revision are told together', async () => {
    const count = fixed.watchMessageEventsMax * 2 + 10;
    await watches.start('*', {}, never);
    const success = Array.from({ length: count }, (_, index) => ({
      kind: 'put' as const,
      key: `k${index}`,
      value: '',
    }));
    await store.txn({ success });
    await eventually(() => told.length).toBe(1);
    expect(told[0]?.split('\n').length).toBe(count + 1);
  });

  test('one says up to where it has told everything when the store ends it', async () => {
    await store.put('b', '1');
    await watches.start('a', { key: 'a' }, never);
    await store.put('a', '1');
    await eventually(() => told.length).toBe(1);
    await store[Symbol.asyncDispose]();
    await eventually(() => told.length).toBe(2);
    expect(told[1]).toMatch(/^watch {2}a has ended: .*; it has told everything up to revision 2\n$/);
    expect(watches.names).toEqual([]);
  });

  test('their number is bounded', async () => {
    for (let i = 0; i < limits.watchesMax; i++) await watches.start(`k${i}`, { key: `k${i}` }, never);
    await expect(watches.start('one more', {}, never)).rejects.toThrow('UNWATCH ends some');
    watches.endAll();
    expect(watches.names).toEqual([]);
    await watches.start('one more', {}, never);
  });
});

/** A store whose watches tell what the test says. */
function storeWith(watch: (options: WatchOptions) => AsyncIterable<WatchMessage<Entry>>): ShellStore {
  return { watch: (_, options) => watch(options) } as Partial<ShellStore> as ShellStore;
}

const synced = { kind: 'synced', revision: 7, incarnation: '', storeId: '' } as const;

test('one that can not begin fails its command, and another may follow', async () => {
  const store = storeWith(async function* () {
    yield await Promise.reject(new Error('no such server'));
  });
  const watches = new Watches(store, () => Promise.reject(new Error('nothing is to be told')));
  await expect(watches.start('a', {}, never)).rejects.toThrow('no such server');
  await expect(watches.start('a', {}, never)).rejects.toThrow('no such server');
});

test('Ctrl-C gives up one that has not begun', async () => {
  const store = storeWith(async function* ({ signal }) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    yield* [];
  });
  const controller = new AbortController();
  const watches = new Watches(store, () => Promise.resolve());
  const started = watches.start('a', {}, controller.signal);
  controller.abort();
  await expect(started).rejects.toThrow('given up');
  await eventually(() => watches.names).toEqual([]);
});

test('one whose place is lost says what is kept', async () => {
  const told: string[] = [];
  const objects: object[] = [];
  const store = storeWith(async function* ({ onInterrupted, onResumed }) {
    yield synced;
    onInterrupted(new Error('the connection broke'));
    onResumed();
    yield { kind: 'progress', revision: 9, incarnation: '' };
    yield { kind: 'compacted', requestedRevision: 10, oldestRevision: 50, newestRevision: 60 };
  });
  const watches = new Watches(store, async (text, json) => {
    told.push(text);
    objects.push(json);
  });
  await watches.start('a', {}, never);
  await eventually(() => told).toEqual([
    'watch  a: the connection broke; connecting again ...\n',
    'watch  a: connected again\n',
    'watch  a has ended: revision 10 is not kept any more, the oldest is 50; it has told everything up to revision 9\n',
  ]);
  expect(objects).toMatchObject([
    { watch: 'a', kind: 'interrupted' },
    { watch: 'a', kind: 'resumed' },
    { watch: 'a', kind: 'ended', revision: 9, error: {} },
  ]);
});
