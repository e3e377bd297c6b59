/** What a watch of the console keeps, and how it goes on behind breaks and pauses. */
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import {
  EventType,
  EventsSchema,
  type WatchResponse,
  WatchResponseSchema,
} from '../../gen/kelp/v1/watch_pb.ts';
import { ChangeFeed, type FeedStart } from '../../src/console/watch/change-feed.ts';

/** Until all that can go on by itself has. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Streams that are fed by hand. */
class Streams {
  readonly starts: FeedStart[] = [];
  readonly lost: string[] = [];
  frameCount = 0;
  #queue: (WatchResponse | ConnectError)[] = [];
  #wake = (): void => undefined;

  async *open(start: FeedStart, signal: AbortSignal): AsyncIterable<WatchResponse> {
    this.starts.push(start);
    this.#queue = [];
    while (!signal.aborted) {
      const next = this.#queue.shift();
      if (next instanceof ConnectError) throw next;
      if (next !== undefined) yield next;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async send(...messages: (WatchResponse | ConnectError)[]): Promise<void> {
    await settled();
    this.#queue.push(...messages);
    this.#wake();
    await settled();
  }

  feed(itemsMax: number): ChangeFeed {
    const feed = new ChangeFeed(
      {
        open: (start, signal) => this.open(start, signal),
        lost: ({ message }) => this.lost.push(message),
        onFrame: (callback) => {
          this.frameCount++;
          queueMicrotask(callback);
        },
      },
      itemsMax,
    );
    feed.resume();
    return feed;
  }
}

interface Told {
  readonly storeId?: string;
  readonly incarnation?: string;
  readonly moreFragments?: boolean;
}

function events(
  revision: number,
  keys: readonly string[],
  { storeId = '', incarnation = '', moreFragments = false }: Told = {},
): WatchResponse {
  return create(WatchResponseSchema, {
    storeId,
    incarnation,
    message: {
      case: 'events',
      value: create(EventsSchema, {
        revision: BigInt(revision),
        moreFragments,
        events: keys.map((key) => ({ type: EventType.PUT, entry: { key } })),
      }),
    },
  });
}

function synced(revision: number): WatchResponse {
  return create(WatchResponseSchema, {
    storeId: 's',
    incarnation: 'i',
    message: { case: 'synced', value: { revision: BigInt(revision) } },
  });
}

/** The newest first. */
function shown(feed: ChangeFeed): string[] {
  return Array.from({ length: feed.keptCount }, (_, age) => {
    const item = feed.item(age);
    return item === undefined || item.kind === 'gap' ? 'gap' : String(item.key);
  });
}

test('the newest stand first, and no more than it may keep', async () => {
  const streams = new Streams();
  const feed = streams.feed(3);
  await streams.send(synced(0), ...['a', 'b', 'c', 'd', 'e'].map((key, index) => events(index + 1, [key])));
  expect(shown(feed)).toEqual(['e', 'd', 'c']);
  expect([feed.itemCount.value, feed.revision.value]).toEqual([5, 5n]);
});

test('however many come, they are drawn once for each frame', async () => {
  const streams = new Streams();
  const frames: (() => void)[] = [];
  const feed = new ChangeFeed(
    {
      open: (start, signal) => streams.open(start, signal),
      lost: () => undefined,
      onFrame: (callback) => frames.push(callback),
    },
    10,
  );
  feed.resume();
  await streams.send(synced(0), ...Array.from({ length: 100 }, (_, index) => events(index + 1, ['k'])));
  expect([frames.length, feed.itemCount.value]).toEqual([1, 0]);
  frames.shift()?.();
  expect(feed.itemCount.value).toBe(100);
});

test('a stream that breaks goes on behind the last whole revision, of the same store and history', async () => {
  const streams = new Streams();
  const feed = streams.feed(10);
  await streams.send(
    synced(3),
    events(4, ['a']),
    events(5, ['b', 'c'], { moreFragments: true, incarnation: 'j' }),
  );
  expect(shown(feed)).toEqual(['a']);
  await streams.send(new ConnectError('gone', Code.Unavailable));
  expect([feed.state.value, streams.lost]).toEqual(['waiting', ['gone']]);
  feed.retry();
  await streams.send(
    events(5, ['b', 'c'], { moreFragments: true, storeId: 's', incarnation: 'j' }),
    events(5, ['d']),
  );
  expect(shown(feed)).toEqual(['d', 'c', 'b', 'a']);
  await streams.send(new ConnectError('gone', Code.Unavailable));
  feed.retry();
  expect(streams.starts).toEqual([
    { startRevision: 0n, storeId: '', incarnation: '' },
    { startRevision: 5n, storeId: 's', incarnation: 'i' },
    { startRevision: 6n, storeId: 's', incarnation: 'j' },
  ]);
});

test('a pause reads nothing and loses nothing', async () => {
  const streams = new Streams();
  const feed = streams.feed(10);
  await streams.send(synced(3), events(4, ['a']));
  feed.pause();
  expect(feed.state.value).toBe('paused');
  feed.retry();
  expect(streams.starts.length).toBe(1);
  feed.resume();
  await streams.send(events(5, ['b']));
  expect(streams.starts.at(-1)?.startRevision).toBe(5n);
  expect(shown(feed)).toEqual(['b', 'a']);
});

test('a pause before the stream has told where it begins waits for that, and goes on from there', async () => {
  const streams = new Streams();
  const feed = streams.feed(10);
  feed.pause();
  await streams.send(synced(3), events(4, ['a']));
  expect([feed.state.value, shown(feed)]).toEqual(['paused', []]);
  feed.resume();
  await streams.send(events(4, ['a']));
  expect(streams.starts.map(({ startRevision }) => startRevision)).toEqual([0n, 4n]);
  expect(shown(feed)).toEqual(['a']);
});

test('a pause that ends before the stream has told where it begins goes on with that stream', async () => {
  const streams = new Streams();
  const feed = streams.feed(10);
  feed.pause();
  feed.resume();
  await streams.send(synced(3), events(4, ['a']));
  expect([streams.starts.length, feed.state.value, shown(feed)]).toEqual([1, 'reading', ['a']]);
});

test('a stream that breaks in a pause before it has told where it begins leaves a gap', async () => {
  const streams = new Streams();
  const feed = streams.feed(10);
  feed.pause();
  await streams.send(new ConnectError('gone', Code.Unavailable));
  expect([feed.state.value, streams.lost, shown(feed)]).toEqual(['paused', ['gone'], ['gap']]);
});

test('where it can not go on a gap is shown, and it begins anew', async () => {
  const streams = new Streams();
  const feed = streams.feed(10);
  await streams.send(synced(3), events(4, ['a']), new ConnectError('compacted', Code.OutOfRange));
  await streams.send(synced(90), events(91, ['b']));
  expect(shown(feed)).toEqual(['b', 'gap', 'a']);
  expect(streams.starts.at(-1)).toEqual({ startRevision: 0n, storeId: '', incarnation: '' });
});

test('what may not be read is told, and ends it', async () => {
  const streams = new Streams();
  const feed = streams.feed(10);
  await streams.send(new ConnectError('not allowed', Code.PermissionDenied));
  expect([feed.state.value, feed.failure.value?.message]).toEqual(['refused', 'not allowed']);
  expect(streams.starts.length).toBe(1);
});
