/** What the overview makes of two answers, keeps of the last minutes, and finds of what fills the store; without a browser. */
import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { type ActivityResponse, ActivityResponseSchema } from '../../gen/kelp/v1/admin_pb.ts';
import { type Range, bytesOf } from '../../src/console/bytes/key-name.ts';
import { type Figures, figuresOf } from '../../src/console/overview/figures.ts';
import { formatMs, formatRate } from '../../src/console/overview/rates-text.ts';
import { Recent } from '../../src/console/overview/recent.ts';
import { type FillReads, readFill } from '../../src/console/overview/store-fill.ts';

interface Calls {
  readonly door?: string;
  readonly method: string;
  readonly counts: readonly number[];
}

function activity(seconds: number, calls: readonly Calls[], flushes = 0): ActivityResponse {
  return create(ActivityResponseSchema, {
    uptime: { seconds: BigInt(seconds), nanos: 0 },
    durationBoundsMicros: [1000n, 2000n, 4000n],
    methods: calls.map(({ door = 'grpc', method, counts }) => ({
      door,
      method,
      callCount: BigInt(counts.reduce((sum, count) => sum + count, 0)),
      durationCounts: counts.map(BigInt),
    })),
    flushCount: BigInt(flushes),
    flushMicros: BigInt(2000 * flushes),
    eventLoopDelayCounts: [BigInt(50 * seconds), 0n, 0n, 0n],
  });
}

test('rates are of the time between two answers, over all doors of a method', () => {
  const before = activity(10, [{ method: 'Get', counts: [100, 0, 0, 0] }], 4);
  const after = activity(
    12,
    [
      { method: 'Get', counts: [100, 10, 0, 0] },
      { method: 'Get', door: 'rest', counts: [0, 10, 0, 0] },
      { method: 'Put', counts: [0, 0, 0, 4] },
    ],
    8,
  );
  expect(figuresOf(before, after)).toMatchObject({
    callsPerSecond: 12,
    flushMs: 2,
    loopDelayP99Ms: 0.99,
    methods: [
      { name: 'Get', callsPerSecond: 10, p50Ms: 1.5 },
      // Beyond all bounds: the highest.
      { name: 'Put', callsPerSecond: 2, p50Ms: 4, p99Ms: 4 },
    ],
  });
});

test('a server that has begun anew is not compared with the one before', () => {
  const before = activity(10, [{ method: 'Get', counts: [100, 0, 0, 0] }]);
  expect(figuresOf(before, activity(3, []))).toBeUndefined();
  expect(figuresOf(before, activity(30, [{ method: 'Get', counts: [1, 0, 0, 0] }]))).toBeUndefined();
  expect(figuresOf(before, activity(30, [{ method: 'Get', counts: [100, 0, 0, 0] }]))).toMatchObject({
    methods: [],
  });
});

function figures(methods: Readonly<Record<string, number>>): Figures {
  return {
    methods: Object.entries(methods).map(([name, callsPerSecond]) => ({
      name,
      callsPerSecond,
      errorsPerSecond: 0,
      inProgressCount: 0,
      p50Ms: 1,
      p99Ms: 2,
    })),
    callsPerSecond: 1,
    errorsPerSecond: 0,
    receivedBytesPerSecond: 0,
    sentBytesPerSecond: 0,
    watchEventsPerSecond: 0,
    flushMs: undefined,
    loopDelayP99Ms: 1,
  };
}

const memory = { memoryBytes: 1, residentBytes: 2 };

test('the last points are kept, columns of one length, and methods that were called in them', () => {
  const recent = new Recent(10);
  for (let second = 0; second < 25; second++) {
    const methods = second < 12 ? { Old: 9, Get: 5 } : { Get: 5, [`M${second}`]: 1 };
    recent.add({ timeMs: 1000 * second, figures: figures(methods), ...memory });
  }
  expect(recent.seconds).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
  expect(recent.method('Old', 'callsPerSecond')).toEqual([]);
  expect(recent.method('Get', 'callsPerSecond')).toEqual(Array.from({ length: 10 }, () => 5));
  expect(recent.method('M20', 'callsPerSecond')).toEqual([null, null, null, null, null, 1, 0, 0, 0, 0]);
  for (const column of [recent.flushMs, recent.loopDelayMs, recent.memoryBytes, recent.callsPerSecond]) {
    expect(column).toHaveLength(10);
  }
  // As many as have a colour, each of which keeps it.
  expect(recent.shownMethods).toHaveLength(5);
  expect(recent.shownMethods[1]).toBe('Get');
});

test('any number of methods takes bounded room', () => {
  const recent = new Recent();
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`M${index}`, 1]));
  recent.add({ timeMs: 0, figures: figures(many), ...memory });
  const kept = Object.keys(many).filter((name) => recent.method(name, 'callsPerSecond').length > 0);
  expect(kept).toHaveLength(64);
});

test('a time without answers is a gap, and a clock that was put back begins anew', () => {
  const recent = new Recent();
  for (const timeMs of [1000, 2000, 60_000]) recent.add({ timeMs, figures: figures({ Get: 1 }), ...memory });
  expect(recent.seconds).toEqual([1, 2, 3, 60]);
  expect(recent.memoryBytes).toEqual([1, 1, null, 1]);
  recent.add({ timeMs: 1500, figures: undefined, ...memory });
  expect(recent.seconds).toEqual([1.5]);
});

class Store implements FillReads {
  callCount = 0;
  readonly #sizeByKey: ReadonlyMap<string, number>;

  constructor(sizeByKey: ReadonlyMap<string, number>) {
    this.#sizeByKey = sizeByKey;
  }

  #within({ start, end }: Range): string[] {
    this.callCount++;
    return [...this.#sizeByKey.keys()]
      .filter(
        (key) =>
          Buffer.compare(bytesOf(key), start) >= 0 &&
          (end.length === 0 || Buffer.compare(bytesOf(key), end) < 0),
      )
      .sort();
  }

  scan(range: Range, limit: number): ReturnType<FillReads['scan']> {
    const found = this.#within(range);
    const rows = found.slice(0, limit).map((key) => ({ key, type: undefined }));
    return Promise.resolve({ rows, isLast: found.length <= limit });
  }

  count(range: Range): Promise<bigint> {
    return Promise.resolve(BigInt(this.#within(range).length));
  }

  sizes(range: Range, isReverse: boolean, limit: number): Promise<readonly number[]> {
    const found = this.#within(range);
    const some = isReverse ? found.slice(-limit) : found.slice(0, limit);
    return Promise.resolve(some.map((key) => this.#sizeByKey.get(key) ?? 0));
  }
}

const never = new AbortController().signal;

function keys(prefix: string, count: number, size: number): [string, number][] {
  return Array.from({ length: count }, (_, index) => [`${prefix}${index}`, size]);
}

test('the largest prefixes come first, and one that holds most keys is looked into', async () => {
  const store = new Store(
    new Map([...keys('a/x/', 300, 10), ...keys('a/y/', 500, 1), ...keys('b/', 20, 1000), ...keys('c', 5, 1)]),
  );
  const { keyCount, rows, otherCount } = await readFill(store, never);
  expect({ keyCount, otherCount }).toEqual({ keyCount: 825, otherCount: 5 });
  expect(rows.map(({ text, keyCount, bytes }) => [text, keyCount, bytes])).toEqual([
    ['b/', 20, 20_000],
    ['a/x/', 300, 3000],
    ['a/y/', 500, 500],
  ]);
});

test('names with colons are found, too, and the work is bounded', async () => {
  const store = new Store(new Map(Array.from({ length: 1000 }, (_, index) => [`u${index}:name`, 5])));
  const { rows, otherCount } = await readFill(store, never);
  expect(rows).toHaveLength(12);
  expect(rows[0]).toMatchObject({ separator: ':', keyCount: 1 });
  expect(otherCount).toBe(988);
  expect(store.callCount).toBeLessThan(500);
});

test('an empty store has nothing, and one without folders has nothing to show', async () => {
  expect(await readFill(new Store(new Map()), never)).toEqual({ keyCount: 0, rows: [], otherCount: 0 });
  expect(await readFill(new Store(new Map(keys('k', 9, 1))), never)).toEqual({
    keyCount: 9,
    rows: [],
    otherCount: 9,
  });
});

test('rates and times are short', () => {
  expect([0, 0.26, 3.04, 12.4, 3400].map(formatRate)).toEqual(['0', '0.3', '3', '12', '3,400']);
  expect([0, 0.0256, 0.923, 5, 12.34, 249.6, 2500].map(formatMs)).toEqual([
    '0 ms',
    '0.026 ms',
    '0.92 ms',
    '5 ms',
    '12.3 ms',
    '250 ms',
    '2.5 s',
  ]);
});
