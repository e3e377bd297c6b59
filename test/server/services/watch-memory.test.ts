/** What the service of watches holds of messages: nothing that is sent, nothing that was not admitted. */
import { allowed } from '../../support/open-access.ts';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { WatchMessage, WatchRequest } from '../../../src/api.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import type { CallChannel } from '../../../src/server/calls/call.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import type { PushedReplies } from '../../../src/server/services/method.ts';
import { watchMethods } from '../../../src/server/services/watch/watch.ts';
import type { PulledWatch, WatchForm } from '../../../src/store/watch/messages/pulled-watch.ts';

const channel: CallChannel = { cut: () => undefined };

/** A watch whose messages a test makes; `take` hands out those that `next` returns. */
function watchOf<Item>(next: () => WatchMessage | undefined, form: WatchForm<Item>): PulledWatch<Item> {
  return {
    isOver: false,
    isIdle: false,
    pulledRevision: 0,
    take() {
      const message = next();
      return message === undefined ? undefined : form.make(message);
    },
    end: () => undefined,
  };
}

test('a message that is sent is not kept while the next one is waited for', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const sent: WeakRef<object>[] = [];
  const next = (): WatchMessage | undefined => {
    if (sent.length > 0) return undefined;
    const message: WatchMessage = { kind: 'current', entries: [], revision: 1, incarnation: '' };
    sent.push(new WeakRef(message));
    return message;
  };
  const table = new CallTable({ callsMax: 1, callBytesMax: 1000, replyBytesMax: 400 });
  const replies = callService(table, next, (bytes) => sent.push(new WeakRef(bytes)));
  replies.goOn();
  expect(sent).toHaveLength(2);
  return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    collect();
    expect(sent.map((reference) => reference.deref())).toEqual([undefined, undefined]);
    replies.stop();
  });
});

/** A call of the service over a store with these messages; what it sends is written at once. */
function callService(
  table: CallTable,
  next: () => WatchMessage | undefined,
  onSent: (message: Buffer) => void,
): PushedReplies {
  const method = watchMethods.watch;
  if (method.kind !== 'pushStream') throw new Error('the service has no watch');
  const openWatch = <Item>(_: WatchRequest, form: WatchForm<Item>): PulledWatch<Item> => watchOf(next, form);
  const store = { storeId: 'store', openWatch } as Partial<KvStore> as KvStore;
  const call = allowed(table.open(channel, true));
  const outlet = {
    send: (message: Buffer) => {
      onSent(message);
      return true;
    },
    finish: () => undefined,
  };
  return method.open(store, method.codecs.read(Buffer.alloc(0), 0, 0), call, outlet);
}
