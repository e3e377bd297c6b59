import { describe, expect, it } from 'vitest';
import { framesOf, type PlacedFrame } from './segment-dump.ts';
import { FIRST_SEGMENT, settle, TestLog, texts } from './test-log.ts';
import type { SimulatedDisk } from '../support/simulated-disk.ts';

/** A log whose last batch no mark vouches for: its process ended. */
async function unmarkedLog(
  lastText: string,
): Promise<{ disk: SimulatedDisk; bytes: Uint8Array; last: PlacedFrame }> {
  const { disk, log } = await fill(['one', 'two'], lastText);
  await settle();
  const next = disk.endProcess();
  await log.close().catch(() => {});
  const bytes = next.contentOf(FIRST_SEGMENT);
  const last = framesOf(bytes).at(-1);
  if (last === undefined) throw new Error('there is no frame');
  return { disk: next, bytes, last };
}

async function fill(before: string[], lastText: string): Promise<TestLog> {
  const test = await TestLog.create();
  for (const text of before) await test.putDurably(text);
  await test.putDurably(lastText);
  return test;
}

/** Opens the log with this content and closes it; says what was there. */
async function reopen(disk: SimulatedDisk, content: Uint8Array): Promise<TestLog> {
  disk.setContent(FIRST_SEGMENT, content);
  const test = await TestLog.open(disk);
  await test.log.close();
  return test;
}

describe('a torn last batch', () => {
  it('is cut off at whichever byte the write ended', async () => {
    const { disk, bytes, last } = await unmarkedLog('three');
    for (let end = last.start; end < last.end; end++) {
      const torn = bytes.slice().fill(0, end);
      const { replayed } = await reopen(disk, torn);
      // The padding and a trailing zero of the payload are zero anyway.
      const isWhole = Buffer.from(torn).equals(bytes);
      expect(replayed, `torn at ${end}`).toEqual(isWhole ? ['one', 'two', 'three'] : ['one', 'two']);
    }
  });

  it('is cut off whichever eight bytes are missing', async () => {
    const { disk, bytes, last } = await unmarkedLog('three, which has a longer text');
    for (let start = last.start; start < last.end; start += 8) {
      const torn = bytes.slice().fill(0, start, start + 8);
      const { replayed, torn: cut } = await reopen(disk, torn);
      expect(replayed, `without ${start}`).toEqual(['one', 'two']);
      expect(cut).toMatchObject({ file: FIRST_SEGMENT, offset: last.start });
    }
  });

  it('leaves zeros, in which the log goes on', async () => {
    const { disk, bytes, last } = await unmarkedLog('three');
    disk.setContent(FIRST_SEGMENT, bytes.slice().fill(0x55, last.start + 3));
    const test = await TestLog.open(disk);
    expect(test.torn).toEqual({ file: FIRST_SEGMENT, offset: last.start, bytes: bytes.length - last.start });
    expect(
      disk
        .contentOf(FIRST_SEGMENT)
        .subarray(last.start)
        .every((byte) => byte === 0),
    ).toBe(true);
    expect(test.log.lastRevision).toBe(2);
    await test.putDurably('other');
    await test.log.close();

    const again = await TestLog.open(disk);
    expect(again.replayed).toEqual(['one', 'two', 'other']);
    await again.log.close();
  });

  it('is cut off also when it holds what looks like a frame of this log', async () => {
    // The bytes of an earlier frame, aligned, within the value; its durable offset proves nothing.
    const first = await unmarkedLog('x');
    const copy = Buffer.from(first.bytes.slice(first.last.start, first.last.end)).toString('latin1');
    const test = await TestLog.create();
    await test.putDurably('one');
    await settle();
    const offset = test.log.reserve(copy.length);
    test.log.buffer.write(copy, offset, 'latin1');
    test.log.commit(2);
    await test.log.flush();
    const disk = test.disk.endProcess();
    const bytes = disk.contentOf(FIRST_SEGMENT);
    const last = framesOf(bytes).at(-1);
    bytes.fill(0, last?.start, (last?.start ?? 0) + 32);
    expect((await reopen(disk, bytes)).replayed).toEqual(['one']);
  });
});

describe('unflushed batches', () => {
  it('are cut off from the first that is missing, though later ones are there', async () => {
    const test = await TestLog.create({ fsync: 'never' });
    for (const text of texts('v', 5)) {
      test.put(text);
      await settle();
    }
    const disk = test.disk.endProcess();
    const bytes = disk.contentOf(FIRST_SEGMENT);
    const frames = framesOf(bytes);
    expect(frames).toHaveLength(6);
    const lost = frames[3];
    const torn = bytes.slice().fill(0, lost?.start, lost?.end);
    const { replayed, torn: cut } = await reopen(disk, torn);
    expect(replayed).toEqual(['v1', 'v2']);
    expect(cut?.offset).toBe(lost?.start);
  });
});

describe('a mark', () => {
  it('that is torn takes nothing with it', async () => {
    const test = await fill(['one'], 'two');
    await test.log.close();
    const disk = test.disk.endProcess();
    const bytes = disk.contentOf(FIRST_SEGMENT);
    const mark = framesOf(bytes).at(-1);
    if (mark === undefined) throw new Error('there is no frame');
    for (let bit = mark.start * 8; bit < mark.end * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect((await reopen(disk, flipped)).replayed, `bit ${bit}`).toEqual(['one', 'two']);
    }
  });
});
