import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { ReaderSeat } from '../../src/engine/memory/epochs.ts';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import { COMPACTED, MemoryReader } from '../../src/engine/memory/memory-reader.ts';
import { bytes, deletion, put } from './changes.ts';
import { drain } from './engine-contract.ts';
import type { ReaderOrder, ReaderResult } from './reader-worker.ts';
import { changeOf, IS_STOPPED, VISIBLE_REVISION } from './reader-workload.ts';

describe('a reader beside the engine', () => {
  it('reads what was there before it came, and what comes after', () => {
    const engine = new MemoryEngine({ shardCount: 2 });
    for (let number = 1; number <= 5000; number++) engine.apply(put(`before-${number}`, number, `${number}`));
    const reader = new MemoryReader(engine.attachReader());
    for (let number = 5001; number <= 10_000; number++)
      engine.apply(put(`after-${number}`, number, `${number}`));
    const read = (key: string, revision = 10_000) => textOf(reader.read(bytes(key), revision));
    for (let number = 1; number <= 5000; number++) expect(read(`before-${number}`)).toBe(`${number}`);
    for (let number = 5001; number <= 10_000; number++) expect(read(`after-${number}`)).toBe(`${number}`);
    expect(read('before-5001')).toBeUndefined();
    expect(read('after-6000', 5999)).toBeUndefined();
  });

  it('reads at older revisions, but says when they are compacted', () => {
    const engine = new MemoryEngine();
    engine.apply(put('k', 1, 'one'));
    engine.apply(put('k', 2, 'two'));
    engine.apply(deletion('k', 3));
    const reader = new MemoryReader(engine.attachReader());
    expect([1, 2, 3].map((revision) => textOf(reader.read(bytes('k'), revision)))).toEqual([
      'one',
      'two',
      undefined,
    ]);
    engine.compact(2);
    drain(engine);
    expect(reader.read(bytes('k'), 1)).toBe(COMPACTED);
    expect(textOf(reader.read(bytes('k'), 2))).toBe('two');
    engine.compact(2 ** 40);
    expect(reader.read(bytes('k'), 2 ** 40 - 1)).toBe(COMPACTED);
  });

  it('does not answer from what a compaction took away in the middle of the read', () => {
    const engine = new MemoryEngine();
    engine.apply(put('k', 1, 'one'));
    engine.apply(put('k', 2, 'two'));
    const reader = new MemoryReader(engine.attachReader());
    // The reader asks for the length of the key after it has looked at the revision of the compaction.
    const key = Object.defineProperty(bytes('k'), 'length', {
      get: () => {
        engine.compact(2);
        drain(engine);
        return 1;
      },
    });
    expect(reader.read(key, 1)).toBe(COMPACTED);
  });

  it('keeps memory from being reused until it has finished reading', () => {
    const engine = new MemoryEngine({ shardCount: 1 });
    const attachment = engine.attachReader();
    const reader = new MemoryReader(attachment);
    const seat = new ReaderSeat(attachment.control, attachment.seat);
    let revision = 0;
    const overwrite = () => {
      for (let count = 0; count < 20_000; count++)
        engine.apply(put(`k${count % 10}`, ++revision, 'v'.repeat(500)));
      engine.compact(revision);
      drain(engine);
    };
    overwrite();
    engine.maintain();
    engine.maintain();
    seat.enter();
    const before = engine.memoryBytes;
    overwrite();
    expect(engine.memoryBytes).toBeGreaterThan(before + 10_000_000);
    seat.leave();
    for (let round = 0; round < 10; round++) engine.maintain();
    expect(engine.memoryBytes).toBeLessThanOrEqual(before + 1_000_000);
    expect(textOf(reader.read(bytes('k7'), revision))).toBe('v'.repeat(500));
    engine.verifyIntegrity();
  });

  it('does not keep a deleted key from being dropped once, though several of its versions are due', () => {
    const engine = new MemoryEngine({ shardCount: 1 });
    const reader = new MemoryReader(engine.attachReader());
    engine.apply(put('k', 1, 'one'));
    engine.apply(put('k', 2, 'two'));
    engine.apply(deletion('k', 3));
    engine.compact(3);
    drain(engine);
    engine.verifyIntegrity();
    expect(engine.stats()).toEqual({ keyCount: 0, versionCount: 0, dataBytes: 0 });
    expect(reader.read(bytes('k'), 3)).toBeUndefined();
    engine.apply(put('k', 4, 'four'));
    expect(textOf(reader.read(bytes('k'), 4))).toBe('four');
  });

  it('holds nothing back any more once it is detached', () => {
    const engine = new MemoryEngine({ shardCount: 1 });
    const attachment = engine.attachReader();
    new ReaderSeat(attachment.control, attachment.seat).enter();
    for (let revision = 1; revision < 20_000; revision++) engine.apply(put('k', revision, 'v'.repeat(500)));
    engine.compact(20_000);
    drain(engine);
    expect(engine.memoryBytes).toBeGreaterThan(10_000_000);
    engine.detachReader(attachment.seat);
    for (let round = 0; round < 10; round++) engine.maintain();
    expect(engine.memoryBytes).toBeLessThan(3_000_000);
  });

  it('never sees a torn, foreign or outdated version while the engine writes, compacts and moves', async () => {
    const engine = new MemoryEngine({ shardCount: 4 });
    const shared = new Int32Array(new SharedArrayBuffer(8));
    const revisionsPerRun = 150_000;
    let revision = 0;
    const writeTo = (end: number): void => {
      while (revision < end) {
        revision++;
        engine.apply(changeOf(revision));
        Atomics.store(shared, VISIBLE_REVISION, revision);
        if (revision % 200 !== 0) continue;
        engine.compact(Math.max(0, revision - 3000));
        for (let round = 0; round < 3; round++) engine.maintain();
      }
    };
    writeTo(10_000);
    const workers = [1, 2].map((seed) => {
      const attachment = engine.attachReader();
      const workerData: ReaderOrder = { attachment, shared, seed };
      const worker = new Worker(new URL('./reader-worker.ts', import.meta.url), {
        workerData,
        transferList: [attachment.port],
      });
      return { worker, seat: attachment.seat };
    });
    await Promise.all(workers.map(({ worker }) => once(worker, 'message')));
    writeTo(revisionsPerRun);
    Atomics.store(shared, IS_STOPPED, 1);
    const results = await Promise.all(
      workers.map(async ({ worker }) => {
        const [result] = (await once(worker, 'message')) as [ReaderResult];
        return result;
      }),
    );
    for (const { seat } of workers) engine.detachReader(seat);
    for (const { fault, readCount, foundCount, compactedCount } of results) {
      expect(fault).toBeUndefined();
      expect(foundCount).toBeGreaterThan(100);
      expect(compactedCount).toBeLessThan(readCount / 2);
    }
    drain(engine);
    engine.verifyIntegrity();
  });
});

function textOf(version: ReturnType<MemoryReader['read']>): string | undefined {
  if (version === COMPACTED) return 'compacted';
  return version && Buffer.from(version.value).toString('latin1');
}
