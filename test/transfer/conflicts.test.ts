/** Keys that are there already, batches, and imports that end early and are run again. */
import { describe, expect, test } from 'vitest';
import { StoreError } from '../../src/errors.ts';
import { importFrom } from '../../src/index.ts';
import { transfer as limits } from '../../src/limits.ts';
import { MapTarget, contentOf, inPieces, openedStore } from './transfers.ts';

function linesOf(count: number, value = 'new'): string {
  return Array.from(
    { length: count },
    (_, index) => `${JSON.stringify({ key: `key${index}`, value })}\n`,
  ).join('');
}

/** A target that holds some of the keys. */
function targetWith(...keys: readonly string[]): MapTarget {
  const target = new MapTarget();
  for (const key of keys) target.puts.set(key, { kind: 'put', key, value: Buffer.from('old') });
  return target;
}

function valuesOf(target: MapTarget): Record<string, string> {
  return Object.fromEntries(
    [...target.puts].map(([key, { value }]) => [key, Buffer.from(value as Uint8Array).toString()]),
  );
}

describe('a key that is there already', () => {
  test('ends the import by default, is named, and nothing of its batch is written', async () => {
    const target = targetWith('key1500');
    const error = {
      code: 'keyExists',
      message: expect.stringContaining('the key "key1500" (entry 1501) is there already') as string,
    };
    await expect(importFrom(target, inPieces(linesOf(3000)))).rejects.toMatchObject({
      ...error,
      done: { entryCount: 1000, writtenCount: 1000, skippedCount: 0 },
    });
    expect(target.puts.size).toBe(1001);
    expect(valuesOf(target)['key1500']).toBe('old');
  });

  test('with skip stays as it is, and is counted', async () => {
    const target = targetWith('key0', 'key1500', 'key2999', 'other');
    const summary = await importFrom(target, inPieces(linesOf(3000)), { onConflict: 'skip' });
    expect(summary).toMatchObject({ entryCount: 3000, writtenCount: 2997, skippedCount: 3 });
    expect(
      Object.entries(valuesOf(target))
        .filter(([, value]) => value === 'old')
        .map(([key]) => key),
    ).toEqual(['key0', 'key1500', 'key2999', 'other']);
  });

  test('with replace is written over, without a look', async () => {
    const target = targetWith('key0', 'key1');
    expect(await importFrom(target, inPieces(linesOf(3)), { onConflict: 'replace' })).toMatchObject({
      writtenCount: 3,
      skippedCount: 0,
    });
    expect(valuesOf(target)).toEqual({ key0: 'new', key1: 'new', key2: 'new' });
    expect(target.existsCount).toBe(0);
  });

  test.each(['skip', 'fail'] as const)(
    'with %s is not replaced either if it comes just before the transaction',
    async (onConflict) => {
      const target = new MapTarget();
      let calls = 0;
      target.beforeTxn = () => {
        if (calls++ < 2)
          target.puts.set(`key${calls}`, { kind: 'put', key: `key${calls}`, value: Buffer.from('old') });
      };
      const importing = importFrom(target, inPieces(linesOf(4)), { onConflict });
      if (onConflict === 'fail') await expect(importing).rejects.toMatchObject({ code: 'keyExists' });
      else expect(await importing).toMatchObject({ writtenCount: 2, skippedCount: 2 });
      expect(valuesOf(target)['key1']).toBe('old');
    },
  );

  test('that has gone again by the time of the look does no harm', async () => {
    const target = new MapTarget();
    let calls = 0;
    target.beforeTxn = () => {
      if (calls++ === 0) target.puts.set('key1', { kind: 'put', key: 'key1', value: 'old' });
    };
    const exists = target.exists.bind(target);
    target.exists = (keys) => {
      target.puts.delete('key1');
      return exists(keys);
    };
    expect(await importFrom(target, inPieces(linesOf(3)))).toMatchObject({ writtenCount: 3 });
  });

  test('of which many come is looked for before its batch is sent', async () => {
    const target = targetWith(...Array.from({ length: 5000 }, (_, index) => `key${index}`));
    await importFrom(target, inPieces(linesOf(5000)), { onConflict: 'skip' });
    expect([target.batches.length, target.existsCount]).toEqual([1, 5]);
  });

  test('twice in the input: the rule decides, as for any other', async () => {
    const text = '{"key":"a","value":"1"}\n{"key":"b","value":"2"}\n{"key":"a","value":"3"}\n';
    const target = new MapTarget();
    await importFrom(target, inPieces(text), { onConflict: 'replace' });
    expect(valuesOf(target)).toEqual({ a: '3', b: '2' });
    const first = new MapTarget();
    await importFrom(first, inPieces(text), { onConflict: 'skip' });
    expect(valuesOf(first)).toEqual({ a: '1', b: '2' });
    await expect(importFrom(new MapTarget(), inPieces(text))).rejects.toMatchObject({
      code: 'keyExists',
      message: expect.stringContaining('"a" (entry 3)') as string,
    });
  });
});

describe('a batch', () => {
  test('has no more keys than a transaction takes conditions, and no more bytes than it should', async () => {
    const target = new MapTarget();
    await importFrom(target, inPieces(linesOf(2500)));
    expect(target.batches.map(({ success }) => success.length)).toEqual([1000, 1000, 500]);
    const value = 'x'.repeat(limits.batchBytesMax / 4);
    const large = new MapTarget();
    await importFrom(large, inPieces(linesOf(7, value), 64 * 1024));
    expect(large.batches.map(({ success }) => success.length)).toEqual([3, 3, 1]);
    const huge = new MapTarget();
    await importFrom(huge, inPieces(linesOf(2, value.repeat(8)), 64 * 1024));
    expect(huge.batches.map(({ success }) => success.length)).toEqual([1, 1]);
  });

  test('with a value that the store does not take is written up to that, and the entry is named', async () => {
    const store = await openedStore();
    const text = `${linesOf(5)}${JSON.stringify({ key: 'large', value: 'x'.repeat(17 * 1024 * 1024) })}\n${linesOf(1)}`;
    await expect(importFrom(store, inPieces(text, 64 * 1024))).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringMatching(/^the key "large" \(entry 6\): .*value-bytes-max/) as string,
      done: { entryCount: 5 },
    });
    expect((await store.count()).count).toBe(5);
  });

  test('that the store has no room for is halved, and one entry that it has none for ends the import', async () => {
    const target = new MapTarget();
    target.beforeTxn = ({ success }) => {
      if (success.length > 3) throw new StoreError('limitReached', 'too much');
      if (success.some(({ key }) => key === 'key7')) throw new StoreError('limitReached', 'far too much');
    };
    await expect(importFrom(target, inPieces(linesOf(10)))).rejects.toMatchObject({
      code: 'failed',
      message: 'the key "key7" (entry 8): far too much',
      done: { entryCount: 7, writtenCount: 7 },
    });
    expect(target.puts.size).toBe(7);
  });
});

describe('an import that ended early', () => {
  /** One that fails with the third batch. */
  async function ended(target: MapTarget, error: Error): Promise<unknown> {
    let calls = 0;
    target.beforeTxn = () => {
      if (++calls === 3) throw error;
    };
    const failure = await importFrom(target, inPieces(linesOf(5000))).catch((thrown: unknown) => thrown);
    target.beforeTxn = () => undefined;
    return failure;
  }

  test('says how far it came, and goes on behind that', async () => {
    const target = new MapTarget();
    const error = await ended(target, new StoreError('readOnly', 'the disk has failed'));
    expect(error).toMatchObject({
      code: 'failed',
      message: 'the disk has failed',
      done: { entryCount: 2000 },
    });
    const summary = await importFrom(target, inPieces(linesOf(5000)), { resumeAfter: 2000 });
    expect(summary).toMatchObject({ entryCount: 5000, writtenCount: 3000 });
    expect(target.puts.size).toBe(5000);
  });

  test('says of a batch whose outcome is not known which entries those are', async () => {
    const unknown = Object.assign(new Error('no answer'), { code: 'unavailable', mayHaveTakenEffect: true });
    expect(await ended(new MapTarget(), unknown)).toMatchObject({
      message: 'no answer; entries 2001 to 3000 may have been written all the same',
    });
  });

  test.each(['skip', 'replace'] as const)('is run again with %s to the same end', async (onConflict) => {
    const target = new MapTarget();
    await ended(target, new StoreError('readOnly', 'the disk has failed'));
    await importFrom(target, inPieces(linesOf(5000)), { onConflict });
    const whole = new MapTarget();
    await importFrom(whole, inPieces(linesOf(5000)));
    expect(valuesOf(target)).toEqual(valuesOf(whole));
  });

  test('by its signal has written whole batches, and says how many entries', async () => {
    const target = new MapTarget();
    const controller = new AbortController();
    let calls = 0;
    target.beforeTxn = () => {
      if (++calls === 2) controller.abort(new Error('enough'));
    };
    await expect(
      importFrom(target, inPieces(linesOf(5000)), { signal: controller.signal }),
    ).rejects.toMatchObject({
      code: 'interrupted',
      cause: new Error('enough'),
      done: { entryCount: 2000, writtenCount: 2000 },
    });
    expect(target.puts.size).toBe(2000);
  });

  test('by its signal does not wait for input that never comes', async () => {
    const controller = new AbortController();
    const never = Promise.withResolvers<IteratorResult<string>>();
    const asked = Promise.withResolvers<void>();
    const source: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          asked.resolve();
          return never.promise;
        },
        return: () => never.promise,
      }),
    };
    const importing = importFrom(new MapTarget(), source, { signal: controller.signal });
    await asked.promise;
    controller.abort();
    await expect(importing).rejects.toMatchObject({ code: 'interrupted', done: { entryCount: 0 } });
  });

  test('can go on only behind what is there', async () => {
    await expect(importFrom(new MapTarget(), inPieces(linesOf(3)), { resumeAfter: 4 })).rejects.toMatchObject(
      {
        code: 'invalidArgument',
        message: expect.stringContaining('the input has 3 entries') as string,
      },
    );
  });
});

describe('a dry run', () => {
  test('writes nothing, and counts what would be written', async () => {
    const target = targetWith('key1');
    expect(
      await importFrom(target, inPieces(linesOf(3)), { dryRun: true, onConflict: 'skip' }),
    ).toMatchObject({ writtenCount: 2, skippedCount: 1, revision: 0 });
    expect(
      await importFrom(target, inPieces(linesOf(3)), { dryRun: true, onConflict: 'replace' }),
    ).toMatchObject({ writtenCount: 3 });
    await expect(importFrom(target, inPieces(linesOf(3)), { dryRun: true })).rejects.toMatchObject({
      code: 'keyExists',
    });
    await expect(
      importFrom(target, inPieces(`${linesOf(3)}oops`), { dryRun: true, onConflict: 'replace' }),
    ).rejects.toMatchObject({ code: 'badInput' });
    expect(target.batches).toEqual([]);
  });
});

test('a real store decides in the transaction, for text and bytes as keys', async () => {
  const store = await openedStore();
  await store.put(Buffer.from([255]), 'old');
  await store.put('b', 'old');
  const text = '{"key":"a","value":"1"}\n{"key":"b","value":"2"}\n{"keyBytes":"/w==","value":"3"}\n';
  await expect(importFrom(store, inPieces(text))).rejects.toMatchObject({ code: 'keyExists' });
  expect(await importFrom(store, inPieces(text), { onConflict: 'skip' })).toMatchObject({
    writtenCount: 1,
    skippedCount: 2,
    revision: 3,
  });
  const hex = (value: string): string => Buffer.from(value).toString('hex');
  expect(await contentOf(store)).toEqual([
    ['a', hex('1'), 0],
    ['b', hex('old'), 0],
    ['0xff', hex('old'), 0],
  ]);
});
