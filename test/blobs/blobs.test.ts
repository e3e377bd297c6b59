/** Blobs in process: what the HTTP interface stands on. */
import { crc32 } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Blobs } from '../../src/blobs/blobs.ts';
import { openBlobs } from '../../src/blobs/open-blobs.ts';
import { fixed } from '../../src/limits.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { type CallShape, bytesInEveryForm, failureOfCall, wrongCalls } from '../support/wrong-arguments.ts';

async function open(): Promise<{ readonly blobs: Blobs; readonly clock: ManualClock }> {
  const clock = new ManualClock();
  const disk = new SimulatedDisk({ seed: 1 });
  const blobs = await openBlobs({ dataDir: '/data', clock, disk, random: new SeededRandom(1) });
  onTestFinished(() => blobs.close());
  return { blobs, clock };
}

async function allOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test('a volume is written, read, listed and told of, and is there again when it is opened again', async () => {
  const dataDir = await temporaryDirectory();
  const options = { dataDir, volumeId: 'vol-2', fsync: 'never' } as const;
  const blobs = await openBlobs(options);
  const info = { key: 'a', etag: '3610a686', size: 5, volumeId: 'vol-2' };
  expect(await blobs.put('a', 'hello')).toEqual(info);
  expect(await blobs.get('a')).toEqual({ ...info, bytes: new Uint8Array(Buffer.from('hello')) });
  expect(await blobs.get('b')).toBeUndefined();
  expect(await allOf(blobs.list())).toEqual(['a']);
  expect(await blobs.stats()).toMatchObject({
    volumeId: 'vol-2',
    keyCount: 1,
    segmentCount: 1,
    activeSegmentId: 1,
    oldestSegmentId: 1,
    meanBytes: 5,
  });
  // It is a key as any other.
  expect((await blobs.store.get('a')).entry?.version).toBe(1);
  expect(await blobs.delete('a')).toBe(true);
  expect(await blobs.delete('a')).toBe(false);
  await blobs.put('b', '');
  await blobs.close();

  const again = await openBlobs(options);
  onTestFinished(() => again.close());
  expect(await allOf(again.list())).toEqual(['b']);
  expect(await again.get('b')).toMatchObject({ etag: '00000000', size: 0 });
});

test('the mean length is that of the blobs, not of what they were, and of a sample of many', async () => {
  const { blobs } = await open();
  expect((await blobs.stats()).meanBytes).toBe(0);
  await blobs.put('a long name', Buffer.alloc(900));
  await blobs.put('a long name', Buffer.alloc(10));
  await blobs.put('b', Buffer.alloc(31));
  expect((await blobs.stats()).meanBytes).toBe(21);
  const many = 5 * fixed.sampledValuesMax;
  const nameOf = (index: number): string => String(index).padStart(6, '0');
  await Promise.all(
    Array.from({ length: many }, (_, index) =>
      blobs.put(nameOf(index), Buffer.alloc(index < many / 4 ? 400 : 0)),
    ),
  );
  // A quarter of them, in the order of the keys.
  expect((await blobs.stats()).meanBytes).toBeCloseTo(100, -1);
});

test('the uptime is that of the volume', async () => {
  const { blobs, clock } = await open();
  clock.advance(1500);
  expect((await blobs.stats()).uptimeMs).toBe(1500);
});

test('bytes may come in every form, and may change once they are handed in', async () => {
  const { blobs } = await open();
  for (const [form, [value, bytes]] of Object.entries(bytesInEveryForm())) {
    const { etag, size } = await blobs.put(form, value);
    expect([etag, size], form).toEqual([
      crc32(Uint8Array.from(bytes)).toString(16).padStart(8, '0'),
      bytes.length,
    ]);
    expect([...((await blobs.get(form))?.bytes ?? [])], form).toEqual(bytes);
  }
  const bytes = Buffer.from('hello');
  const key = Buffer.from('key');
  const written = blobs.put(key, bytes);
  bytes.fill(0);
  key.fill(0);
  expect(await written).toMatchObject({ key: 'key', etag: '3610a686' });
  expect(Buffer.from((await blobs.get('key'))?.bytes ?? []).toString()).toBe('hello');
});

test('keys that are no text are bytes, and are listed with all others, page by page', async () => {
  const { blobs } = await open();
  const keys = Array.from({ length: 2500 }, (_each, index) => `key ${String(index).padStart(4, '0')}`);
  await Promise.all(keys.map((key) => blobs.put(key, '1')));
  const bytes = Uint8Array.of(0xff, 1);
  expect(await blobs.put(bytes, '1')).toMatchObject({ key: bytes });
  expect(await allOf(blobs.list())).toEqual([...keys, bytes]);
  expect(await allOf(blobs.list({ prefix: 'key 24' }))).toEqual(keys.slice(2400));
  expect(await allOf(blobs.list({ prefix: bytes.subarray(0, 1) }))).toEqual([bytes]);
  // A reader that leaves takes no more pages.
  for await (const key of blobs.list()) {
    expect(key).toBe(keys[0]);
    break;
  }
});

const shapeByCall: Record<'put' | 'get' | 'delete' | 'list' | 'listPages' | 'stats', CallShape> = {
  put: {
    positions: [
      ['key', 'key', 'a'],
      ['bytes', 'value', '1'],
    ],
  },
  get: { positions: [['key', 'key', 'a']] },
  delete: { positions: [['key', 'key', 'a']] },
  list: { positions: [], options: ['prefix'] },
  listPages: { positions: [], options: ['prefix'] },
  stats: { positions: [] },
};

describe.each(Object.keys(shapeByCall) as (keyof typeof shapeByCall)[])('%s refuses', (call) => {
  test('every wrong kind of every argument, by its name', async () => {
    const { blobs } = await open();
    await blobs.put('a', 'as it was');
    const method = (blobs[call] as (...given: readonly unknown[]) => unknown).bind(blobs);
    for (const { title, given, name } of wrongCalls(shapeByCall[call], { prefix: 'key' })) {
      const failure = await failureOfCall(() => method(...given));
      expect(failure, title).toMatchObject({ name: 'StoreError', code: 'invalidArgument' });
      expect((failure as Error).message, title).toContain(name);
    }
    expect((await blobs.get('a'))?.size).toBe('as it was'.length);
  });
});

test.each([
  [undefined, /options is missing.*dataDir/],
  ['./data', /options is the text/],
  [{}, /dataDir/],
  [{ dataDir: './data', volumeId: 5 }, /volumeId/],
  [{ dataDir: './data', volumeId: '' }, /volumeId.*such as vol-1/],
  [{ dataDir: './data', volumeId: 'a b' }, /volumeId.*such as vol-1/],
  [{ dataDir: './data', volume: 'vol-2' }, /has no option "volume".*volumeId/],
])('options of %j open nothing', async (options, message) => {
  const openAny = openBlobs as (given: unknown) => Promise<Blobs>;
  await expect(openAny(options)).rejects.toThrow(message);
});
