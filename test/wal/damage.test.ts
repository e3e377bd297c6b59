import { describe, expect, it } from 'vitest';
import { isStoreError } from '../../src/errors.ts';
import { PIECE_BYTES } from '../../src/wal/frames/frame-cursor.ts';
import { Log } from '../../src/wal/log.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { framesOf, segmentPaths } from './segment-dump.ts';
import { DIRECTORY, FIRST_SEGMENT, logOptions, settle, STORE_ID, TestLog, texts } from './test-log.ts';

const SEGMENT_BYTES = 4096;
/** Three of them and a bit more fill a segment. */
const FILLER = '.'.repeat(1300);

/** The files of a log that was closed, by path. */
type Files = Map<string, Uint8Array>;

async function closedLog(write: (test: TestLog) => Promise<void>): Promise<Files> {
  const test = await TestLog.create({ segmentBytes: SEGMENT_BYTES });
  await write(test);
  await test.log.close();
  const files: Files = new Map();
  for (const path of await segmentPaths(test.disk)) files.set(path, test.disk.contentOf(path));
  return files;
}

const small = closedLog(async (test) => {
  for (const text of ['one', 'two', 'three', 'four']) await test.putDurably(text);
});
const SMALL_TEXTS = ['one', 'two', 'three', 'four'];

/** Four segments: of the revisions 1 to 4, 5 to 8, 9 to 11 and 12 to 13. */
const long = closedLog(async (test) => {
  for (const text of texts(FILLER, 13)) await test.putDurably(text);
});

async function diskWith(files: Files): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed: 1 });
  await disk.makeDirectory(DIRECTORY);
  for (const [path, bytes] of files) disk.setContent(path, bytes);
  return disk;
}

/** What a log of these files replays, or why it does not open. */
async function replay(files: Files, afterRevision = 0): Promise<string[] | Error> {
  const disk = await diskWith(files);
  try {
    const { log, replayed } = await TestLog.open(disk, { segmentBytes: SEGMENT_BYTES }, afterRevision);
    await log.close();
    return replayed;
  } catch (error) {
    if (!isStoreError(error, 'damaged')) throw error;
    for (const [path, bytes] of files) {
      expect(Buffer.from(bytes).equals(disk.contentOf(path)), `${path} was changed`).toBe(true);
    }
    return error;
  }
}

async function expectDamage(files: Files, text: RegExp, afterRevision = 0): Promise<void> {
  const outcome = await replay(files, afterRevision);
  expect(outcome).toBeInstanceOf(Error);
  expect(String(outcome)).toMatch(text);
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

/** A copy of the files with one of them changed, or left out. */
function changed(files: Files, path: string, bytes: Uint8Array | undefined): Files {
  const copy = new Map(files);
  if (bytes === undefined) copy.delete(path);
  else copy.set(path, bytes);
  return copy;
}

function pathOf(revision: number): string {
  return `${DIRECTORY}/${String(revision).padStart(20, '0')}.log`;
}

function contentOf(files: Files, revision: number): Uint8Array {
  const bytes = files.get(pathOf(revision));
  if (bytes === undefined) throw new Error(`no segment begins at revision ${revision}`);
  return bytes;
}

describe('a flipped bit', () => {
  it('in anything that was acknowledged is found, wherever it is', async () => {
    const files = await small;
    const bytes = contentOf(files, 1);
    const mark = framesOf(bytes).at(-1);
    if (mark === undefined) throw new Error('there is no mark');
    for (let bit = 0; bit < mark.start * 8; bit++) {
      const outcome = await replay(changed(files, FIRST_SEGMENT, flip(bytes, bit)));
      expect(outcome, `bit ${bit & 7} of byte ${bit >> 3}`).toBeInstanceOf(Error);
    }
  });

  it('behind the end changes nothing', async () => {
    const files = await small;
    const bytes = contentOf(files, 1);
    const mark = framesOf(bytes).at(-1);
    if (mark === undefined) throw new Error('there is no mark');
    for (let bit = mark.end * 8; bit < bytes.length * 8; bit += 37) {
      expect(await replay(changed(files, FIRST_SEGMENT, flip(bytes, bit)))).toEqual(SMALL_TEXTS);
    }
  });

  it('in an older segment is found, its mark and its zeros included', async () => {
    const files = await long;
    const bytes = contentOf(files, 5);
    for (let bit = 0; bit < bytes.length * 8; bit += 61) {
      const outcome = await replay(changed(files, pathOf(5), flip(bytes, bit)));
      expect(outcome, `bit ${bit & 7} of byte ${bit >> 3}`).toBeInstanceOf(Error);
    }
  });
});

describe('a closed log', () => {
  it('is found damaged when its newest segment was cut anywhere within its frames', async () => {
    const files = await small;
    const bytes = contentOf(files, 1);
    const end = framesOf(bytes).at(-1)?.end ?? 0;
    for (let length = 0; length < end + 32; length++) {
      const outcome = await replay(changed(files, FIRST_SEGMENT, bytes.slice(0, length)));
      expect(outcome, `cut at ${length}`).toBeInstanceOf(Error);
    }
    expect(await replay(changed(files, FIRST_SEGMENT, bytes.slice(0, end + 32)))).toEqual(SMALL_TEXTS);
  });

  it('is found damaged when frames are swapped, repeated or removed', async () => {
    const files = await small;
    const bytes = contentOf(files, 1);
    const frames = framesOf(bytes).map(({ start, end }) => bytes.slice(start, end));
    const [header, one, two, three, four, mark] = frames;
    const rearranged = [
      [header, two, one, three, four, mark],
      [header, one, two, two, three, four, mark],
      [header, one, three, four, mark],
      [header, two, three, four, mark],
      [header, one, two, three, mark],
      [header, one, two, three, four, mark, mark],
      [header, header, one, two, three, four, mark],
      [one, two, three, four, mark],
      [header, mark, one, two, three, four],
    ];
    for (const [index, order] of rearranged.entries()) {
      const content = Buffer.concat([
        bytes.subarray(0, 8),
        ...order.map((frame) => frame ?? Buffer.alloc(0)),
      ]);
      const padded = Buffer.concat([content, Buffer.alloc(SEGMENT_BYTES - content.length)]);
      const outcome = await replay(changed(files, FIRST_SEGMENT, padded));
      expect(outcome, `arrangement ${index}`).toBeInstanceOf(Error);
    }
  });

  it('is found damaged when an acknowledged batch became zeros', async () => {
    const files = await small;
    const bytes = contentOf(files, 1);
    for (const { start, end } of framesOf(bytes).slice(0, -1)) {
      const outcome = await replay(changed(files, FIRST_SEGMENT, bytes.slice().fill(0, start, end)));
      expect(outcome, `frame at ${start}`).toBeInstanceOf(Error);
    }
  });

  it('is found damaged also when the proof lies far behind, across two pieces that are read', async () => {
    for (let shift = -48; shift <= 16; shift += 8) {
      // The mark begins this far from the end of the first piece after the broken batch.
      const frameBytes = PIECE_BYTES + shift;
      const test = await TestLog.create({ segmentBytes: 4 * 1024 * 1024 });
      const prefixBytes = 32 + 4;
      await test.putDurably('.'.repeat(frameBytes - prefixBytes));
      await test.log.close();
      const bytes = test.disk.contentOf(FIRST_SEGMENT);
      const [, batch, mark] = framesOf(bytes);
      expect((mark?.start ?? 0) - (batch?.start ?? 0)).toBe(frameBytes);
      const files = new Map([[FIRST_SEGMENT, flip(bytes, (batch?.start ?? 0) * 8)]]);
      await expectDamage(files, new RegExp(`though the frame at ${mark?.start} was written`));
    }
  });

  it('says which file, offset and revisions are concerned', async () => {
    const files = await small;
    const bytes = contentOf(files, 1);
    const three = framesOf(bytes)[3];
    const flipped = flip(bytes, ((three?.start ?? 0) + 35) * 8);
    await expectDamage(
      changed(files, FIRST_SEGMENT, flipped),
      new RegExp(`${FIRST_SEGMENT}, offset ${three?.start}: .*Revision 2 is the last .* from 3 on`),
    );
  });
});

describe('a row of segments', () => {
  it('is whole to begin with', async () => {
    const files = await long;
    expect([...files.keys()]).toEqual([1, 5, 9, 12].map(pathOf));
    expect(await replay(files)).toEqual(texts(FILLER, 13));
  });

  it('is refused when one is missing', async () => {
    const files = await long;
    await expectDamage(changed(files, pathOf(1), undefined), /revisions 1 to 4 are missing/);
    await expectDamage(
      changed(files, pathOf(5), undefined),
      /the segment before it, of revision 5, is missing/,
    );
    await expectDamage(
      changed(files, pathOf(9), undefined),
      /the segment before it, of revision 9, is missing/,
    );
  });

  it('is refused when the newest is missing that a snapshot knows of', async () => {
    const files = await long;
    await expectDamage(
      changed(files, pathOf(12), undefined),
      /ends at revision 11, but revision 13 had been/,
      13,
    );
  });

  it('is refused when one has the name of another', async () => {
    const files = await long;
    const swapped = changed(changed(files, pathOf(5), contentOf(files, 9)), pathOf(9), contentOf(files, 5));
    await expectDamage(swapped, /begins at revision 9, which is not its name/);
  });

  it('is refused when one comes from another store', async () => {
    const files = await long;
    const other = new SimulatedDisk({ seed: 1 });
    const options = logOptions(other, { durable: [], failures: [], delays: [] });
    const log = await Log.create(options, Buffer.from('another store id'));
    await log.close();
    const foreign = changed(new Map(), FIRST_SEGMENT, other.contentOf(FIRST_SEGMENT));
    expect(await replay(foreign)).toEqual([]);
    const mixed = new Map([...files, ...foreign]);
    await expectDamage(mixed, /belongs to another store/);
  });

  it('is refused when one comes from another history of the same store', async () => {
    const files = await long;
    const other = await closedLog(async (test) => {
      for (const text of texts('-'.repeat(1300), 13)) await test.putDurably(text);
    });
    await expectDamage(changed(files, pathOf(9), contentOf(other, 9)), /does not follow the one before/);
  });

  it('is refused when there is a segment of an impossible name', async () => {
    const files = await small;
    const bytes = contentOf(files, 1);
    await expectDamage(changed(files, `${DIRECTORY}/1.log`, bytes), /no segment of the log has such a name/);
  });

  it('is not looked at before the segment that is needed', async () => {
    const files = await long;
    const bytes = contentOf(files, 1);
    const damaged = changed(files, FIRST_SEGMENT, flip(bytes, 3000 * 8));
    expect(await replay(damaged)).toBeInstanceOf(Error);
    expect(await replay(damaged, 5)).toEqual(texts(FILLER, 13).slice(4));
  });
});

describe('what is not damage', () => {
  it('is a segment that was being made', async () => {
    const files = await small;
    const disk = await diskWith(changed(files, `${pathOf(5)}.tmp`, Buffer.from('KELP')));
    const { log, replayed } = await TestLog.open(disk);
    expect(replayed).toEqual(SMALL_TEXTS);
    await log.close();
    expect(await segmentPaths(disk)).toEqual([FIRST_SEGMENT]);
  });

  it('is a directory without segments', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    expect(await Log.open(logOptions(disk, { durable: [], failures: [], delays: [] }))).toBeUndefined();
    await disk.makeDirectory(DIRECTORY);
    disk.setContent(`${FIRST_SEGMENT}.tmp`, Buffer.from('KELP'));
    expect(await Log.open(logOptions(disk, { durable: [], failures: [], delays: [] }))).toBeUndefined();
    const log = await Log.create(logOptions(disk, { durable: [], failures: [], delays: [] }), STORE_ID);
    await settle();
    await log.close();
  });
});
