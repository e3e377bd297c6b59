/** Segments of other versions of the program: older ones are read and not written to any more, newer ones are refused. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { SegmentHeaderSchema } from '../../gen/kelp/storage/v1/log_pb.ts';
import { frameSeed } from '../../src/wal/segments/segment-header.ts';
import { FRAME_HEADER_BYTES, sealFrame } from '../../src/wire/frame.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { framesOf, segmentPaths } from './segment-dump.ts';
import { DIRECTORY, FIRST_SEGMENT, STORE_ID, TestLog } from './test-log.ts';

const SEED = frameSeed(STORE_ID);

/** A log of one segment, as a program of another format writes it: the same frames behind another header. */
async function logOfFormat(version: number, records: readonly string[]): Promise<SimulatedDisk> {
  const test = await TestLog.create();
  for (const record of records) await test.putDurably(record);
  await test.log.close();
  const bytes = Buffer.from(test.disk.contentOf(FIRST_SEGMENT));
  let previousChecksum = 0;
  for (const { start, end, header } of framesOf(bytes)) {
    if (previousChecksum === 0) {
      const payload = bytes.subarray(
        start + FRAME_HEADER_BYTES,
        start + FRAME_HEADER_BYTES + header.payloadBytes,
      );
      const { $typeName: _, ...fields } = fromBinary(SegmentHeaderSchema, payload);
      payload.set(
        toBinary(SegmentHeaderSchema, create(SegmentHeaderSchema, { ...fields, formatVersion: version })),
      );
    }
    previousChecksum = sealFrame(bytes.subarray(0, end), start, { ...header, previousChecksum }, SEED);
  }
  const disk = new SimulatedDisk({ seed: 1 });
  await disk.makeDirectory(DIRECTORY);
  disk.setContent(FIRST_SEGMENT, bytes);
  return disk;
}

async function formatsOf(disk: SimulatedDisk): Promise<number[]> {
  const paths = await segmentPaths(disk);
  return paths.map((path) => {
    const bytes = disk.contentOf(path);
    const [first] = framesOf(bytes);
    if (first === undefined) throw new Error(`${path} has no header`);
    const start = first.start + FRAME_HEADER_BYTES;
    return fromBinary(SegmentHeaderSchema, bytes.subarray(start, start + first.header.payloadBytes))
      .formatVersion;
  });
}

describe('a segment of the format before', () => {
  it('is read, and what is written from then on stands in a segment of the present one', async () => {
    const test = await TestLog.open(await logOfFormat(1, ['one', 'two']));
    expect(test.replayed).toEqual(['one', 'two']);
    expect(await formatsOf(test.disk)).toEqual([1, 2]);
    await test.putDurably('three');
    expect(await test.read(1)).toMatchObject({ records: ['one', 'two', 'three'] });
    // Whatever the machine does: both are there, and no third one is made.
    const again = await TestLog.open(test.disk.losePower());
    expect(again.replayed).toEqual(['one', 'two', 'three']);
    expect(await formatsOf(again.disk)).toEqual([1, 2]);
    await again.putDurably('four');
    await again.log.close();
    const last = await TestLog.open(again.disk);
    expect(last.replayed).toEqual(['one', 'two', 'three', 'four']);
    await last.log.close();
  });

  it('is made anew where nothing was written to it', async () => {
    const test = await TestLog.open(await logOfFormat(1, []));
    expect(await formatsOf(test.disk)).toEqual([2]);
    await test.putDurably('one');
    await test.log.close();
    const again = await TestLog.open(test.disk);
    expect(again.replayed).toEqual(['one']);
    await again.log.close();
  });

  it.each(['create', 'write', 'sync', 'rename', 'syncDirectory'] as const)(
    'is not gone on with when the next one can not be made: %s fails',
    async (call) => {
      for (let at = 1; ; at++) {
        const disk = await logOfFormat(1, ['one', 'two']);
        disk.injectFault({ call, effect: 'none', at });
        const opened = await TestLog.open(disk).catch((error: unknown) => error);
        if (opened instanceof TestLog) {
          expect(at).toBeGreaterThan(1);
          expect(opened.replayed).toEqual(['one', 'two']);
          expect((await formatsOf(disk)).at(-1)).toBe(2);
          return;
        }
        expect(String(opened)).toContain(call);
        const next = disk.losePower();
        const again = await TestLog.open(next);
        expect(again.replayed).toEqual(['one', 'two']);
        await again.putDurably('three');
        const last = await TestLog.open(again.disk.losePower());
        expect(last.replayed).toEqual(['one', 'two', 'three']);
        expect(await formatsOf(last.disk)).toEqual([1, 2]);
        await last.log.close();
      }
    },
  );
});

describe('a segment of a format that is not known', () => {
  it.each([
    [
      3,
      /the segment has format 3, and this version reads 1 to 2: a newer version wrote it, so use that one or/,
    ],
    [
      0,
      /the segment has format 0, and this version reads 1 to 2: it is too old, so use the version that wrote it/,
    ],
  ])('stops the start and changes nothing: %i', async (version, text) => {
    const disk = await logOfFormat(version, ['one']);
    const before = Buffer.from(disk.contentOf(FIRST_SEGMENT));
    const opening = TestLog.open(disk);
    await expect(opening).rejects.toThrow(text);
    await expect(opening).rejects.not.toThrow(/Restore/);
    expect(before.equals(disk.contentOf(FIRST_SEGMENT))).toBe(true);
    expect(await segmentPaths(disk)).toEqual([FIRST_SEGMENT]);
  });
});
