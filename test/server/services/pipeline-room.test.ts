/** Batches whose operations find memory full of changes that a checkpoint writes wait for it, each stream as a whole and in its order. */
import { expect, onTestFinished, test } from 'vitest';
import { grpcCode } from '../../../src/grpc-code.ts';
import { fixed } from '../../../src/limits.ts';
import { Bases } from '../../store/durable/layered-store.ts';
import { batch, get, put, startPipeline, texts, turns } from './pipeline-harness.ts';

const MIB = 1024 * 1024;
const LONG = 'v'.repeat(0.6 * MIB);
const COUNT = 32;

/** Less memory is free than a long value takes, and some writes of others wait. */
async function startFull() {
  const bases = new Bases();
  bases.hold();
  const storeOptions = { engine: 'lsm', makeEngine: bases.makeEngine, memoryBytesMax: 16 * MIB } as const;
  const pipeline = await startPipeline({ replyBytesMax: MIB, callBytesMax: 64 * MIB, storeOptions });
  const { store, clock } = pipeline;
  const filling = Array.from({ length: COUNT }, (_, index) =>
    store.put(`k${index}`, LONG, {}, {}).catch(() => undefined),
  );
  await turns();
  const letGo = async (): Promise<void> => {
    bases.letGo();
    for (let turn = 0; turn < 10; turn++) {
      await turns();
      await clock.pass(fixed.heldAnswerLookMs);
    }
    await Promise.all(filling);
  };
  onTestFinished(() => letGo());
  const waitingCount = (): number => store.figures().waitingWrites.count;
  expect(waitingCount()).toBeGreaterThan(0);
  return { ...pipeline, waitingCount, letGo };
}

const remove = (key: string) => ({ case: 'delete', value: { key } }) as const;

test('what stands behind an operation that waits comes behind it, in its batch and in the next ones', async () => {
  const { store, send, replies, letGo } = await startFull();
  send(batch(put('a', 'first'), put('long', LONG), put('a', 'second'), remove('k0'), get('a')));
  send(batch(put('a', 'third'), put('long', LONG)));
  await turns();
  expect((await store.exists(['a', 'long', 'k0'])).exists).toEqual([true, false, true]);
  await letGo();
  const first = texts(await replies.next());
  const second = texts(await replies.next());
  expect(first.slice(3)).toEqual([true, 'second']);
  const revisions = [...first.slice(0, 3), ...second].map((text) =>
    Number(/^revision (\d+)$/.exec(String(text))?.[1]),
  );
  expect(revisions).toEqual(revisions.toSorted((one, other) => one - other));
  expect((await store.exists(['k0'])).exists).toEqual([false]);
});

test('where waiting was in vain what needs room is refused, and the rest of the batch goes on', async () => {
  const { clock, store, send, replies } = await startFull();
  send(batch(put('long', LONG), remove('k0'), put('longer', LONG + LONG)));
  await clock.pass(fixed.roomWaitMsMax - 1);
  expect((await store.exists(['k0'])).exists).toEqual([true]);
  await clock.pass(1);
  await turns();
  await clock.pass(fixed.heldAnswerMsMax);
  const refused = [grpcCode.ResourceExhausted, expect.stringContaining('try again in a moment')];
  expect(texts(await replies.next())).toEqual([refused, true, refused]);
});

test('a client that is gone waits no more, and nothing of it happens', async () => {
  const { call, store, send, waitingCount, letGo } = await startFull();
  const before = waitingCount();
  send(batch(put('long', LONG), put('short')));
  await turns();
  expect(waitingCount()).toBe(before + 1);
  call.close();
  await turns();
  expect(waitingCount()).toBe(before);
  await letGo();
  expect((await store.exists(['long', 'short'])).exists).toEqual([false, false]);
});
