import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Disk, DiskError } from '../../src/disk/disk.ts';
import { nodeDisk } from '../../src/disk/node-disk.ts';
import { isStoreError } from '../../src/errors.ts';
import { restore, type RestoreRequest, type RestoreResult } from '../../src/offline/restore.ts';
import { verifyDirectory } from '../../src/offline/verify/verify.ts';
import { openStore } from '../../src/kv/open-store.ts';
import type { Store } from '../../src/api.ts';
import { allPairs } from '../store/model/readable.ts';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { backUp, BEGIN_MS, NO_PROGRESS, openFolder } from './folders.ts';

/** The state of a store at one revision. */
interface State {
  readonly revision: number;
  readonly pairs: readonly string[];
  readonly leases: readonly string[];
  /** By the wall clock, when it was reached. */
  readonly timeMs: number;
}

async function stateOf(store: Store, timeMs: number): Promise<State> {
  const { leases } = await store.listLeases();
  const { revision } = await store.status();
  const details = await Promise.all(
    leases.map(({ leaseId }) => store.getLease(leaseId, { includeKeys: true })),
  );
  const lines = details.map(({ leaseId, ttlMs, keys }) => `${leaseId} ttl ${ttlMs}: ${keys.join()}`);
  return { revision, pairs: await allPairs(store), leases: lines, timeMs };
}

/** What a store lived through, for all tests of this file: its states, backups and its log. */
interface Past {
  readonly folder: string;
  readonly dataDir: string;
  /** By revision. */
  readonly states: readonly State[];
  /** Backups by revision. */
  readonly backups: readonly number[];
}

const REVISIONS = 60;
const SECOND_MS = 1000;

/** A random life: a second passes before each revision, and segments are short. */
async function live(folder: string): Promise<Past> {
  const dataDir = join(folder, 'data');
  const random = new SeededRandom(7);
  const clock = new ManualClock(BEGIN_MS);
  const limits = { segmentBytes: 4096 };
  const store = await openStore({ dataDir, clock, random: new SeededRandom(1), fsync: 'never', limits });
  const states = [await stateOf(store, clock.nowMs())];
  const backups: number[] = [];
  const keep = async (): Promise<void> => {
    const { revision } = await store.status();
    backups.push(revision);
    await backUp(store, join(folder, `backup${revision}`));
  };
  await keep();
  const leaseIds: number[] = [];
  while (states.length <= REVISIONS) {
    clock.advance(SECOND_MS);
    await clock.settled();
    const key = `key${random.below(8)}`;
    const leaseId = leaseIds.length > 0 && random.chance(0.5) ? random.pick(leaseIds) : 0;
    if (leaseIds.length > 0 && random.chance(0.3)) await store.renewLease(random.pick(leaseIds));
    switch (random.below(6)) {
      case 0:
        await store.delete(key);
        break;
      case 1:
        leaseIds.push((await store.grantLease(86_400_000)).leaseId);
        break;
      case 2:
        if (leaseIds.length > 2) await store.revokeLease(leaseIds.shift() ?? 0);
        break;
      case 3:
        await store.txn({
          success: ['a', 'b'].map((each) => ({ kind: 'put', key: each, value: String(random.below(99)) })),
        });
        break;
      default:
        await store.put(key, '.'.repeat(random.below(900)), { leaseId });
    }
    const state = await stateOf(store, clock.nowMs());
    // What happens to leases alone takes no revision, and comes with the one before it.
    if (state.revision === states.at(-1)?.revision) states.pop();
    if (state.revision > 0) states.push(state);
    if ([20, 40, REVISIONS].includes(state.revision) && backups.at(-1) !== state.revision) await keep();
  }
  await store.close();
  return { folder, dataDir, states, backups };
}

let past: Past;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kelp-test-'));
  past = await live(folder);
  return () => rm(folder, { recursive: true });
});

function stateAt(revision: number): State {
  const state = past.states[revision];
  if (state?.revision !== revision) throw new Error(`there is no state of revision ${revision}`);
  return state;
}

interface Restored extends RestoreResult {
  readonly dataDir: string;
}

async function restoreTo(backupRevision: number, request: Partial<RestoreRequest> = {}): Promise<Restored> {
  const dataDir = join(await temporaryDirectory(), 'restored');
  const backupPath = join(past.folder, `backup${backupRevision}`);
  const result = await restore({ backupPath, dataDir, logPaths: [], ...request }, NO_PROGRESS);
  return { ...result, dataDir };
}

/** Opens what was restored, a while later, and compares. */
async function expectState({ dataDir }: Restored, expected: State): Promise<void> {
  expect(await verifyDirectory(dataDir, NO_PROGRESS)).toMatchObject({
    isWhole: true,
    wholeRevision: expected.revision,
  });
  const clock = new ManualClock(expected.timeMs + 1);
  const store = await openStore({ dataDir, clock, fsync: 'never' });
  try {
    expect(await stateOf(store, expected.timeMs)).toEqual(expected);
    // It goes on with the next revision.
    expect(await store.put('new', '')).toMatchObject({ revision: expected.revision + 1 });
  } finally {
    await store.close();
  }
}

describe('a restore', () => {
  it('gives the state of the backup back', async () => {
    expect(past.backups).toEqual([0, 20, 40, REVISIONS]);
    for (const revision of past.backups) {
      const restored = await restoreTo(revision);
      expect(restored).toMatchObject({ revision, backupRevision: revision });
      await expectState(restored, stateAt(revision));
    }
  });

  it('names the engine that is to serve it, unless that is memory', async () => {
    const named = await restoreTo(20, { engine: 'lsm' });
    expect(named).toMatchObject({ engine: 'lsm', revision: 20 });
    expect(await readFile(join(named.dataDir, 'ENGINE'), 'utf8')).toBe('lsm\n');
    expect((await readdir(named.dataDir)).sort()).toEqual(['ENGINE', 'LOCK', 'log', 'snapshots']);
    expect(await verifyDirectory(named.dataDir, NO_PROGRESS)).toMatchObject({ isWhole: true, engine: 'lsm' });
    const plain = await restoreTo(20);
    expect(plain).toMatchObject({ engine: 'memory' });
    expect((await readdir(plain.dataDir)).sort()).toEqual(['LOCK', 'log', 'snapshots']);
    expect(await verifyDirectory(plain.dataDir, NO_PROGRESS)).toMatchObject({ engine: 'memory' });
  });

  it.each(['lsm', 'bitcask', 'btree'] as const)(
    'of a store of revision 0 gives its leases back, with the engine %s',
    async (engine) => {
      const folder = await temporaryDirectory();
      const first = await openFolder(join(folder, 'first'));
      await first.store.grantLease(3_600_000, 7);
      const backupPath = join(folder, 'backup');
      await backUp(first.store, backupPath);
      await first.store.close();
      const dataDir = join(folder, 'restored');
      const restored = await restore({ backupPath, dataDir, logPaths: [], engine }, NO_PROGRESS);
      expect(restored).toMatchObject({ revision: 0, leaseCount: 1 });
      for (const key of ['first', 'second', 'third']) {
        const store = await openStore({
          dataDir,
          engine,
          clock: new ManualClock(BEGIN_MS + 1),
          fsync: 'never',
        });
        expect(await store.listLeases()).toMatchObject({ leases: [{ leaseId: 7 }] });
        await store.put(key, '', { leaseId: 7 });
        if (key === 'second') await store.snapshot();
        await store.close({ snapshotMsMax: 0 });
      }
      expect(await readdir(join(dataDir, 'snapshots'))).toEqual([]);
    },
  );

  it('leaves no engine behind when it fails', async () => {
    const disk = {
      ...nodeDisk,
      async syncDirectory(path: string): Promise<void> {
        await nodeDisk.syncDirectory(path);
        if ((await readdir(path)).includes('ENGINE')) throw new DiskError('failed', 'struck');
      },
    };
    const dataDir = join(await temporaryDirectory(), 'restored');
    await expect(restoreTo(20, { dataDir, engine: 'btree', disk })).rejects.toThrow(/struck/);
    expect(await readdir(dataDir)).toEqual(['LOCK']);
    expect(await restoreTo(20, { dataDir, engine: 'btree' })).toMatchObject({ revision: 20 });
  });

  it('is another store: neither watches nor pages go on in it', async () => {
    const { dataDir, storeId } = await restoreTo(20, { logPaths: [past.dataDir] });
    // A copy, since what is opened may change.
    const copy = join(await temporaryDirectory(), 'copy');
    await cp(past.dataDir, copy, { recursive: true });
    const original = await openStore({ dataDir: copy, fsync: 'never' });
    const { nextPageToken } = await original.scan({}, { limit: 1 });
    const requestedStoreId = original.storeId;
    await original.close();
    const store = await openStore({ dataDir, fsync: 'never' });
    try {
      expect(store.storeId).toBe(storeId);
      const watch = store.watch({ startRevision: REVISIONS + 1, storeId: requestedStoreId });
      await expect(watch.next()).rejects.toMatchObject({
        code: 'otherStore',
        details: { requestedStoreId, storeId },
      });
      await expect(store.scan({}, { limit: 1, pageToken: nextPageToken })).rejects.toMatchObject({
        code: 'invalidArgument',
        message: expect.stringContaining('another store'),
      });
    } finally {
      await store.close();
    }
  });

  it('goes on with the log to its end', async () => {
    for (const revision of past.backups) {
      const restored = await restoreTo(revision, { logPaths: [past.dataDir] });
      expect(restored).toMatchObject({ revision: REVISIONS, backupRevision: revision });
      await expectState(restored, stateAt(REVISIONS));
    }
  });

  it('stops at any revision that is wanted', { timeout: 60_000 }, async () => {
    for (const [backup, revision] of [
      [0, 1],
      [0, 33],
      [20, 20],
      [20, 21],
      [20, 47],
      [40, 59],
      [40, 60],
    ] as const) {
      const restored = await restoreTo(backup, { logPaths: [past.dataDir], revision });
      expect(restored.revision).toBe(revision);
      await expectState(restored, stateAt(revision));
    }
  });

  it('makes its names durable before it takes away the mark that says that they are not', async () => {
    const calls: string[] = [];
    const disk = {
      ...nodeDisk,
      async syncDirectory(path: string): Promise<void> {
        calls.push(`${path}: ${(await readdir(path)).sort().join(' ')}`);
        await nodeDisk.syncDirectory(path);
      },
    };
    const { dataDir } = await restoreTo(20, { logPaths: [past.dataDir], disk });
    expect(calls.slice(-2)).toEqual([
      `${dataDir}: LOCK log restoring snapshots`,
      `${dataDir}: LOCK log snapshots`,
    ]);
  });

  it('stops at any time that is wanted', { timeout: 60_000 }, async () => {
    for (const revision of [20, 28, 41, 60]) {
      const { timeMs } = stateAt(revision);
      for (const [atMs, expected] of [
        [timeMs, revision],
        [timeMs + SECOND_MS - 1, revision],
      ] as const) {
        const restored = await restoreTo(20, { logPaths: [past.dataDir], timeMs: atMs });
        expect(restored.revision).toBe(expected);
        await expectState(restored, stateAt(expected));
      }
    }
    expect(await restoreTo(20, { logPaths: [past.dataDir], timeMs: BEGIN_MS * 2 })).toMatchObject({
      revision: REVISIONS,
      timeMs: stateAt(REVISIONS).timeMs,
      hasLogEnded: true,
    });
    const atMs = stateAt(41).timeMs;
    expect(await restoreTo(20, { logPaths: [past.dataDir], timeMs: atMs })).toMatchObject({
      hasLogEnded: false,
    });
  });

  it('takes segments from a folder, or one by one in any order', async () => {
    const logDir = join(past.dataDir, 'log');
    const segments = await segmentsIn(logDir);
    expect(segments.length).toBeGreaterThan(3);
    for (const logPaths of [[logDir], segments.reverse()]) {
      await expectState(await restoreTo(20, { logPaths }), stateAt(REVISIONS));
    }
    // Those before the backup are not needed.
    const firstOf = (path: string): number => Number(path.slice(-24, -4));
    const firstNeeded = Math.max(...segments.map(firstOf).filter((first) => first <= 21));
    const fewer = segments.reverse().filter((path) => firstOf(path) >= firstNeeded);
    expect(fewer.length).toBeLessThan(segments.length);
    await expectState(await restoreTo(20, { logPaths: fewer }), stateAt(REVISIONS));
  });

  it('takes a snapshot for a backup, with the history that it holds', async () => {
    const folder = await temporaryDirectory();
    const { store } = await openFolder(join(folder, 'data'));
    await store.put('a', 'old');
    await store.put('a', 'new');
    await store.snapshot();
    await store.close();
    const backupPath = join(folder, 'data', 'snapshots', '00000000000000000002.snapshot');
    const { dataDir } = await restoreTo(0, { backupPath });
    const { store: restored } = await openFolder(dataDir);
    expect(await allPairs(restored, {}, 1)).toEqual(['a=old']);
    expect(await allPairs(restored)).toEqual(['a=new']);
  });

  it('makes another store, in which no segment of the original fits', async () => {
    const restored = await restoreTo(20, { logPaths: [past.dataDir] });
    const again = await restoreTo(20, { logPaths: [past.dataDir] });
    expect(restored.storeId).not.toBe(again.storeId);
    const { store } = await openFolder(restored.dataDir);
    expect(await store.status()).toMatchObject({ storeId: restored.storeId, oldestWatchRevision: 21 });
    await backUp(store, join(restored.dataDir, '..', 'backup'));
    await store.close();
    const mixed = restoreTo(0, {
      backupPath: join(restored.dataDir, '..', 'backup'),
      logPaths: [past.dataDir],
    });
    await expect(mixed).rejects.toMatchObject({
      code: 'invalidArgument',
      message: expect.stringMatching(/another store/),
    });
  });

  it('leaves out a write that was never acknowledged', async () => {
    const { logDir, newest } = await copyOfLog();
    const bytes = await readFile(newest);
    const offset = bytes.findLastIndex((byte) => byte !== 0) + 8;
    bytes.fill(0xab, offset, offset + 100);
    await writeFile(newest, bytes);
    const restored = await restoreTo(40, { logPaths: [logDir] });
    expect(restored).toMatchObject({ revision: REVISIONS, torn: { offset, bytes: 100 } });
    await expectState(restored, stateAt(REVISIONS));
  });
});

/** A copy of the log that may be harmed. */
async function copyOfLog(): Promise<{ logDir: string; newest: string; paths: string[] }> {
  const logDir = join(await temporaryDirectory(), 'log');
  await cp(join(past.dataDir, 'log'), logDir, { recursive: true });
  const paths = await segmentsIn(logDir);
  return { logDir, newest: paths.at(-1) ?? '', paths };
}

describe('leases and times to live', () => {
  it('go on with what remained in the backup', async () => {
    const folder = await temporaryDirectory();
    const { store, clock } = await openFolder(join(folder, 'data'));
    await store.grantLease(100_000, 7);
    await store.put('leased', 'a', { leaseId: 7 });
    clock.advance(60_000);
    await store.put('mortal', 'b', { ttlMs: 500_000 });
    await backUp(store, join(folder, 'backup'));
    await store.close();

    const { dataDir } = await restoreTo(0, { backupPath: join(folder, 'backup') });
    // Ten days have passed: for the lease, whose holder could not renew it, none of it counts.
    const later = await openFolder(dataDir, { clock: new ManualClock(BEGIN_MS + 864_000_000) });
    expect(await allPairs(later.store)).toEqual(['leased=a']);
    expect(await later.store.getLease(7)).toMatchObject({ ttlMs: 100_000, remainingMs: 40_000 });
    later.clock.advance(40_000);
    await eventually(() => allPairs(later.store)).toEqual([]);
  });
});

describe('a restore is refused', () => {
  const refusedWith = async (
    text: RegExp,
    backupRevision: number,
    request: Partial<RestoreRequest>,
    code = 'invalidArgument',
  ): Promise<void> => {
    const dataDir = request.dataDir ?? join(await temporaryDirectory(), 'restored');
    const restoring = restoreTo(backupRevision, { ...request, dataDir });
    await expect(restoring).rejects.toMatchObject({ code, message: expect.stringMatching(text) });
    // Nothing but a lock file is left, so that the next one can go ahead.
    if (request.dataDir !== undefined) return;
    const left = await readdir(dataDir).catch(() => []);
    expect(left.filter((name) => name !== 'LOCK')).toEqual([]);
    await restoreTo(backupRevision, { dataDir });
  };

  it('into a folder that holds something, which stays as it is', async () => {
    const dataDir = await temporaryDirectory();
    await writeFile(join(dataDir, 'precious'), 'data');
    await refusedWith(/is not empty/, 20, { dataDir });
    expect(await readdir(dataDir)).toEqual(['precious']);
    await refusedWith(/is a file/, 20, { dataDir: join(dataDir, 'precious') });
    await refusedWith(/is not empty/, 20, { dataDir: past.dataDir });
  });

  it('over one that was broken off', async () => {
    const dataDir = await temporaryDirectory();
    await mkdir(join(dataDir, 'restoring'));
    await refusedWith(/was broken off/, 20, { dataDir });
  });

  it('while a server has one of the directories', async () => {
    const folder = await temporaryDirectory();
    const { store } = await openFolder(join(folder, 'data'));
    const dataDir = join(folder, 'data');
    const [segment = ''] = await readdir(join(dataDir, 'log'));
    await symlink(join(dataDir, 'log'), join(folder, 'link'));
    await symlink(join(dataDir, 'log', segment), join(folder, segment));
    for (const logPaths of [
      [dataDir],
      [join(dataDir, 'log')],
      [`${dataDir}//log/`],
      [join(dataDir, 'log', segment)],
      [relative('.', join(dataDir, 'log'))],
      [join(folder, 'link')],
      [join(folder, 'link', segment)],
      [join(folder, segment)],
      [past.dataDir, join(dataDir, 'log', segment)],
    ]) {
      await refusedWith(/a server is using .*data, and its files change/, 20, { logPaths }, 'locked');
    }
    // Looking has not broken the server's lock.
    await expect(nodeDisk.lock(join(dataDir, 'LOCK'))).rejects.toMatchObject({ code: 'locked' });
    await store.close();
  });

  it('while it reads, no server can have the directory that a segment lies in', async () => {
    const { paths } = await copyOfLog();
    const lock = join(dirname(dirname(paths[0] ?? '')), 'LOCK');
    await writeFile(lock, '');
    const attempts: Promise<unknown>[] = [];
    const dataDir = join(await temporaryDirectory(), 'restored');
    const backupPath = join(past.folder, 'backup20');
    // All the segments lie in one directory, whose lock can be taken once.
    await restore({ backupPath, dataDir, logPaths: paths }, ({ work }) => {
      if (work === 'restoring the log')
        attempts.push(
          nodeDisk.lock(lock).then(
            () => 'taken',
            (error: DiskError) => error.code,
          ),
        );
    });
    expect(new Set(await Promise.all(attempts))).toEqual(new Set(['locked']));
    await (await nodeDisk.lock(lock)).release();
  });

  it('while a server has one whose lock file can only be read; without a server it is read', async () => {
    const readOnlyDisk: Disk = {
      ...nodeDisk,
      lock: (path) =>
        path.startsWith(past.folder)
          ? Promise.reject(new DiskError('noPermission', `lock ${path}: read-only file system`))
          : nodeDisk.lock(path),
    };
    const restored = await restoreTo(20, { logPaths: [past.dataDir], disk: readOnlyDisk });
    expect(restored.revision).toBe(REVISIONS);
    const holder = await nodeDisk.lock(join(past.dataDir, 'LOCK'));
    await refusedWith(
      /a server is using/,
      20,
      { logPaths: [join(past.dataDir, 'log')], disk: readOnlyDisk },
      'locked',
    );
    await holder.release();
  });

  it('to a revision or time that can not be had', async () => {
    const log = { logPaths: [past.dataDir] };
    await refusedWith(/is of revision 20, later than 19/, 20, { ...log, revision: 19 });
    await refusedWith(/the log ends at revision 60, before revision 61/, 20, { ...log, revision: 61 });
    await refusedWith(/give the log that follows/, 20, { revision: 21 });
    await refusedWith(/only with the log/, 20, { timeMs: BEGIN_MS * 2 });
    await refusedWith(/later than wanted/, 20, { ...log, timeMs: stateAt(18).timeMs });
  });

  it('with a log that does not follow the backup', async () => {
    const { logDir, paths } = await copyOfLog();
    await refusedWith(/the log begins at revision \d+; give the segments between/, 0, {
      logPaths: paths.slice(2),
    });
    await refusedWith(/before the backup, which is of revision 60/, 60, { logPaths: paths.slice(0, 2) });
    await refusedWith(/is given twice/, 20, { logPaths: [logDir, past.dataDir] });
    await refusedWith(/is missing/, 0, { logPaths: paths.filter((_, index) => index !== 2) }, 'damaged');
    await refusedWith(/no segment of a log/, 20, { logPaths: [await temporaryDirectory()] });
    await refusedWith(/there is no/, 20, { logPaths: ['/nonexistent'] });
    await refusedWith(/is not called as a segment/, 20, { logPaths: [join(past.folder, 'backup0')] });
  });

  it('when the log is damaged before the goal, but not when behind it', async () => {
    const { logDir, newest } = await copyOfLog();
    const bytes = await readFile(newest);
    bytes[150] = (bytes[150] ?? 0) ^ 1;
    await writeFile(newest, bytes);
    const firstOfNewest = Number(newest.slice(-24, -4));
    await refusedWith(/the log is damaged/, 40, { logPaths: [logDir] }, 'damaged');
    await refusedWith(/the log is damaged/, 40, { logPaths: [logDir], revision: firstOfNewest }, 'damaged');
    const { timeMs } = stateAt(firstOfNewest);
    await refusedWith(/the log is damaged/, 40, { logPaths: [logDir], timeMs }, 'damaged');
    const before = { logPaths: [logDir], revision: firstOfNewest - 1 };
    await expectState(await restoreTo(40, before), stateAt(firstOfNewest - 1));
    // Also where it comes in the same segment.
    bytes[150] = (bytes[150] ?? 0) ^ 1;
    const middle = bytes.findLastIndex((byte) => byte !== 0) >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    await writeFile(newest, bytes);
    const { wholeRevision } = await verifyDirectory(join(logDir, '..'), NO_PROGRESS);
    expect(wholeRevision).toBeGreaterThan(firstOfNewest);
    await refusedWith(/the log is damaged/, 40, { logPaths: [logDir] }, 'damaged');
    const whole = { logPaths: [logDir], revision: wholeRevision };
    const { dataDir } = await restoreTo(40, whole);
    const { store } = await openFolder(dataDir);
    // What only happened to leases behind it may be lost with what is damaged.
    expect(await allPairs(store)).toEqual(stateAt(wholeRevision).pairs);
  });

  it('when the backup is damaged or none', async () => {
    const folder = await temporaryDirectory();
    const bytes = await readFile(join(past.folder, 'backup40'));
    const backupPath = join(folder, 'backup');
    const wrongs = [bytes.subarray(0, bytes.length - 1), Buffer.from('text'), Buffer.concat([bytes, bytes])];
    for (let at = 0; at < bytes.length; at += 97) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 4;
      wrongs.push(flipped);
    }
    const dataDir = join(folder, 'restored');
    for (const wrong of wrongs) {
      await writeFile(backupPath, wrong);
      const restoring = restore({ backupPath, dataDir, logPaths: [] }, NO_PROGRESS);
      await expect(restoring).rejects.toMatchObject({ code: 'damaged' });
      expect((await readdir(dataDir).catch(() => [])).filter((name) => name !== 'LOCK')).toEqual([]);
    }
    await expect(
      restore({ backupPath: join(folder, 'none'), dataDir, logPaths: [] }, NO_PROGRESS),
    ).rejects.toMatchObject({ code: 'invalidArgument' });
  });
});

describe('a restored store', () => {
  it('knows the lives of the backup and of the log behind it, as far as it goes, and has one of its own', async () => {
    const folder = await temporaryDirectory();
    const dataDir = join(folder, 'data');
    const random = new SeededRandom(3);
    const places: { readonly revision: number; readonly incarnation: string }[] = [];
    for (let life = 0; life < 4; life++) {
      const store = await openStore({ dataDir, clock: new ManualClock(BEGIN_MS), random, fsync: 'never' });
      for (const key of ['a', 'b']) await store.put(key, String(life));
      places.push(await store.status());
      if (life === 1) await backUp(store, join(folder, 'backup'));
      await store.close();
    }
    const restoredDir = join(folder, 'restored');
    await restore(
      {
        backupPath: join(folder, 'backup'),
        dataDir: restoredDir,
        logPaths: [dataDir],
        revision: 6,
        random,
        clock: new ManualClock(BEGIN_MS),
      },
      NO_PROGRESS,
    );
    const store = await openStore({ dataDir: restoredDir, clock: new ManualClock(BEGIN_MS), random });
    await store.put('own', '');
    const { incarnation } = await store.status();
    const writers: string[] = [];
    for (let startRevision = 2; startRevision <= 8; startRevision++) {
      const watch = store.watch({ startRevision, incarnation: 'f'.repeat(32) });
      const error = await watch.next().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      writers.push(isStoreError(error, 'historyDiffers') ? error.details.incarnation : String(error));
    }
    await store.close();
    const [first, second, third] = places.map((place) => place.incarnation);
    expect(writers).toEqual([first, first, second, second, third, third, incarnation]);
    expect(new Set([...writers, places[3]?.incarnation]).size).toBe(5);
  });
});

/** In the order of the log. */
async function segmentsIn(logDir: string): Promise<string[]> {
  const names = (await readdir(logDir)).filter((name) => name.endsWith('.log'));
  return names.sort().map((name) => join(logDir, name));
}
