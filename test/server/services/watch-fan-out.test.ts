/** The service of watches over a store, as a door uses it: what is sent to several streams, and what each has of its own. */
import { allowed } from '../../support/open-access.ts';
import { expect, onTestFinished, test } from 'vitest';
import {
  type WatchRequestShape,
  type WatchResponseShape,
  emptyWatchRequest,
  readWatchResponse,
} from '../../../gen/kelp/v1/watch_codec.ts';
import { emptyKeyRange } from '../../../gen/kelp/v1/types_codec.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import { openUncheckedStore } from '../../../src/kv/open-store.ts';
import type { Call } from '../../../src/server/calls/call.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import { PREFIX_BYTES } from '../../../src/server/services/envelope.ts';
import type { PushedReplies, ReplyOutlet } from '../../../src/server/services/method.ts';
import { watchMethods } from '../../../src/server/services/watch/watch.ts';
import { engineOfStore } from '../../store/model/engine-of-harness.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';

const table = new CallTable({ callsMax: 1000, callBytesMax: 64_000_000, replyBytesMax: 8_000_000 });

/** A stream of one watch whose client reads, or does not. */
class Stream implements ReplyOutlet {
  readonly sent: Buffer[] = [];
  readonly call: Call = allowed(table.open({ cut: () => undefined }, true));
  isBlocked = false;
  error: unknown;
  readonly #replies: PushedReplies;

  constructor(store: KvStore, request: Partial<WatchRequestShape> = {}) {
    const method = watchMethods.watch;
    if (method.kind !== 'pushStream') throw new Error('watches are pushed');
    this.#replies = method.open(store, { ...emptyWatchRequest(), ...request }, this.call, this);
    this.call.stopOnAbort(this.#replies);
    onTestFinished(() => this.call.close());
    this.#replies.goOn();
  }

  send(message: Buffer): boolean {
    this.sent.push(message);
    return !this.isBlocked;
  }

  finish(error: unknown): void {
    this.error ??= error;
  }

  /** The client has read what was sent. */
  drain(): void {
    this.isBlocked = false;
    this.#replies.goOn();
  }

  get messages(): WatchResponseShape[] {
    return this.sent.map((bytes) => {
      expect([bytes[0], bytes.readUInt32BE(1)]).toEqual([0, bytes.length - PREFIX_BYTES]);
      return readWatchResponse(bytes, PREFIX_BYTES, bytes.length);
    });
  }

  /** The revisions of the messages with events, and the first key of each. */
  get events(): (readonly [number, string | undefined])[] {
    return this.messages.flatMap(({ message }) =>
      message.case === 'events'
        ? [[message.value.revision, message.value.events[0]?.entry?.key] as const]
        : [],
    );
  }
}

async function openStore(): Promise<{ store: KvStore; clock: ManualClock; incarnation: string }> {
  const clock = new ManualClock();
  const random = new SeededRandom(1);
  const disk = new SimulatedDisk({ seed: 1 });
  const store = await openUncheckedStore({
    dataDir: '/data',
    disk,
    clock,
    random,
    ...engineOfStore(),
  });
  onTestFinished(() => store.close());
  await store.put('first', '');
  const { incarnation } = await store.status();
  return { store, clock, incarnation };
}

test('streams that want the same are sent the same bytes, and others are not', async () => {
  const { store, clock } = await openStore();
  const ranges = [{ ...emptyKeyRange(), key: 'a' }];
  const streams = Array.from({ length: 10 }, () => new Stream(store, { ranges }));
  const withoutValues = new Stream(store, { ranges, keysOnly: true });
  for (const value of ['one', 'two', 'three']) await store.put('a', value);
  await clock.settled();
  const [first, ...others] = streams;
  for (const { sent } of others) {
    expect(sent).toHaveLength(4);
    for (let index = 1; index < sent.length; index++) expect(sent[index]).toBe(first?.sent[index]);
  }
  expect(first?.events).toEqual([2, 3, 4].map((revision) => [revision, 'a']));
  expect(withoutValues.events).toEqual(first?.events);
  expect(withoutValues.sent[1]?.length).toBe((first?.sent[1]?.length ?? 0) - 'one'.length - 2);
});

test('the store and its incarnation are told in the first message of each stream alone, whatever that is', async () => {
  const { store, clock, incarnation } = await openStore();
  const early = new Stream(store, { startRevision: 2 });
  const usual = [new Stream(store, { startRevision: 2 }), new Stream(store, { startRevision: 2 })];
  await store.put('a', 'one');
  await clock.settled();
  const late = new Stream(store, { startRevision: 2 });
  await store.put('a', 'two');
  await clock.settled();
  for (const { messages } of [early, ...usual, late]) {
    const { storeId } = store;
    const [first, ...rest] = messages.map((message) => [message.storeId, message.incarnation]);
    expect(first).toEqual([storeId, incarnation]);
    expect(rest).toEqual([
      ['', ''],
      ['', ''],
    ]);
  }
  expect(early.messages.map(({ message }) => message.case)).toEqual(['synced', 'events', 'events']);
  expect(late.messages.map(({ message }) => message.case)).toEqual(['events', 'synced', 'events']);
  expect(late.events).toEqual(early.events);
});

test('a stream that is not read holds one message, the others nothing; it misses nothing', async () => {
  const { store, clock } = await openStore();
  const slow = new Stream(store);
  const fast = [new Stream(store), new Stream(store)];
  slow.isBlocked = true;
  for (let count = 0; count < 100; count++) {
    await store.put(`k${count}`, Buffer.alloc(1000));
    await clock.settled();
  }
  expect(slow.events).toEqual([[2, 'k0']]);
  expect(slow.call.heldBytes).toBeGreaterThan(1000);
  expect(slow.call.heldBytes).toBeLessThan(2000);
  for (const { call, events } of fast) {
    expect(call.heldBytes).toBe(0);
    expect(events).toHaveLength(100);
  }
  slow.drain();
  await clock.settled();
  expect(slow.events).toEqual(fast[0]?.events);
  expect(slow.call.heldBytes).toBe(0);
});

test('a stream that the server ends names the revision behind what was written', async () => {
  const { store, clock } = await openStore();
  const [read, unread] = [new Stream(store), new Stream(store)];
  unread.isBlocked = true;
  await store.put('a', '');
  await clock.settled();
  await store.put('a', '');
  await clock.settled();
  for (const { call } of [read, unread]) call.endByServer();
  expect(read.error).toMatchObject({ resumeRevision: 4 });
  // What was sent to it may still be written.
  expect(unread.error).toBeUndefined();
  unread.drain();
  expect(unread.error).toMatchObject({ resumeRevision: 3 });
  expect((await store.status()).watcherCount).toBe(0);
});
