/** What the service of watches holds of messages: nothing that is sent, nothing that was not admitted. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { WatchMessage, WatchRequest } from '../../src/api.ts';
import type { KvStore } from '../../src/kv/kv-store.ts';
import { type CallChannel, CallTable } from '../../src/server/calls/calls.ts';
import { watchMethods } from '../../src/server/services/watch.ts';

const channel: CallChannel = { cut: () => undefined };

/** A call of the service over a store with these messages. */
function callService(
  table: CallTable,
  watch: (request: WatchRequest) => AsyncIterableIterator<WatchMessage>,
) {
  const method = watchMethods.watch;
  if (method.kind !== 'serverStream') throw new Error('the service has no watch');
  const store = { storeId: 'store', watch } as Partial<KvStore> as KvStore;
  const call = table.open(channel, true);
  const request = method.codecs.read(Buffer.alloc(0), 0, 0);
  return method.run(store, request, call, call.signal)[Symbol.asyncIterator]();
}

test('a message that is sent is not kept while the next one is waited for', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let sent: WeakRef<WatchMessage> | undefined;
  const messages = {
    [Symbol.asyncIterator]: () => messages,
    next(): Promise<IteratorResult<WatchMessage>> {
      if (sent !== undefined) return new Promise(() => {});
      const message: WatchMessage = { kind: 'current', entries: [], revision: 1, incarnation: '' };
      sent = new WeakRef(message);
      return Promise.resolve({ done: false, value: message });
    },
  };
  const table = new CallTable({ callsMax: 1, callBytesMax: 1000, replyBytesMax: 400 });
  const responses = callService(table, () => messages);
  await responses.next();
  void responses.next();
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  collect();
  expect(sent?.deref()).toBeUndefined();
});
