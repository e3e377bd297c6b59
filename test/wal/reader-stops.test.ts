/** Readers that stop within a batch and go on: nothing twice, nothing lost, and a long frame is read once for all of them. */
import { describe, expect, it } from 'vitest';
import { fixed } from '../../src/limits.ts';
import { LongFrames } from '../../src/wal/frames/long-frames.ts';
import type { LogReader } from '../../src/wal/reader.ts';
import { FIRST_SEGMENT, TestLog, texts } from './test-log.ts';

/** A log of one batch with these records. */
async function oneBatch(records: readonly string[]): Promise<TestLog> {
  const test = await TestLog.create({ segmentBytes: 16 * 1024 * 1024, unflushedBytesMax: 16 * 1024 * 1024 });
  for (const text of records) test.put(text);
  await test.log.flush();
  return test;
}

/** Takes so many records from a reader, and is asked for one more, which it does not take. */
async function take(reader: LogReader, count: number): Promise<string[]> {
  const taken: string[] = [];
  for (;;) {
    let isStopped = false;
    const result = await reader.next((buffer, start, end) => {
      isStopped = taken.length === count;
      if (!isStopped) taken.push(buffer.toString('utf8', start, end));
      return !isStopped;
    });
    if (isStopped || result !== 'read') return taken;
  }
}

function readsOf(test: TestLog): number {
  return test.disk
    .dump()
    .split('\n')
    .filter((line) => line.includes('read') && line.includes(FIRST_SEGMENT) && /\d\+\d/.test(line)).length;
}

describe('a reader that is stopped', () => {
  it.each([10, 2000])(
    'begins with the same record again, in batches of records of %i bytes',
    async (length) => {
      const written = texts('v'.repeat(length), 200);
      const test = await oneBatch(written.slice(0, 150));
      for (const text of written.slice(150)) await test.putDurably(text);
      const reader = test.log.reader(1);
      const read: string[] = [];
      for (const count of [0, 1, 0, 7, 142, 0, 1, 20, 29]) read.push(...(await take(reader, count)));
      expect(read).toEqual(written);
      expect(await reader.next(() => {})).toBe('end');
      await reader.close();
      await test.log.close();
    },
  );

  it('reads a long frame once, however often it stops, and beside others', async () => {
    const written = texts('v'.repeat(5000), 100);
    const test = await oneBatch(written);
    const readers = [test.log.reader(1), test.log.reader(1), test.log.reader(1)];
    for (const reader of readers) expect(await take(reader, 1)).toEqual(written.slice(0, 1));
    const readsBefore = readsOf(test);
    for (const record of written.slice(1, -1)) {
      const taken = await Promise.all(readers.map((reader) => take(reader, 1)));
      expect(taken).toEqual(readers.map(() => [record]));
    }
    expect(readsOf(test)).toBe(readsBefore);
    for (const reader of readers) {
      expect(await take(reader, 2)).toEqual(written.slice(-1));
      await reader.close();
    }
    // The last of them has left it.
    const again = test.log.reader(1);
    await take(again, 1);
    expect(readsOf(test)).toBeGreaterThan(readsBefore);
    await again.close();
    await test.log.close();
  });
});

describe('the long frames that are kept', () => {
  const frame = Buffer.alloc(fixed.longFramesBytesMax / 4);

  it('are bounded: the one that was used least recently goes, but never the last', () => {
    const frames = new LongFrames();
    const reader = {};
    for (const place of ['a', 'b', 'c', 'd']) frames.keep(place, frame, reader);
    expect(frames.hold('a', reader)).toBeDefined();
    frames.keep('e', frame, reader);
    expect(frames.hold('b', reader)).toBeUndefined();
    expect(frames.bytes).toBe(fixed.longFramesBytesMax);
    frames.keep('long', Buffer.alloc(fixed.longFramesBytesMax + 1), reader);
    expect(['a', 'c', 'd', 'e', 'long'].filter((place) => frames.hold(place, reader))).toEqual(['long']);
    expect(frames.bytes).toBe(fixed.longFramesBytesMax + 1);
  });

  it('go with the last reader that is within them', () => {
    const frames = new LongFrames();
    const [one, other] = [{}, {}];
    frames.keep('a', frame, one);
    frames.hold('a', other);
    frames.leave('a', one);
    frames.leave('a', one);
    expect(frames.bytes).toBe(frame.length);
    frames.leave('a', other);
    expect(frames.bytes).toBe(0);
  });
});
