/** Damage of every kind to the files of a store, and a start on them. The readers' own tests stand in `test/wal`, `test/snapshot`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.ts';
import { SEGMENT_HEADER_OFFSET } from '../../src/wal/frames/format.ts';
import { FRAME_HEADER_BYTES, frameBytes, isZero, peekPayloadBytes } from '../../src/wire/frame.ts';
import { inOrder } from '../support/schedule.ts';
import { places } from '../support/share.ts';
import {
  changed,
  contentOf,
  expectClear,
  expectJust,
  type Files,
  flipped,
  makeStore,
  NEWEST_PATH,
  noise,
  open,
  type StoreOnDisk,
} from './damaged-store.ts';
import { simulateCompression } from './simulated-compression.ts';

const TIMEOUT_MS = 300_000;
const NEVER = 1_000_000_000;
const SEGMENT_BYTES = 4096;

let undoCompression: () => void;
beforeAll(() => {
  undoCompression = simulateCompression(inOrder);
});
afterAll(() => undoCompression());

/** One segment that was closed. */
const small = (): Promise<StoreOnDisk> =>
  makeStore({
    seed: 1,
    async write(store) {
      for (let index = 0; index < 6; index++) await store.put(`k${index % 4}`, noise(`small ${index}`));
      await store.grantLease(60_000, 7);
      await store.put('leased', 'x', { leaseId: 7 });
      await store.delete('k1');
    },
  });

/** One segment of a process that ended while the last write was about to be flushed. */
const unfinished = (): Promise<StoreOnDisk> =>
  makeStore({
    seed: 2,
    async write(store) {
      for (let index = 0; index < 4; index++) await store.put(`k${index}`, noise(`unfinished ${index}`));
    },
    writeInVain(store) {
      store.put('k1', noise('in vain')).catch(() => undefined);
    },
  });

/** Two snapshots with all of the log behind them: each can be done without. */
const spare = (seed = 3): Promise<StoreOnDisk> =>
  makeStore({
    seed,
    limits: { segmentBytes: SEGMENT_BYTES, snapshotLogBytes: NEVER, historyRevisionsMax: 3 },
    async write(store) {
      for (let index = 0; index < 30; index++) {
        await store.put(`k${index % 3}`, noise(`spare ${seed} ${index}`).repeat(10));
        if (index === 19 || index === 29) await store.snapshot();
      }
    },
  });

/** One snapshot without which nothing goes, since the log before it was removed. */
const needed = (seed = 4): Promise<StoreOnDisk> =>
  makeStore({
    seed,
    limits: {
      segmentBytes: SEGMENT_BYTES,
      snapshotLogBytes: NEVER,
      snapshotsKept: 1,
      logRetentionBytes: 1,
      historyRevisionsMax: 2,
    },
    async write(store) {
      for (let index = 0; index < 24; index++)
        await store.put(`k${index % 3}`, noise(`needed ${seed} ${index}`).repeat(10));
      await store.snapshot();
      await store.put('k1', 'behind the snapshot');
    },
  });

/** Where the frames of a segment begin and end. */
function framesOf(bytes: Uint8Array): { start: number; end: number }[] {
  const buffer = Buffer.from(bytes);
  const frames = [];
  let start = SEGMENT_HEADER_OFFSET;
  while (start + FRAME_HEADER_BYTES <= buffer.length && !isZero(buffer, start, start + FRAME_HEADER_BYTES)) {
    const end = start + frameBytes(peekPayloadBytes(buffer, start));
    frames.push({ start, end });
    start = end;
  }
  return frames;
}

/** Judges the files and says where when that fails. */
async function judge(where: string, files: Files, original: StoreOnDisk): Promise<'opened' | 'refused'> {
  try {
    return await expectJust(files, original);
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
}

describe('every bit', () => {
  it(
    'of a closed log is right, found to be wrong, or of no matter',
    async () => {
      const original = await small();
      expect(original.segments).toHaveLength(1);
      const [path = ''] = original.segments;
      const bytes = contentOf(original.files, path);
      const outcomes = { opened: 0, refused: 0 };
      for (const bit of places(bytes.length * 8)) {
        const files = changed(original.files, path, flipped(bytes, bit));
        outcomes[await judge(`bit ${bit & 7} of byte ${bit >> 3}`, files, original)]++;
      }
      const mark = framesOf(bytes).at(-1);
      // All that stands before the closing mark matters; the zeros behind it do not.
      expect(outcomes.refused).toBe([...places((mark?.start ?? 0) * 8)].length);
    },
    TIMEOUT_MS,
  );

  it(
    'of a log whose last write was never acknowledged costs that write at most',
    async () => {
      const original = await unfinished();
      expect(original.revision).toBe(original.acknowledgedRevision + 1);
      const [path = ''] = original.segments;
      const bytes = contentOf(original.files, path);
      const end = framesOf(bytes).at(-1)?.end ?? 0;
      for (const bit of places((end + FRAME_HEADER_BYTES) * 8)) {
        await judge(`bit ${bit}`, changed(original.files, path, flipped(bytes, bit)), original);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'of a snapshot that can be done without is found to be wrong, and another way is gone',
    async () => {
      const original = await spare();
      for (const path of original.snapshots) {
        const bytes = contentOf(original.files, path);
        const isNewest = path === original.snapshots.at(-1);
        const step = isNewest ? 1 : 37;
        let tried = 0;
        for (const place of places((bytes.length * 8) / step)) {
          const bit = place * step;
          const files = changed(original.files, path, flipped(bytes, bit));
          expect(await judge(`bit ${bit} of ${path}`, files, original)).toBe('opened');
          if (tried++ % 100 === 0 && isNewest) await expectTold(files);
        }
      }
    },
    TIMEOUT_MS,
  );

  it(
    'of a snapshot that is needed stops the start',
    async () => {
      const original = await needed();
      expect(original.snapshots).toHaveLength(1);
      const [path = ''] = original.snapshots;
      const bytes = contentOf(original.files, path);
      for (const bit of places(bytes.length * 8)) {
        const files = changed(original.files, path, flipped(bytes, bit));
        expect(await judge(`bit ${bit}`, files, original), `bit ${bit}`).toBe('refused');
      }
    },
    TIMEOUT_MS,
  );

  /** Who runs the store hears of a snapshot that was of no use. */
  async function expectTold(files: Files): Promise<void> {
    const outcome = await open(files);
    if (outcome instanceof StoreError) throw outcome;
    expect(outcome.events.map(({ kind }) => kind)).toContain('snapshotDamaged');
  }
});

describe('every length', () => {
  it.each([
    ['a closed log', small, 'segments'],
    ['a log whose last write was never acknowledged', unfinished, 'segments'],
    ['a snapshot that can be done without', spare, 'snapshots'],
    ['a snapshot that is needed', needed, 'snapshots'],
  ] as const)(
    'to which %s is cut gives the right state or a refusal',
    async (_name, make, kind) => {
      const original = await make();
      const path = original[kind].at(-1) ?? '';
      const bytes = contentOf(original.files, path);
      for (const length of places(bytes.length)) {
        await judge(`cut to ${length}`, changed(original.files, path, bytes.slice(0, length)), original);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'to which a middle segment is cut stops the start, but for the zeros at its end',
    async () => {
      const original = await withoutSnapshots();
      const path = original.segments[1] ?? '';
      const bytes = contentOf(original.files, path);
      const end = framesOf(bytes).at(-1)?.end ?? 0;
      for (const place of places(bytes.length / 5)) {
        const length = place * 5;
        const files = changed(original.files, path, bytes.slice(0, length));
        const isWhole = length >= end + FRAME_HEADER_BYTES;
        expect(await judge(`cut to ${length}`, files, original)).toBe(isWhole ? 'opened' : 'refused');
      }
    },
    TIMEOUT_MS,
  );
});

describe('frames of the log', () => {
  it('that are swapped, repeated or left out are found', async () => {
    const original = await withoutSnapshots();
    let refusals = 0;
    for (const path of original.segments) {
      const bytes = contentOf(original.files, path);
      const frames = framesOf(bytes).map(({ start, end }) => bytes.slice(start, end));
      for (const [index, frame] of frames.entries()) {
        const arrangements = [
          frames.toSpliced(index, 1),
          frames.toSpliced(index, 0, frame),
          ...frames
            .slice(index + 1)
            .map((other, step) => frames.with(index, other).with(index + 1 + step, frame)),
        ];
        for (const [number, arrangement] of arrangements.entries()) {
          const content = Buffer.concat([bytes.subarray(0, SEGMENT_HEADER_OFFSET), ...arrangement]);
          const file = Buffer.concat([content, Buffer.alloc(Math.max(64, bytes.length - content.length))]);
          const where = `frame ${index} of ${path}, arrangement ${number}`;
          if ((await judge(where, changed(original.files, path, file), original)) === 'refused') refusals++;
        }
      }
    }
    expect(refusals).toBeGreaterThan(50);
  });
});

describe('a file', () => {
  it('that is missing, empty or too long is found, or not needed', async () => {
    const original = await spare();
    for (const path of [...original.segments, ...original.snapshots]) {
      const bytes = contentOf(original.files, path);
      await judge(`${path} is missing`, changed(original.files, path), original);
      await judge(`${path} is empty`, changed(original.files, path, new Uint8Array()), original);
      await judge(`${path} is zeros`, changed(original.files, path, new Uint8Array(bytes.length)), original);
      const twice = Buffer.concat([bytes, bytes]);
      await judge(`${path} twice`, changed(original.files, path, twice), original);
    }
  });

  it('that is the newest segment is missed, and so are all of them', async () => {
    for (const original of [await small(), await spare(), await needed(), await withoutSnapshots()]) {
      const newest = original.segments.at(-1) ?? '';
      const without = [newest, original.segments].map(
        (paths) => new Map([...original.files].filter(([path]) => !paths.includes(path))),
      );
      for (const files of without) {
        const outcome = await open(files);
        if (!(outcome instanceof StoreError)) throw new Error('the store opens');
        expect(outcome.message).toContain(`${newest}, offset 0: the newest segment of the log is missing`);
      }
    }
  });

  it('that names the newest segment is made anew when it is broken', async () => {
    const original = await withoutSnapshots();
    const bytes = contentOf(original.files, NEWEST_PATH);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const files = changed(original.files, NEWEST_PATH, flipped(bytes, bit));
      expect(await judge(`bit ${bit}`, files, original)).toBe('opened');
    }
    for (let length = 0; length < bytes.length; length++) {
      const files = changed(original.files, NEWEST_PATH, bytes.slice(0, length));
      expect(await judge(`length ${length}`, files, original)).toBe('opened');
    }
  });

  it('of another store is found, or not needed', async () => {
    await exchangeFiles(await spare(), await spare(5));
    await exchangeFiles(await needed(), await needed(7));
  });

  /** Puts each file of the other store in the place of each of the same kind. */
  async function exchangeFiles(original: StoreOnDisk, other: StoreOnDisk): Promise<void> {
    for (const kind of ['segments', 'snapshots'] as const) {
      for (const path of original[kind]) {
        for (const foreign of other[kind]) {
          const files = changed(original.files, path, contentOf(other.files, foreign));
          await judge(`${foreign} of another store as ${path}`, files, original);
        }
      }
    }
  }

  it('that has the place of another is found, or not needed', async () => {
    const original = await spare();
    const paths = [...original.segments, ...original.snapshots];
    for (const path of paths) {
      for (const other of paths) {
        const files = changed(original.files, path, contentOf(original.files, other));
        await judge(`${other} as ${path}`, files, original);
      }
    }
  });

  it('that all of the log was in is missed when a snapshot is left', async () => {
    const original = await spare();
    const files = new Map([...original.files].filter(([path]) => !original.segments.includes(path)));
    const outcome = await open(files);
    if (!(outcome instanceof StoreError)) throw new Error('the store opens');
    expect(outcome.message).toMatch(/log is missing/);
  });
});

async function withoutSnapshots(): Promise<StoreOnDisk> {
  return makeStore({
    seed: 6,
    limits: { segmentBytes: SEGMENT_BYTES, snapshotLogBytes: NEVER },
    async write(store) {
      for (let index = 0; index < 30; index++)
        await store.put(`k${index % 5}`, noise(`log ${index}`).repeat(8));
    },
  });
}

describe('a refusal', () => {
  it('says what to do', async () => {
    const original = await small();
    const [path = ''] = original.segments;
    const outcome = await open(changed(original.files, path, flipped(contentOf(original.files, path), 800)));
    if (!(outcome instanceof StoreError)) throw new Error('the store opens');
    expectClear(outcome);
    expect(outcome.message).toMatch(/Restore the file from a copy/);
  });
});
