/** What a transaction publishes that fails as a whole, or is tried again. */
import { expect, test } from 'vitest';
import { Channels } from '../../../../src/server/redis/pubsub/channels.ts';
import { Delivery } from '../../../../src/server/redis/pubsub/delivery.ts';
import type { Subscriber } from '../../../../src/server/redis/pubsub/subscriber.ts';

const CHANNEL = Buffer.from('news');

function listening(): { readonly delivery: Delivery; readonly pushed: string[] } {
  const pushed: string[] = [];
  const subscriber = {
    protocolVersion: 2,
    figures: { outputBytes: 0 },
    push: (bytes: Uint8Array) => void pushed.push(Buffer.from(bytes).toString().split('\r\n').at(-2) ?? ''),
    onClose: () => undefined,
    subscriptionCounts: { channels: 0, patterns: 0, shardChannels: 0 },
    isLoggedIn: true,
    mayReadAllKeys: true,
  } as unknown as Subscriber;
  const channels = new Channels();
  channels.listen('channel', 'news', subscriber);
  const seam = {
    committedSequence: 1,
    durableSequence: 1,
    failure: undefined,
    onDurable: () => () => undefined,
  };
  return { delivery: new Delivery({ seam, channels, yieldNow: (run) => run() }), pushed };
}

test('is not told, and what the second try publishes is told once', async () => {
  const { delivery, pushed } = listening();
  delivery.transactionBegins();
  expect(delivery.publishBehind('channel', CHANNEL, Buffer.from('first try'))).toBe(1);
  delivery.transactionFailed();
  delivery.transactionBegins();
  delivery.publishBehind('channel', CHANNEL, Buffer.from('second try'));
  await Promise.resolve();
  await Promise.resolve();
  expect(pushed).toEqual(['second try']);
});

test('leaves what the transaction before it in the same turn has published', async () => {
  const { delivery, pushed } = listening();
  delivery.transactionBegins();
  delivery.publishBehind('channel', CHANNEL, Buffer.from('of the one before'));
  delivery.transactionBegins();
  delivery.publishBehind('channel', CHANNEL, Buffer.from('of the one that fails'));
  delivery.transactionFailed();
  await Promise.resolve();
  expect(pushed).toEqual(['of the one before']);
});
