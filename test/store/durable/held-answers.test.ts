/** Writes that outrun the disk wait for it, and are not refused; clients that do not wait for answers come to the memory limit. */
import { describe, expect, it } from 'vitest';
import { DiskError } from '../../../src/disk/disk.ts';
import { RetryLaterError } from '../../../src/errors.ts';
import { fixed } from '../../../src/limits.ts';
import { allPairs, refused, valueOf } from '../model/readable.ts';
import { openLayered } from './layered-store.ts';

const MIB = 1024 * 1024;
const VALUE = Buffer.alloc(64 * 1024, 'v');

describe('while a checkpoint is written slowly', () => {
  it('writes wait, reads do not, and all that was acknowledged is there', async () => {
    const { harness, bases } = await openLayered({ memoryBytesMax: 16 * MIB });
    const { store } = harness;
    bases.hold();
    const acknowledged: string[] = [];
    const state = { isOver: false };
    const write = async (): Promise<void> => {
      for (let index = 0; !state.isOver; index++) {
        const key = `k${index}`;
        await store.put(key, VALUE);
        acknowledged.push(key);
      }
    };
    const writing = write();
    while ((await store.status()).memoryBytes <= 14 * MIB) await new Promise(setImmediate);
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    const before = acknowledged.length;
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    expect(acknowledged.length).toBe(before);
    // It is durable, and shown.
    expect((await store.get(`k${before}`)).entry?.value.length).toBe(VALUE.length);
    expect((await store.count({})).count).toBe(before + 1);
    state.isOver = true;
    bases.letGo();
    await harness.advance(1000);
    await writing;
    expect((await store.status()).memoryBytes).toBeLessThan(14 * MIB);
    await harness.crash('losePower');
    const keys = (await allPairs(harness.store)).map((pair) => pair.slice(0, pair.indexOf('=')));
    expect(keys).toEqual(expect.arrayContaining(acknowledged));
  });

  it('no answer is held for longer than its limit, and the memory limit refuses in the end', async () => {
    const { harness, bases } = await openLayered({ memoryBytesMax: 16 * MIB });
    const { store } = harness;
    bases.hold();
    const errors: unknown[] = [];
    const write = async (): Promise<void> => {
      for (let index = 0; ; index++) await store.put(`k${index}`, VALUE);
    };
    const writing = write().catch((reason: unknown) => errors.push(reason));
    while (errors.length === 0) await harness.advance(fixed.heldAnswerMsMax + fixed.heldAnswerLookMs);
    await writing;
    expect(errors[0]).toMatchObject({
      code: 'limitReached',
      message: expect.stringMatching(
        /the engine lsm has .* of changes to write to its files, which is under way/,
      ),
    });
    bases.letGo();
    await harness.told('checkpointWritten');
    await store.put('again', 'v');
    expect(await valueOf(store, 'again')).toBe('v');
  });
});

describe('while checkpoints fail', () => {
  it('writes that find no room are refused at once and told why, and go on with the first that is written', async () => {
    const { harness, bases } = await openLayered({ memoryBytesMax: 16 * MIB });
    const { clock, store } = harness;
    bases.failure = new DiskError('failed', 'write kelp.run: the device reports an error (EIO)');
    const errors: unknown[] = [];
    const write = async (): Promise<void> => {
      for (let index = 0; errors.length === 0; index++)
        await store.put(`k${index}`, VALUE).catch((error: unknown) => errors.push(error));
    };
    await write();
    const message =
      /uses .* of the 16\.0 MiB .*the engine lsm has .* of changes to write to its files, and its checkpoints fail: write kelp\.run: .*\(EIO\); see to the disk\. One is tried every 5 seconds, and writes go on/;
    expect(errors).toEqual([
      expect.objectContaining({ code: 'limitReached', message: expect.stringMatching(message) }),
    ]);
    // Nothing tells a client to try again in a moment.
    expect(errors[0]).not.toBeInstanceOf(RetryLaterError);
    const beginMs = clock.monotonicMs();
    await expect(store.put('more', VALUE)).rejects.toThrow(message);
    await store.delete('k0');
    expect((await store.get('k1')).entry?.value.length).toBe(VALUE.length);
    expect(clock.monotonicMs()).toBe(beginMs);

    // Others fail as well.
    await harness.advance(2 * fixed.checkpointRetryMs);
    await expect(store.put('more', VALUE)).rejects.toThrow(message);

    bases.failure = undefined;
    await harness.advance(fixed.checkpointRetryMs);
    await harness.told('checkpointWritten');
    await store.put('more', VALUE);
    expect((await store.status()).memoryBytes).toBeLessThan(16 * MIB);
  });

  it('those that waited for the first that fails are refused with it', async () => {
    const { harness, bases } = await openLayered({ memoryBytesMax: 16 * MIB });
    const { clock, store } = harness;
    bases.hold();
    const errors: unknown[] = [];
    const writing = Array.from({ length: 400 }, (_, index) =>
      store.put(`k${index}`, VALUE).catch((error: unknown) => errors.push(error)),
    );
    // All that find no room wait.
    while ((await store.status()).memoryBytes <= 14 * MIB) await new Promise(setImmediate);
    await clock.settled();
    expect(errors).toEqual([]);
    bases.failure = new DiskError('failed', 'write kelp.run: the device reports an error (EIO)');
    bases.letGo();
    await harness.told('checkpointFailed');
    // Answers that were held are looked at by and by, and refusals come behind them.
    await harness.advance(fixed.heldAnswerLookMs);
    await Promise.all(writing);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(String(error)).toMatch(/its checkpoints fail/);
  });
});

it('says that keys must fit, where they do not', async () => {
  const { harness, bases } = await openLayered({ memoryBytesMax: 16 * MIB });
  await harness.store.put('k', 'v');
  await harness.store.snapshot();
  Object.defineProperty(bases.newest, 'memoryBytes', { value: 16 * MIB });
  await refused(harness.store.put('k', VALUE), 'limitReached');
  await expect(harness.store.put('k', VALUE)).rejects.toThrow(/the engine lsm needs that for its indexes/);
  await harness.store.delete('k');
});

it('answers are held only while a checkpoint is under way, though what does not change takes most of the memory', async () => {
  const { harness, bases } = await openLayered({ memoryBytesMax: 128 * MIB });
  const { clock, store } = harness;
  await store.put('k', 'v');
  await store.snapshot();
  // Beyond this share of the limit memory is pressed. A checkpoint begins with a quarter of the rest: 3.5 MiB.
  Object.defineProperty(bases.newest, 'memoryBytes', { value: 114 * MIB });
  const beginMs = clock.monotonicMs();
  for (let index = 0; index < 200; index++) {
    const state = { isAnswered: false };
    const put = store.put(`k${index}`, VALUE).then(() => (state.isAnswered = true));
    for (let turn = 0; turn < 100 && !state.isAnswered; turn++) await new Promise(setImmediate);
    while (!state.isAnswered) await harness.advance(fixed.heldAnswerLookMs);
    await put;
  }
  expect(bases.newest.flushes).toBeGreaterThan(2);
  expect(clock.monotonicMs() - beginMs).toBeLessThan(200);
});

it('a write that is longer than the limit waits for no checkpoint', async () => {
  const { harness, bases } = await openLayered({ memoryBytesMax: 4 * MIB });
  const { clock, store } = harness;
  const beginMs = clock.monotonicMs();
  bases.hold();
  await store.put('k', Buffer.alloc(2 * MIB));
  const refusal = await store.put('long', Buffer.alloc(5 * MIB)).catch((error: unknown) => error);
  expect(refusal).toMatchObject({
    code: 'limitReached',
    message: expect.stringMatching(/this write needs 5\.0 MiB, and .* 4\.0 MiB of memory in all/) as unknown,
  });
  expect(refusal).not.toBeInstanceOf(RetryLaterError);
  expect(clock.monotonicMs()).toBe(beginMs);
  bases.letGo();
});
