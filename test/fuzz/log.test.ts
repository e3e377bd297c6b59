import { describe, expect } from 'vitest';
import type { RecordShape } from '../../gen/kelp/storage/v1/log_codec.ts';
import { verifyDirectory } from '../../src/offline/verify/verify.ts';
import { frameKind } from '../../src/wal/frames/format.ts';
import { DATA_DIR, diskWith, type Files } from '../offline/small-stores.ts';
import type { SeededRandom } from '../support/random.ts';
import { CountingDisk } from './counting-disk.ts';
import { fuzz } from './fuzz.ts';
import { mutateMessage } from './mutate-message.ts';
import { mutate } from './mutator.ts';
import { batchOf, type LogFrame, type LogSegment, putTogether, recordsIn, takeApart } from './sealed-log.ts';
import { openAndUse, richLog } from './store-inputs.ts';

/** What is read to see whether a file is a segment. */
const HEADER_READ_BYTES = 512;

const logs = await Promise.all([1, 2, 3].map(richLog));
const segmentsOfLogs = logs.map((files) =>
  [...files].filter(([path]) => path.endsWith('.log')).map(([path, bytes]) => takeApart(path, bytes)),
);

describe('a log', () => {
  fuzz('whose bytes were changed is read or refused as damaged', 60, async (random) => {
    const files = random.pick(logs);
    const path = random.pick([...files.keys()]);
    const other = random.pick([...random.pick(logs).values()]);
    await expectReadOrRefused(
      new Map([...files, [path, mutate(files.get(path) ?? other, other, random)]]),
      true,
    );
  });

  fuzz('of random bytes is refused as damaged', 20, async (random) => {
    const [path = ''] = random.pick(logs).keys();
    await expectReadOrRefused(new Map([[path, random.bytes(random.below(9000))]]), true);
  });

  fuzz('whose batches were changed under right checksums is read or refused as damaged', 60, (random) =>
    expectChangedFrameReadOrRefused(
      random,
      (frame, other) => (frame.payload = mutate(frame.payload, other.payload, random)),
    ),
  );

  fuzz(
    'whose records say something else under right checksums is read or refused as damaged',
    100,
    (random) =>
      expectChangedFrameReadOrRefused(
        random,
        (frame) => (frame.payload = batchOf(mutateRecords(recordsIn(frame.payload), random))),
      ),
  );

  fuzz('whose frames say something else under right checksums is read or refused as damaged', 60, (random) =>
    expectChangedFrameReadOrRefused(random, (frame) => {
      const { kind, revision, durableOffset } = mutateMessage(
        { kind: frame.kind, revision: frame.revision, durableOffset: frame.durableOffset },
        (field) => field !== 'revision',
        random,
      );
      Object.assign(frame, { kind, durableOffset, revision: Math.max(0, revision) });
    }),
  );
});

async function expectChangedFrameReadOrRefused(
  random: SeededRandom,
  change: (frame: LogFrame, other: LogFrame) => unknown,
): Promise<void> {
  const segments = structuredBuffers(random.pick(segmentsOfLogs));
  const batches = segments.flatMap(({ frames }) => frames.filter(({ kind }) => kind === frameKind.batch));
  change(random.pick(batches), random.pick(batches));
  await expectReadOrRefused(putTogether(segments), false);
}

function mutateRecords(records: readonly RecordShape[], random: SeededRandom): RecordShape[] {
  return mutateMessage({ records: [...records] }, (field) => field === 'reason' || field === 'kind', random)
    .records;
}

/** @param isFoundOffline whether what stops a start can be known without the state that the log leads to. */
async function expectReadOrRefused(files: Files, isFoundOffline: boolean): Promise<void> {
  const outcome = await openAndUse(await diskWith(files));
  const disk = new CountingDisk(await diskWith(files));
  const report = await verifyDirectory(DATA_DIR, () => undefined, disk);
  if (outcome === 'refused' && isFoundOffline) expect(report.isWhole, 'whole as verified').toBe(false);
  // Each byte is read as a header, in its frame and behind the last frame, so three times, and a frame may be cut by
  // the end of a piece; the work does not depend on what the bytes say.
  const fileBytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  expect(disk.readBytes).toBeLessThanOrEqual(4 * fileBytes + files.size * HEADER_READ_BYTES);
  expect(disk.readCount).toBeLessThanOrEqual(10 * files.size);
}

/** A copy whose payloads are buffers still. */
function structuredBuffers(segments: readonly LogSegment[]): LogSegment[] {
  return segments.map((segment) => ({ ...segment, frames: segment.frames.map((frame) => ({ ...frame })) }));
}
