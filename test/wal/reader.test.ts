import { describe, expect, it } from 'vitest';
import { framesOf, segmentPaths } from './segment-dump.ts';
import { collect, FIRST_SEGMENT, settle, TestLog, texts } from './test-log.ts';

const SEGMENT_BYTES = 4096;

/** A log of several segments, with three revisions in each. */
async function longLog(count: number): Promise<{ test: TestLog; written: string[] }> {
  const test = await TestLog.create({ segmentBytes: SEGMENT_BYTES });
  const written = texts('v'.repeat(1500), count);
  for (const text of written) await test.putDurably(text);
  return { test, written };
}

describe('a reader', () => {
  it('reads from any revision to the newest one, over all segments', async () => {
    const { test, written } = await longLog(20);
    for (let revision = 1; revision <= 21; revision++) {
      const { records, result } = await test.read(revision);
      expect(records, `from ${revision}`).toEqual(written.slice(revision - 1));
      expect(result).toBe('end');
    }
    await test.log.close();
  });

  it('reads the same in a log that was opened again, also below what was replayed', async () => {
    const { test, written } = await longLog(20);
    await test.log.close();
    for (const afterRevision of [0, 11, 20]) {
      const again = await TestLog.open(test.disk, { segmentBytes: SEGMENT_BYTES }, afterRevision);
      for (const revision of [1, 2, 8, 20]) {
        const { records, result } = await again.read(revision);
        expect(records, `from ${revision}, replayed after ${afterRevision}`).toEqual(
          written.slice(revision - 1),
        );
        expect(result).toBe('end');
      }
      await again.log.close();
    }
  });

  it('goes on with what comes while it reads, over the ends of segments', async () => {
    const test = await TestLog.create({ segmentBytes: SEGMENT_BYTES });
    const written = texts('v'.repeat(700), 30);
    const reader = test.log.reader(1);
    const records: string[] = [];
    expect(await reader.next(collect(records))).toBe('end');
    for (const [index, text] of written.entries()) {
      await test.putDurably(text);
      if (index % 3 === 0) test.clock.advance(200);
      await settle();
      for (;;) if ((await reader.next(collect(records))) === 'end') break;
      expect(records).toEqual(written.slice(0, index + 1));
    }
    expect(test.log.stats().segmentCount).toBeGreaterThan(3);
    await reader.close();
    await test.log.close();
  });

  it('sees nothing that is not durable', async () => {
    const test = await TestLog.create();
    await test.putDurably('one');
    test.put('two');
    const reader = test.log.reader(1);
    const records: string[] = [];
    // The second record's batch is being written while this reads.
    while ((await reader.next(collect(records))) === 'read') {
      expect(records.length).toBeLessThanOrEqual(test.told.durable.at(-1) ?? 0);
    }
    await test.log.flush();
    await settle();
    while ((await reader.next(collect(records))) === 'read');
    expect(records).toEqual(['one', 'two']);
    await reader.close();

    test.disk.injectFault({ call: 'sync' });
    test.put('three');
    await expect(test.log.flush()).rejects.toThrow();
    expect((await test.read(1)).records).toEqual(['one', 'two']);
    await test.log.close();
  });

  it('hands on a piece at a time', async () => {
    const test = await TestLog.create({ segmentBytes: 16 * 1024 * 1024 });
    for (const text of texts('v'.repeat(1000), 1000)) {
      test.put(text);
      if (test.log.lastRevision % 10 === 0) await test.log.flush();
    }
    await test.log.flush();
    const reader = test.log.reader(1);
    const pieces: number[] = [];
    for (;;) {
      const records: string[] = [];
      if ((await reader.next(collect(records))) === 'end') break;
      pieces.push(records.length);
    }
    expect(pieces.length).toBeGreaterThan(12);
    expect(Math.max(...pieces)).toBeLessThan(80);
    expect(pieces.reduce((sum, count) => sum + count)).toBe(1000);
    await reader.close();
    // The index leads close to the revision: one piece is enough.
    const records: string[] = [];
    const late = test.log.reader(990);
    expect(await late.next(collect(records))).toBe('read');
    expect(records.at(-1)).toMatch(/1000$/);
    await late.close();
    await test.log.close();
  });

  it('reads a batch that is longer than a piece', async () => {
    const test = await TestLog.create();
    const long = 'x'.repeat(700_000);
    for (const text of ['one', long, 'three']) await test.putDurably(text);
    expect((await test.read(1)).records).toEqual(['one', long, 'three']);
    await test.log.close();
  });

  it('shares its buffers with any number of others', async () => {
    const { test, written } = await longLog(12);
    const results = await Promise.all(Array.from({ length: 50 }, () => test.read(1)));
    for (const { records } of results) expect(records).toEqual(written);
    await test.log.close();
  });

  it('says so when what it needs was removed', async () => {
    const { test, written } = await longLog(12);
    const waiting = test.log.reader(1);
    const reading = test.log.reader(1);
    const records: string[] = [];
    expect(await reading.next(collect(records))).toBe('read');
    await test.log.removeBefore(9);
    expect(await waiting.next(() => {})).toBe('removed');
    expect(await waiting.next(() => {})).toBe('removed');
    // This one is within the segment: it still reads what is left of it.
    for (;;) {
      const result = await reading.next(collect(records));
      if (result === 'read') continue;
      expect(result).toBe('removed');
      break;
    }
    expect(records).toEqual(written.slice(0, records.length));
    expect((await test.read(9)).records).toEqual(written.slice(8));
    await waiting.close();
    await reading.close();
    await test.log.close();
  });

  it('refuses damage', async () => {
    const { test, written } = await longLog(12);
    await test.log.close();
    const [, second = ''] = await segmentPaths(test.disk);
    const bytes = test.disk.contentOf(second);
    const frame = framesOf(bytes)[2];
    bytes[(frame?.start ?? 0) + 100] = 0;
    test.disk.setContent(second, bytes);
    // What is not replayed is not looked at, until someone reads it.
    const again = await TestLog.open(test.disk, { segmentBytes: SEGMENT_BYTES }, 12);
    const records: string[] = [];
    const reader = again.log.reader(1);
    const readAll = async (): Promise<void> => {
      while ((await reader.next(collect(records))) === 'read');
    };
    await expect(readAll()).rejects.toThrow(new RegExp(`${second}, offset ${frame?.start}: `));
    expect(records).toEqual(written.slice(0, records.length));
    await reader.close();
    await again.log.close();
  });

  it('says so when there is no descriptor for a segment, and goes on once there is', async () => {
    const { test, written } = await longLog(12);
    test.disk.injectFault({ call: 'open', code: 'tooManyFiles' });
    const error = await test.read(1).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'StoreError', code: 'limitReached' });
    expect(String(error)).toMatch(/as many files .* are open .* begin again at the same revision/);
    expect((await test.read(1)).records).toEqual(written);
    await test.log.close();
  });

  it('ends with an error when the log is closed', async () => {
    const { test } = await longLog(2);
    const reader = test.log.reader(1);
    await reader.next(() => {});
    await test.log.close();
    await expect(reader.next(() => {})).rejects.toThrow(expect.objectContaining({ code: 'closed' }));
    await reader.close();
    expect(test.disk.contentOf(FIRST_SEGMENT).length).toBeGreaterThan(0);
  });
});
