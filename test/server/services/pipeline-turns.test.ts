/** The pipelines of a store share the turns of the event loop, and what waits for its turn may be given up. */
import { Code } from '@connectrpc/connect';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import { fixed, serverFixed } from '../../../src/limits.ts';
import { kvMethods } from '../../../src/server/services/kv/kv.ts';
import type { BidiStreamMethod } from '../../../src/server/services/method.ts';
import {
  KiB,
  type Operation,
  batch,
  get,
  put,
  startPipeline,
  texts,
  turns,
  utf8,
} from './pipeline-harness.ts';

const { pipelineTurnVisitsMax, pipelineTurnBytesMax, pipelineFailureVisits } = serverFixed;
const batchOperations = fixed.pipelineOperationsMax;

const many = (count: number, operation: Operation): Operation[] =>
  Array.from({ length: count }, () => operation);
/** As much as all of a turn may do. */
const long: Operation = { case: 'exists', value: { keys: Array(pipelineTurnVisitsMax).fill('a') } };

/** How often something happens in one turn at most, and in all, until nothing is left to do. */
async function countsOf(turnCount: number, observe: (happens: () => void) => void) {
  let inTurn = 0;
  let inTurnMost = 0;
  let count = 0;
  observe(() => {
    count++;
    inTurnMost = Math.max(inTurnMost, ++inTurn);
  });
  for (let turn = 0; turn < turnCount; turn++) {
    inTurn = 0;
    await new Promise(setImmediate);
  }
  return { inTurnMost, count };
}

/** How many gets one turn has at most, and all have. */
function getsOf(store: KvStore, sendAll: () => void): ReturnType<typeof countsOf> {
  return countsOf(60, (happens) => {
    const getVisible = store.getVisible.bind(store);
    store.getVisible = (...args) => {
      happens();
      return getVisible(...args);
    };
    sendAll();
  });
}

describe('of what has come for many streams one turn does', () => {
  const STREAMS = 20;

  async function startMany(...operations: Operation[]) {
    const started = await startPipeline({ replyBytesMax: 10_000_000, callBytesMax: 1_000_000_000 });
    const streams = Array.from({ length: STREAMS }, () => started.open());
    const sendAll = (): void => streams.forEach(({ send }) => send(batch(...operations)));
    return { ...started, streams, sendAll };
  }

  test('so many operations, and all are answered in the end', async () => {
    const { store, table, streams, sendAll } = await startMany(...many(batchOperations, get('a')));
    const { inTurnMost, count } = await getsOf(store, sendAll);
    expect([inTurnMost, count]).toEqual([pipelineTurnVisitsMax, STREAMS * batchOperations]);
    for (const { replies } of streams) expect(texts(await replies.next())).toHaveLength(batchOperations);
    expect(table.size).toBe(STREAMS + 1);
    await store.close();
  });

  test('so many as do not take too long', async () => {
    const { store, clock, streams, sendAll } = await startMany(...many(batchOperations, get('a')));
    let readMs = 0;
    clock.monotonicMs = () => ++readMs;
    // The clock is looked at behind each 16, and when a batch begins.
    const most = 16 * (fixed.turnMs + 1);
    const { inTurnMost } = await getsOf(store, sendAll);
    expect(inTurnMost).toBeGreaterThan(16);
    expect(inTurnMost).toBeLessThanOrEqual(most);
    for (const { replies } of streams) expect(texts(await replies.next())).toHaveLength(batchOperations);
    await store.close();
  });

  test('the reading of so many batches', async () => {
    const { store, sendAll } = await startMany(...many(batchOperations, get('a')));
    const { codecs } = kvMethods.pipeline as BidiStreamMethod;
    const { inTurnMost, count } = await countsOf(60, (happens) => {
      const read = codecs.read.bind(codecs);
      const spy = vi.spyOn(codecs, 'read').mockImplementation((...args) => {
        happens();
        return read(...args);
      });
      onTestFinished(() => spy.mockRestore());
      sendAll();
    });
    expect([inTurnMost, count]).toEqual([Math.ceil(pipelineTurnVisitsMax / batchOperations), STREAMS]);
    await store.close();
  });

  test('so many keys, though few operations name them', async () => {
    const { store, sendAll } = await startMany(long, long);
    const { inTurnMost, count } = await countsOf(60, (happens) => {
      const existsVisible = store.existsVisible.bind(store);
      store.existsVisible = (...args) => {
        happens();
        return existsVisible(...args);
      };
      sendAll();
    });
    expect([inTurnMost, count]).toEqual([1, 2 * STREAMS]);
    await store.close();
  });

  test('so many bytes of values', async () => {
    const { store, sendAll } = await startMany(get('long'), get('long'));
    await store.put('long', 'v'.repeat(KiB * KiB));
    const { inTurnMost, count } = await getsOf(store, sendAll);
    expect([inTurnMost, count]).toEqual([pipelineTurnBytesMax / (KiB * KiB), 2 * STREAMS]);
    await store.close();
  });

  test('so many bytes of requests', async () => {
    const value = utf8.encode('v'.repeat(KiB * KiB));
    const { store, sendAll } = await startMany({ case: 'put', value: { key: 'a', value } });
    let ran = 0;
    const { inTurnMost, count } = await countsOf(60, (happens) => {
      const together = store.together.bind(store);
      store.together = (...args) => {
        happens();
        ran++;
        return together(...args);
      };
      sendAll();
    });
    expect([inTurnMost, count, ran]).toEqual([pipelineTurnBytesMax / (KiB * KiB), STREAMS, STREAMS]);
    await store.close();
  });
});

test.each([
  ['fail', { case: 'put', value: { key: '' } }],
  ['can not be read', undefined],
] as const)('operations that %s pay for the time that they take', async (_, operation) => {
  const { store, replies, send, sendBytes } = await startPipeline();
  const pause = vi.spyOn(store, 'pause');
  if (operation === undefined) sendBytes(Buffer.alloc(3 * batchOperations, Buffer.of(0x0a, 1, 7)));
  else send(batch(...many(batchOperations, operation)));
  expect(texts(await replies.next())).toEqual(
    Array.from({ length: batchOperations }, () => [Code.InvalidArgument, expect.any(String)]),
  );
  const inTurn = Math.ceil(pipelineTurnVisitsMax / (1 + pipelineFailureVisits));
  expect(pause).toHaveBeenCalledTimes(Math.ceil(batchOperations / inTurn) - 1);
  await store.close();
});

test('an operation whose caller has waited for the turns of others in vain is not begun', async () => {
  const { store, replies, open, send } = await startPipeline();
  let nowMs = 1000;
  const now = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  onTestFinished(() => now.mockRestore());
  const other = open();
  other.send(batch(long));
  // Of its batch the second is one turn later than the first, and the first one later than the other stream.
  const pause = store.pause.bind(store);
  store.pause = () => {
    nowMs += 10;
    return pause();
  };
  const timed = (operation: Operation, timeoutMs: number) => ({ operation, timeoutMs });
  send({
    operations: [
      timed(put('late'), 10),
      timed(long, 11),
      timed(put('later'), 20),
      timed(put('b'), 21),
      timed(put('c'), 0),
    ],
  });
  const late = [Code.DeadlineExceeded, 'the operation timed out'];
  const results = texts(await replies.next());
  expect([results[0], ...results.slice(2)]).toEqual([late, late, 'revision 1', 'revision 2']);
  expect(store.existsVisible(['late', 'later', 'b', 'c']).exists).toEqual([false, false, true, true]);
  await store.close();
});

describe('a batch that is in the middle', () => {
  async function startInTheMiddle() {
    const started = await startPipeline();
    const paused = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const pause = started.store.pause.bind(started.store);
    started.store.pause = async () => {
      paused.resolve();
      await goOn.promise;
      await pause();
    };
    started.send(batch(put('a'), long, put('b')));
    await paused.promise;
    return { ...started, goOn: () => goOn.resolve() };
  }

  test('is given up when its client is gone, and nothing is held', async () => {
    const { store, table, call, goOn } = await startInTheMiddle();
    call.close();
    goOn();
    await turns();
    expect((await store.exists(['a', 'b'])).exists).toEqual([true, false]);
    expect([table.size, table.heldBytes]).toEqual([0, 0]);
    await store.close();
  });

  test('is given up when the deadline of its stream has passed', async () => {
    const { store, call, replies, goOn } = await startInTheMiddle();
    const reply = replies.next();
    call.abort(new Error('too late'));
    goOn();
    await expect(reply).rejects.toThrow('too late');
    expect((await store.exists(['a', 'b'])).exists).toEqual([true, false]);
    await store.close();
  });

  test('is finished and answered when the server stops', async () => {
    const { store, call, replies, goOn } = await startInTheMiddle();
    call.endByServer();
    goOn();
    const results = texts(await replies.next());
    expect([results[0], results.at(-1)]).toEqual(['revision 1', 'revision 2']);
    await expect(replies.next()).rejects.toMatchObject({ code: 'stopping' });
    await store.close();
  });

  test('is not finished when the server stops and its client is gone', async () => {
    const { store, call, goOn } = await startInTheMiddle();
    call.endByServer();
    call.close();
    goOn();
    await turns();
    expect((await store.exists(['a', 'b'])).exists).toEqual([true, false]);
    await store.close();
  });
});
