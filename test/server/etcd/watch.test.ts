/** Watch of etcd's API, step by step against a real etcd. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type WatchCreateRequestSchema,
  WatchCreateRequest_FilterType as FilterType,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import type { EtcdClient } from './support/etcd-client.ts';
import { hasRealEtcd } from './support/real-etcd.ts';
import { SideBySide } from './support/side-by-side.ts';
import { Watched } from './support/watched.ts';

type Create = MessageInitShape<typeof WatchCreateRequestSchema>;

const bytes = (text: string): Uint8Array => Buffer.from(text);
const key = (text: string): { key: Uint8Array } => ({ key: bytes(text) });
const all = { key: bytes('\0'), rangeEnd: bytes('\0') };
const prefix = (text: string): Create => ({ key: bytes(`${text}/`), rangeEnd: bytes(`${text}0`) });

/** Two servers and a stream of watches to each. */
class Both {
  readonly sides: readonly (readonly [EtcdClient, Watched])[];

  private constructor({ etcd, kelp }: SideBySide) {
    this.sides = [etcd, kelp].map((client) => [client, new Watched(client)] as const);
    onTestFinished(() => {
      for (const [, watched] of this.sides) watched.stop();
    });
  }

  static async start(): Promise<Both> {
    return new Both(await SideBySide.start());
  }

  async run(call: (client: EtcdClient) => Promise<unknown>): Promise<void> {
    for (const [client] of this.sides) await call(client);
  }

  put(name: string, value = 'v', lease = 0n): Promise<void> {
    return this.run(({ kv }) => kv.put({ key: bytes(name), value: bytes(value), lease }));
  }

  remove(range: { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array }): Promise<void> {
    return this.run(({ kv }) => kv.deleteRange(range));
  }

  ask(request: (watched: Watched) => void): void {
    for (const [, watched] of this.sides) request(watched);
  }

  /** Does to both streams what gives something to compare, and compares it. */
  async same(what: string, ask: (watched: Watched) => Promise<unknown>): Promise<unknown> {
    const [[, etcd], [, kelp]] = this.sides as [Both['sides'][0], Both['sides'][0]];
    const wanted = await ask(etcd);
    expect(await ask(kelp), what).toEqual(wanted);
    return wanted;
  }

  /** What is told of one request. */
  create(what: string, request: Create, replyCount = 1): Promise<unknown> {
    this.ask((watched) => watched.create(request));
    return this.same(what, (watched) => watched.told(replyCount));
  }
}

describe.skipIf(!hasRealEtcd)('as etcd does', () => {
  test('watches are made, told and canceled', async () => {
    const both = await Both.start();
    await both.create('all keys', all);
    await both.create('one key', key('a'));
    await both.create('a given id', { ...prefix('a'), watchId: 7n });
    await both.create('an id that is taken', { ...key('b'), watchId: 7n });
    await both.create('a negative id', { ...key('b'), watchId: -4n });
    await both.create('an empty range', { key: bytes('b'), rangeEnd: bytes('a') });
    await both.create('a range that ends as it begins', { key: bytes('b'), rangeEnd: bytes('b') });
    await both.create('the next id', { key: bytes('b'), rangeEnd: bytes('\0') });
    await both.create('no key, which is the first', {});
    await both.create('no key to the end', { rangeEnd: bytes('\0') });
    await both.put('a');
    await both.same('a put', (watched) => watchesTold(watched, 3));
    await both.put('a/1', 'w');
    await both.same('a put of a prefix', (watched) => watchesTold(watched, 3));
    await both.put('b', '');
    await both.same('an empty value', (watched) => watchesTold(watched, 4));
    await both.remove(key('a'));
    await both.same('a deletion', (watched) => watchesTold(watched, 3));
    both.ask((watched) => {
      watched.cancel(0n);
      watched.cancel(55n);
      watched.cancel(7n);
      watched.cancel(0n);
      watched.askProgress();
    });
    await both.same('cancellations', (watched) => watched.told(3));
    await both.put('a/2');
    await both.same('what is left', (watched) => watchesTold(watched, 1));
    await both.create('an id again', { ...key('a'), watchId: 7n });
  });

  test('events are filtered, and tell what was before', async () => {
    const both = await Both.start();
    const one = key('a');
    await both.create('1', { ...one, prevKv: true, watchId: 1n });
    await both.create('2', { ...one, filters: [FilterType.NOPUT], watchId: 2n, prevKv: true });
    await both.create('3', { ...one, filters: [FilterType.NODELETE], watchId: 3n });
    await both.create('4', { ...one, filters: [FilterType.NODELETE, FilterType.NOPUT], watchId: 4n });
    await both.put('a', '1');
    await both.same('a new key', (watched) => watchesTold(watched, 2));
    await both.put('a', '2');
    await both.same('a second version', (watched) => watchesTold(watched, 2));
    await both.remove(one);
    await both.same('a deletion', (watched) => watchesTold(watched, 2));
    await both.put('a', '3');
    await both.same('a new key again', (watched) => watchesTold(watched, 2));
    both.ask((watched) => watched.askProgress());
    await both.same('nothing else', (watched) => watched.told(1));
  });

  test('the events of a revision come together, in their order', async () => {
    const both = await Both.start();
    await both.create('all keys', { ...all, prevKv: true });
    await both.run(({ kv }) =>
      kv.txn({
        success: ['d', 'b', 'c', 'a'].map((name) => ({
          request: { case: 'requestPut', value: { key: bytes(name), value: bytes('v') } },
        })),
      }),
    );
    await both.same('a transaction', (watched) => watched.told(1));
    await both.run(({ kv }) =>
      kv.txn({
        success: [
          { request: { case: 'requestPut', value: { key: bytes('e') } } },
          { request: { case: 'requestDeleteRange', value: { key: bytes('b'), rangeEnd: bytes('d') } } },
          { request: { case: 'requestPut', value: { key: bytes('a') } } },
        ],
      }),
    );
    await both.same('puts and a deletion', (watched) => watched.told(1));
    await both.remove(all);
    await both.same('a deletion of all', (watched) => watched.told(1));
  });

  test('a lease that ends deletes its keys', async () => {
    const both = await Both.start();
    await both.create('all keys', { ...all, prevKv: true });
    await both.run(({ lease }) => lease.leaseGrant({ ID: 5n, TTL: 600n }));
    for (const name of ['c', 'a', 'b']) {
      await both.put(name, 'v', 5n);
      await both.same(`a put of ${name}`, (watched) => watched.told(1));
    }
    await both.run(({ lease }) => lease.leaseRevoke({ ID: 5n }));
    await both.same('the end of the lease', (watched) => watched.told(1));
  });

  test('a watch begins in the past, now and in the future', async () => {
    const both = await Both.start();
    await both.put('a', '1');
    await both.put('b', '2');
    await both.remove(key('a'));
    await both.put('a', '3');
    for (const startRevision of [1n, 2n, 3n, 4n, 5n]) {
      await both.create(`from ${startRevision}`, { ...all, startRevision, prevKv: true });
      const count = 6 - Math.max(2, Number(startRevision));
      await both.same(`events from ${startRevision}`, (watched) => watched.events(count));
      both.ask((watched) => watched.cancel(startRevision - 1n));
      await both.same('the cancellation', (watched) => watched.told(1));
    }
    await both.create('from the next revision', { ...key('a'), startRevision: 6n, watchId: 20n });
    await both.create('from a future one', { ...key('a'), startRevision: 8n, watchId: 21n });
    for (const value of ['6', '7']) {
      await both.put('a', value);
      await both.same(value, (watched) => watched.told(1));
    }
    await both.put('a', '8');
    await both.same('8', (watched) => watchesTold(watched, 2));
  });

  test('history is told as it was, in one header', async () => {
    const both = await Both.start();
    await both.put('a', '1');
    await both.put('b', '2');
    await both.create('from the last revision', { ...all, startRevision: 3n });
    await both.same('what was last', (watched) => watched.told(1));
    await both.create('from the first revision, of one key', { ...key('a'), startRevision: 1n });
    await both.same('what was first', (watched) => watched.told(1));
  });

  test('a watch that begins in what was compacted is over', async () => {
    const both = await Both.start();
    for (const value of ['1', '2', '3', '4']) await both.put('a', value);
    await both.run(({ kv }) => kv.compact({ revision: 4n }));
    const over = async (what: string, request: Create): Promise<void> => {
      both.ask((watched) => watched.create(request));
      await both.same(what, (watched) => watched.told(2));
    };
    await over('from before', { ...all, startRevision: 2n });
    await both.create('all keys', all);
    both.ask((watched) => watched.cancel(0n));
    both.ask((watched) => watched.askProgress());
    await both.same('the cancellation of what is over', (watched) => watched.told(2));
    await both.create('behind the compaction', { ...all, startRevision: 5n, watchId: 8n, prevKv: true });
    await both.same('what is behind it', (watched) => watched.told(1));
    await both.create('from the revision that was compacted to', { ...all, startRevision: 4n, watchId: 7n });
    await both.same('what is left', (watched) => watched.events(2));
    await over('with an id', { ...all, startRevision: 3n, watchId: 9n });
    await both.create('with the id again', { ...all, watchId: 9n });
  });

  test('progress is told on request', async () => {
    const both = await Both.start();
    both.ask((watched) => watched.askProgress());
    await both.same('without watches', (watched) => watched.told(1));
    await both.create('all keys', { ...all, progressNotify: true });
    await both.put('a', '1');
    await both.same('a put', (watched) => watched.told(1));
    both.ask((watched) => watched.askProgress());
    both.ask((watched) => watched.askProgress());
    await both.same('with a watch, twice', (watched) => watched.told(2));
  });
});

/** The replies for so many watches, which come in any order. */
async function watchesTold(watched: Watched, count: number): Promise<unknown> {
  const replies = (await watched.told(count)) as { readonly watchId?: string }[];
  return replies.sort((a, b) => Number(a.watchId ?? 0) - Number(b.watchId ?? 0));
}
