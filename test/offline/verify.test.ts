import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptySnapshotHeader,
  emptySnapshotLease,
  emptySnapshotVersion,
  type SnapshotBlockShape,
  type SnapshotIncarnationShape,
  type SnapshotLeaseShape,
  type SnapshotVersionShape,
  sizeOfSnapshotBlock,
  writeSnapshotBlock,
} from '../../gen/kelp/storage/v1/snapshot_codec.ts';
import { isStoreError } from '../../src/errors.ts';
import { verifyBackupFile } from '../../src/offline/backup-file.ts';
import { verifyDirectory } from '../../src/offline/verify/verify.ts';
import type { VerifyReport } from '../../src/offline/verify/verify-report.ts';
import { SnapshotDamageError } from '../../src/snapshot/damage.ts';
import { SnapshotWriter } from '../../src/snapshot/writer.ts';
import { encodeSnapshotHeader } from '../../src/store/checkpoints/checkpoint.ts';
import { openStore } from '../../src/kv/open-store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { harmArbitrary, harmed } from './harm.ts';
import {
  changed,
  contentOf,
  DATA_DIR,
  diskWith,
  type Files,
  filesOf,
  flip,
  longLog,
  longLogWithSnapshots,
  NEWEST_PATH,
  readFiles,
  segmentPath,
  snapshotPath,
  startOn,
} from './small-stores.ts';

const long = longLog();
const withSnapshots = longLogWithSnapshots();
const foreign = longLog(2);
/** Of the same store, but with other writes. */
const otherHistory = filesOf(async ({ store }) => {
  for (let index = 1; index <= 13; index++) await store.put(`other${index}`, '-'.repeat(1300));
});

/** Verifies, and sees to it that nothing is changed. */
async function verify(files: Files): Promise<VerifyReport> {
  const disk = await diskWith(files);
  // It makes none.
  await disk.remove(`${DATA_DIR}/LOCK`);
  const report = await verifyDirectory(DATA_DIR, () => undefined, disk);
  expect(await readFiles(disk)).toEqual(new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1))));
  expect((await disk.list(DATA_DIR)).filter((name) => !['NEWEST', 'ENGINE'].includes(name)).sort()).toEqual([
    'log',
    'snapshots',
  ]);
  return report;
}

/** Each damage in a line. */
async function damagesIn(files: Files): Promise<string[]> {
  const { damages, isWhole } = await verify(files);
  expect(isWhole).toBe(damages.length === 0);
  return damages.map(({ file, offset, what, fromRevision, toRevision }) => {
    const name = file.slice(DATA_DIR.length + 1).replace(/0{10,}/, '');
    return `${name}:${offset} ${what} [${fromRevision}..${toRevision ?? ''}]`;
  });
}

describe('a whole data directory', () => {
  it('is found whole, with what is in it', async () => {
    expect(await verify(await withSnapshots)).toMatchObject({
      isWhole: true,
      wholeRevision: 13,
      log: { segmentCount: 5, firstRevision: 1, lastRevision: 13, torn: undefined },
      snapshots: [
        { revision: 10, isWhole: true, leaseCount: 1 },
        { revision: 6, isWhole: true, leaseCount: 1, versionCount: 6 },
      ],
      damages: [],
      notes: [],
      recovery: { kind: 'starts', revision: 13, snapshotRevision: 10, cutBytes: 0, skippedSnapshots: [] },
    });
  });

  it('may be empty', async () => {
    expect(await verify(new Map())).toMatchObject({ isWhole: true, recovery: { kind: 'newStore' } });
    const files = await filesOf(async () => undefined);
    expect(await verify(files)).toMatchObject({ isWhole: true, recovery: { kind: 'starts', revision: 0 } });
  });

  it('is told by its folders', async () => {
    const disk = await diskWith(new Map());
    await expect(verifyDirectory('/', () => undefined, disk)).rejects.toMatchObject({
      code: 'invalidArgument',
      message: expect.stringMatching(/no data directory/),
    });
  });

  it('tells its engine; one that is not known stops a start', async () => {
    const path = `${DATA_DIR}/ENGINE`;
    const files = await withSnapshots;
    expect(await verify(files)).toMatchObject({ isWhole: true, engine: 'memory' });
    expect(await verify(changed(files, path, new Uint8Array(Buffer.from('hash\n'))))).toMatchObject({
      isWhole: false,
      engine: undefined,
      damages: [{ file: path, offset: 0, what: 'it names no engine that this version knows' }],
      recovery: { kind: 'stops', why: `${path}: it names no engine that this version knows` },
    });
  });

  it('tells of files that were left over', async () => {
    const files = new Map([
      ...(await withSnapshots),
      [`${segmentPath(14)}.tmp`, new Uint8Array(3)] as const,
      [`${snapshotPath(14)}.tmp`, new Uint8Array(3)] as const,
      [`${snapshotPath(3)}.damaged`, new Uint8Array(3)] as const,
    ]);
    const { isWhole, notes } = await verify(files);
    expect([isWhole, ...notes]).toEqual([
      true,
      expect.stringMatching(/14\.log\.tmp was being made/),
      expect.stringMatching(/14\.snapshot\.tmp was being made/),
      expect.stringMatching(/3\.snapshot\.damaged was set aside/),
    ]);
  });
});

describe('a directory in use', () => {
  it('is refused', async () => {
    const disk = await diskWith(new Map());
    const store = await openStore({ dataDir: DATA_DIR, disk, clock: new ManualClock() });
    const verifying = verifyDirectory(DATA_DIR, () => undefined, disk);
    await expect(verifying).rejects.toMatchObject({ code: 'locked' });
    await store.close();
    expect(await verifyDirectory(DATA_DIR, () => undefined, disk)).toMatchObject({ isWhole: true });
    // The lock was given back.
    await (await openStore({ dataDir: DATA_DIR, disk, clock: new ManualClock() })).close();
  });

  it('is refused also when the server comes meanwhile', async () => {
    const disk = await diskWith(await long);
    await disk.remove(`${DATA_DIR}/LOCK`);
    let locked: Promise<unknown> | undefined;
    const verifying = verifyDirectory(
      DATA_DIR,
      () => {
        locked ??= disk.lock(`${DATA_DIR}/LOCK`);
      },
      disk,
    );
    await expect(verifying).rejects.toMatchObject({ code: 'locked' });
    expect(locked).toBeDefined();
  });
});

describe('damage in the log', () => {
  it('is named by file, offset and revisions', async () => {
    const files = await long;
    const path = segmentPath(4);
    const damaged = changed(files, path, flip(contentOf(files, path), 2000 * 8));
    expect(await damagesIn(damaged)).toEqual([
      expect.stringMatching(/^log\/4\.log:\d+ the checksum of a frame is wrong \[5\.\.6\]$/),
    ]);
    expect(await verify(damaged)).toMatchObject({
      wholeRevision: 4,
      log: { lastRevision: 13 },
      recovery: { kind: 'stops', why: expect.stringMatching(/the checksum of a frame is wrong/) },
    });
  });

  it('is named in every segment that has some', async () => {
    let files = await long;
    for (const revision of [1, 4, 10]) {
      const path = segmentPath(revision);
      files = changed(files, path, flip(contentOf(files, path), 2000 * 8));
    }
    expect(await damagesIn(files)).toEqual([
      expect.stringMatching(/^log\/1\.log:\d+ .* \[2\.\.3\]$/),
      expect.stringMatching(/^log\/4\.log:\d+ .* \[5\.\.6\]$/),
      expect.stringMatching(/^log\/10\.log:\d+ .* \[11\.\.12\]$/),
    ]);
  });

  it('before the newest snapshot does not stop a start', async () => {
    const files = await withSnapshots;
    const path = segmentPath(1);
    const report = await verify(changed(files, path, flip(contentOf(files, path), 2000 * 8)));
    expect(report).toMatchObject({
      isWhole: false,
      wholeRevision: 13,
      recovery: { kind: 'starts', revision: 13, snapshotRevision: 10 },
    });
  });

  it('is a broken header', async () => {
    const files = await long;
    const path = segmentPath(4);
    expect(await damagesIn(changed(files, path, flip(contentOf(files, path), 60 * 8)))).toEqual([
      expect.stringMatching(/^log\/4\.log:0 .* \[4\.\.6\]$/),
    ]);
  });

  it('is a missing segment, whichever it is', async () => {
    const files = await long;
    const without = (revision: number): Files => changed(files, segmentPath(revision), undefined);
    expect(await damagesIn(without(1))).toEqual([
      'log/4.log:0 the log begins at revision 4: what comes before is missing [1..3]',
    ]);
    expect(await damagesIn(without(4))).toEqual([
      'log/7.log:0 the segment before it, of revision 4, is missing [4..6]',
    ]);
    expect(await verify(without(4))).toMatchObject({ wholeRevision: 3, recovery: { kind: 'stops' } });
    expect(await damagesIn(without(13))).toEqual([
      'log/13.log:0 the newest segment of the log is missing [13..]',
    ]);
    expect(await verify(without(13))).toMatchObject({ wholeRevision: 12, recovery: { kind: 'stops' } });
  });

  it('is no file that names the newest segment, which is missing or broken itself', async () => {
    const files = await long;
    expect(await damagesIn(changed(files, NEWEST_PATH, undefined))).toEqual([]);
    expect(await damagesIn(changed(files, NEWEST_PATH, flip(contentOf(files, NEWEST_PATH), 3)))).toEqual([]);
  });

  it('is a newest segment that is missing, when a snapshot knows of it', async () => {
    const files = await filesOf(async ({ store }) => {
      for (let index = 1; index <= 5; index++) await store.put('a', '.'.repeat(1300));
      await store.snapshot();
    });
    const report = await verify(changed(changed(files, segmentPath(4), undefined), NEWEST_PATH, undefined));
    expect(report.damages).toMatchObject([{ what: expect.stringMatching(/ends at revision 3, before/) }]);
    expect(report).toMatchObject({ wholeRevision: 5, recovery: { kind: 'stops' } });
  });

  it('is a log that is missing altogether', async () => {
    const files = new Map([...(await withSnapshots)].filter(([path]) => path.includes('snapshot')));
    expect(await verify(files)).toMatchObject({
      isWhole: false,
      wholeRevision: 10,
      recovery: { kind: 'stops', why: expect.stringMatching(/the log is missing/) },
    });
  });

  it('is a segment of another store, or of another history', async () => {
    const files = await long;
    const path = segmentPath(7);
    expect(await damagesIn(changed(files, path, contentOf(await foreign, path)))).toEqual([
      'log/7.log:0 the segment belongs to another store [7..9]',
    ]);
    const mixed = changed(files, path, contentOf(await otherHistory, path));
    expect(await damagesIn(mixed)).toEqual([
      expect.stringMatching(/^log\/7\.log:0 the segment does not follow the end of the one before/),
      expect.stringMatching(/^log\/10\.log:0 the segment does not follow the end of the one before/),
    ]);
  });

  it('is also a mark in which no record is', async () => {
    const files = await long;
    const path = segmentPath(1);
    const bytes = contentOf(files, path);
    const markEnd = bytes.findLastIndex((byte) => byte !== 0);
    expect(await verify(changed(files, path, flip(bytes, markEnd * 8)))).toMatchObject({
      wholeRevision: 3,
      damages: [{ file: path, fromRevision: 4, toRevision: 3 }],
      recovery: { kind: 'stops' },
    });
  });

  it('is a file with an impossible name', async () => {
    const files = changed(await long, `${DATA_DIR}/log/5.log`, new Uint8Array(8));
    expect(await damagesIn(files)).toEqual(['log/5.log:0 no segment of the log has such a name [1..]']);
  });
});

describe('the end of the log', () => {
  it('may be torn, which is no damage', async () => {
    const files = await long;
    const path = segmentPath(13);
    const bytes = contentOf(files, path).slice();
    // The mark at the end of the content ends in the upper bytes of its revision, 7 zeros.
    const offset = bytes.findLastIndex((byte) => byte !== 0) + 8;
    bytes.fill(0xab, offset, offset + 100);
    expect(await verify(changed(files, path, bytes))).toMatchObject({
      isWhole: true,
      wholeRevision: 13,
      log: { torn: { file: path, offset, bytes: 100 } },
      recovery: { kind: 'starts', revision: 13, cutBytes: 100 },
    });
  });
});

describe('a damaged snapshot', () => {
  it('is named, and passed over for the one before', async () => {
    const files = await withSnapshots;
    const path = snapshotPath(10);
    const damaged = changed(files, path, flip(contentOf(files, path), 150 * 8));
    expect(await damagesIn(damaged)).toEqual([
      expect.stringMatching(/^snapshots\/10\.snapshot:\d+ .*checksum.* \[10\.\.10\]$/),
    ]);
    expect(await verify(damaged)).toMatchObject({
      wholeRevision: 13,
      snapshots: [{ isWhole: false }, { isWhole: true }],
      recovery: { kind: 'starts', revision: 13, snapshotRevision: 6, skippedSnapshots: [10] },
    });
  });

  it('stops a start with its own error when the log does not reach back to the beginning', async () => {
    let files = changed(await withSnapshots, segmentPath(1), undefined);
    for (const revision of [6, 10]) {
      const path = snapshotPath(revision);
      files = changed(files, path, flip(contentOf(files, path), 150 * 8));
    }
    expect((await verify(files)).recovery).toMatchObject({
      kind: 'stops',
      why: expect.stringMatching(/10\.snapshot is damaged/),
    });
  });

  it('may be of another store, or have the name of another', async () => {
    const files = await withSnapshots;
    const renamed = changed(files, snapshotPath(12), contentOf(files, snapshotPath(10)));
    expect(await damagesIn(renamed)).toEqual([
      expect.stringMatching(/snapshots\/12\.snapshot:0 its name is not its revision, 10 /),
    ]);
    const other = await filesOf(
      async ({ store }) => {
        await store.put('a', 'b');
        await store.snapshot();
      },
      { seed: 3 },
    );
    const mixed = changed(files, snapshotPath(1), contentOf(other, snapshotPath(1)));
    expect(await damagesIn(mixed)).toEqual([
      expect.stringMatching(/snapshots\/1\.snapshot:0 it belongs to another store than the log/),
    ]);
  });

  it('is found at any flipped bit and any length', async () => {
    const files = await withSnapshots;
    const path = snapshotPath(10);
    const bytes = contentOf(files, path);
    for (let bit = 0; bit < bytes.length * 8; bit += 7) {
      expect(await damagesIn(changed(files, path, flip(bytes, bit))), `bit ${bit}`).toHaveLength(1);
    }
    for (let length = 0; length < bytes.length; length += 5) {
      expect(await damagesIn(changed(files, path, bytes.slice(0, length))), `cut at ${length}`).toHaveLength(
        1,
      );
    }
  });
});

/** What is found in a snapshot of revision 5 with these blocks. */
async function foundIn(
  blocks: readonly Partial<SnapshotBlockShape>[],
  changes: {
    readonly itemCount?: number;
    readonly formatVersion?: number;
    readonly incarnations?: SnapshotIncarnationShape[];
    readonly bytes?: Buffer;
  } = {},
): Promise<string> {
  const disk = await diskWith(new Map());
  const { formatVersion = 4, incarnations = [] } = changes;
  const fields = { formatVersion, incarnations, revision: 5 };
  const header = encodeSnapshotHeader({ ...emptySnapshotHeader(), ...fields });
  const writer = await SnapshotWriter.create(disk, `${DATA_DIR}/snapshots`, 5, header);
  for (const { versions = [], leases = [] } of blocks) {
    const block = { versions, leases };
    const bytes = Buffer.alloc(sizeOfSnapshotBlock(block));
    writeSnapshotBlock(block, bytes, 0);
    await writer.write(changes.bytes ?? bytes, changes.itemCount ?? versions.length + leases.length);
  }
  await writer.finish();
  try {
    await verifyBackupFile(snapshotPath(5), () => undefined, disk);
    return 'whole';
  } catch (error) {
    return error instanceof SnapshotDamageError ? error.what : String(error);
  }
}

describe('a snapshot whose checksums are right', () => {
  const KEY_A = Buffer.from('a');
  const KEY_B = Buffer.from('b');

  const version = (key: Uint8Array, revision: number, replacedBy = 0): SnapshotVersionShape => ({
    ...emptySnapshotVersion(),
    key,
    revision,
    createRevision: 1,
    modRevision: 1,
    version: 1,
    replacedBy,
  });
  const lease = (leaseId: number): SnapshotLeaseShape => ({
    ...emptySnapshotLease(),
    leaseId,
    ttlMs: 1000,
    deadlineMs: 1000,
  });

  it('may hold what recovery can not load all the same', async () => {
    const good = [{ leases: [lease(1), lease(2)] }, { versions: [version(KEY_B, 1), version(KEY_A, 4)] }];
    const older = [version(KEY_A, 1, 2), version(KEY_A, 2, 4)];
    expect(await foundIn([...good, { versions: older }])).toBe('whole');
    expect(await foundIn(good, { itemCount: 3 })).toBe('a block has 2 items, not 3');
    expect(await foundIn(good, { formatVersion: 3 })).toBe('whole');
    expect(await foundIn(good, { formatVersion: 2 })).toBe(
      'it has format 2, and this version reads 3 to 4: it is too old, so use the version that wrote it',
    );
    expect(await foundIn(good, { formatVersion: 5 })).toBe(
      'it has format 5, and this version reads 3 to 4: a newer version wrote it, so use that one or a later one',
    );
    expect(await foundIn(good, { bytes: Buffer.from([0xff]) })).toMatch(/block can not be understood/);
    expect(await foundIn([...good].reverse())).toBe('leases stand behind keys');
    expect(await foundIn([{ leases: [lease(2), lease(1)] }])).toBe('leases are out of order');
    expect(await foundIn([...good, { versions: older.toReversed() }])).toBe('versions are out of order');
    expect(await foundIn([{ versions: older }, ...good.slice(1)])).toMatch(/does not fit|out of order/);
    expect(await foundIn([...good, { versions: [version(KEY_B, 1)] }])).toBe('a key has two newest versions');
    // Of no key that is there; not the version that replaced the one before; replaced by no version that there is.
    for (const versions of [[version(Buffer.from('c'), 1, 2)], [version(KEY_A, 1, 2), version(KEY_A, 3, 4)]])
      expect(await foundIn([...good, { versions }])).toBe(
        'an old version does not fit the others of its key',
      );
    expect(await foundIn([...good, { versions: [version(KEY_A, 3, 3)] }])).toMatch(
      /of revision 3, replaced by 3/,
    );
    expect(await foundIn([{ versions: [version(KEY_A, 6)] }])).toMatch(
      /a version of revision 6, replaced by 0, in a snapshot of 5/,
    );
    expect(await foundIn([{ versions: [version(KEY_A, 0)] }])).toMatch(/a version of revision 0/);
  });
});

describe('the lives in the header of a snapshot', () => {
  const life = (firstRevision: number, digit: number, length = 16): SnapshotIncarnationShape => ({
    firstRevision,
    id: Buffer.alloc(length, digit),
  });
  const many = Array.from({ length: 1001 }, (_, index) => life(index + 1, index % 256));

  it.each<[string, SnapshotIncarnationShape[], string | RegExp]>([
    ['one behind the other', [life(2, 1), life(5, 2)], 'whole'],
    ['that begin at the same revision', [life(2, 1), life(2, 2)], /a life begins at revision 2/],
    ['out of order', [life(3, 1), life(2, 2)], /a life begins at revision 2/],
    ['before the first revision', [life(0, 1)], /a life begins at revision 0/],
    ['behind the snapshot', [life(6, 1)], /a life begins at revision 6/],
    ['with the same id', [life(1, 1), life(2, 1)], /the life of revision 2 is that of revision 1/],
    ['with a short id', [life(1, 1, 15)], 'an incarnation has 15 bytes'],
    ['more than are kept', many, 'a snapshot has 1001 incarnations'],
  ])('%s', async (_, incarnations, expected) => {
    expect(await foundIn([], { incarnations })).toMatch(expected);
  });
});

describe('a restore that was broken off', () => {
  it('is told, and refused by a start', async () => {
    const disk = await diskWith(await long);
    await disk.makeDirectory(`${DATA_DIR}/restoring`);
    expect(await verifyDirectory(DATA_DIR, () => undefined, disk)).toMatchObject({
      isWhole: false,
      wholeRevision: 0,
      recovery: { kind: 'stops' },
    });
    const starting = openStore({ dataDir: DATA_DIR, disk, clock: new ManualClock() });
    await expect(starting).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringMatching(/broken off/),
    });
  });
});

describe('the forecast', () => {
  it('is what the next start does, whatever the damage', { timeout: 120_000 }, async () => {
    const bases = [await long, await withSnapshots];
    const others = { foreign: await foreign, otherHistory: await otherHistory };
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1),
        fc.array(harmArbitrary, { minLength: 0, maxLength: 3 }),
        async (base, harms) => {
          let files = bases[base] ?? new Map<string, Uint8Array>();
          for (const harm of harms) files = harmed(files, others, harm);
          const { isWhole, wholeRevision, recovery, log } = await verify(files);
          const outcome = await startOn(files);
          if (outcome instanceof Error) {
            expect(isStoreError(outcome, 'damaged'), String(outcome)).toBe(true);
            expect(recovery.kind, String(outcome)).toBe('stops');
            expect(isWhole).toBe(false);
            return;
          }
          const recovered = outcome.events.find((event) => event.kind === 'recovered');
          if (recovery.kind === 'newStore') {
            expect(recovered).toBeUndefined();
            return;
          }
          expect(recovery).toMatchObject({
            kind: 'starts',
            revision: outcome.revision,
            snapshotRevision: recovered?.snapshotRevision,
            skippedSnapshots: outcome.events.flatMap((event) =>
              event.kind === 'snapshotDamaged' ? [event.revision] : [],
            ),
          });
          expect(wholeRevision).toBe(outcome.revision);
          const cut = outcome.events.find((event) => event.kind === 'tornTailCut');
          expect(log.torn).toEqual(cut && { file: cut.file, offset: cut.offset, bytes: cut.bytes });
        },
      ),
      { numRuns: 400 },
    );
  });
});
