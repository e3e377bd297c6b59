/** The files of views: kept while one reads them, removed and closed behind it, and left to the next start by a crash. */
import { describe, expect, it } from 'vitest';
import type { Disk, DiskFile } from '../../../src/disk/disk.ts';
import type { Base, BaseView } from '../../../src/engine/layered/base/base.ts';
import { openLsm } from '../../../src/engine/lsm/open-lsm.ts';
import { deletionOf, placeChange } from '../../../src/engine/version.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { withCalls } from '../../support/wrapped-disk.ts';
import { openSmall as openBitcask } from '../bitcask/small-base.ts';

const DIRECTORY = '/data/base';

const openByName = {
  lsm: (disk: Disk): Promise<Base> =>
    openLsm({
      disk,
      directory: DIRECTORY,
      storeId: new Uint8Array(16).fill(7),
      clock: new ManualClock(),
      cacheBytes: 20_000,
      compressionLevel: 1,
      onMergeFailed: () => undefined,
    }),
  bitcask: (disk: Disk): Promise<Base> => openBitcask(disk, { directory: DIRECTORY }),
};

/** A disk that knows which files are open. */
class CountingDisk {
  readonly openPaths: string[] = [];
  readonly disk: Disk;

  constructor(disk: Disk) {
    this.disk = withCalls(disk, {
      open: async (path, mode) => this.#opened(path, await disk.open(path, mode)),
      create: async (path) => this.#opened(path, await disk.create(path)),
    });
  }

  #opened(path: string, file: DiskFile): DiskFile {
    this.openPaths.push(path);
    return {
      size: () => file.size(),
      read: (buffer, position) => file.read(buffer, position),
      readNow: (buffer, position) => file.readNow(buffer, position),
      write: (buffer, position) => file.write(buffer, position),
      writeNow: (buffer, position) => file.writeNow(buffer, position),
      renamedTo: (to) => file.renamedTo(to),
      sync: () => file.sync(),
      close: () => {
        this.openPaths.splice(this.openPaths.indexOf(path), 1);
        return file.close();
      },
    };
  }
}

describe.each(['lsm', 'bitcask'] as const)('views of %s', (name) => {
  const open = openByName[name];

  it('keep the runs of their state, which go when the last of them is closed', async () => {
    const simulated = new SimulatedDisk({ seed: 1 });
    const { disk, openPaths } = new CountingDisk(simulated);
    const base = await open(disk);
    await commit(base, 1, 'a');
    await commit(base, 2, 'b');
    const before = await runsOf(simulated);
    const [view, other] = [await viewOf(base), await viewOf(base)];
    await commit(base, 3, 'a');
    await base.compactStorage();
    const behind = namedBy(base);
    expect(before.some((run) => !behind.includes(run))).toBe(true);
    expect(await runsOf(simulated)).toEqual([...new Set([...before, ...behind])].sort());
    // Another change of the state does not remove them, either.
    await commit(base, 4, 'c');
    expect(await runsOf(simulated)).toEqual(expect.arrayContaining(before));
    await view.close();
    expect(await runsOf(simulated)).toEqual(expect.arrayContaining(before));
    expect(await countOf(other)).toBe(2);
    await other.close();
    expect(await runsOf(simulated)).toEqual(namedBy(base));
    expect([...openPaths].sort()).toEqual(namedBy(base).map((run) => `${DIRECTORY}/${run}`));
    await base.close();
    expect(openPaths).toEqual([]);
  });

  it('are of the state before or behind a commit at each instant of it', async () => {
    const simulated = new SimulatedDisk({ seed: 1 });
    const views: Promise<BaseView>[] = [];
    let spin = (): void => undefined;
    const disk = withCalls(simulated, {
      syncDirectory: async (path) => {
        await simulated.syncDirectory(path);
        spin();
      },
    });
    const base = await open(disk);
    await commit(base, 1, 'a');
    spin = () => void openAgainAndAgain(base, views, 50);
    await commit(base, 2, 'b');
    spin = () => undefined;
    const revisions = new Set<number>();
    for (const opened of views) {
      const view = await opened;
      revisions.add(view.revision);
      expect(await countOf(view)).toBe(view.revision);
      await view.close();
    }
    expect([...revisions]).toEqual([1, 2]);
    expect(await runsOf(simulated)).toEqual(namedBy(base));
    await base.close();
  });

  it('are closed with the base, and leave no file open or behind', async () => {
    const simulated = new SimulatedDisk({ seed: 1 });
    const { disk, openPaths } = new CountingDisk(simulated);
    const base = await open(disk);
    await commit(base, 1, 'a');
    const view = await viewOf(base);
    await view.read();
    await commit(base, 2, 'a');
    await base.compactStorage();
    await base.close();
    expect(openPaths).toEqual([]);
    expect(await runsOf(simulated)).toEqual(namedBy(base));
  });

  it('that are being closed are waited for, with the removal of what they have kept', async () => {
    const simulated = new SimulatedDisk({ seed: 1 });
    const { promise: mayRemove, resolve: letRemove } = Promise.withResolvers<void>();
    const { promise: isRemoving, resolve: removing } = Promise.withResolvers<void>();
    let isHeld = false;
    const disk = withCalls(simulated, {
      remove: async (path) => {
        if (isHeld) {
          removing();
          await mayRemove;
        }
        await simulated.remove(path);
      },
    });
    const base = await open(disk);
    await commit(base, 1, 'a');
    const view = await viewOf(base);
    await commit(base, 2, 'a');
    await base.compactStorage();
    isHeld = true;
    const closing = view.close();
    await isRemoving;
    let isClosed = false;
    const closed = base.close().then(() => (isClosed = true));
    // As long as nothing else is at work, so many turns end all that needs no disk.
    for (let turns = 100; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    letRemove();
    await closed;
    expect(await runsOf(simulated)).toEqual(namedBy(base));
    await closing;
  });

  it('leave their files to the next start when the process ends', async () => {
    const simulated = new SimulatedDisk({ seed: 1 });
    const base = await open(simulated);
    await commit(base, 1, 'a');
    await viewOf(base);
    await commit(base, 2, 'a');
    await base.compactStorage();
    const after = simulated.endProcess();
    expect((await runsOf(after)).length).toBeGreaterThan(namedBy(base).length);
    const again = await open(after);
    expect(await runsOf(after)).toEqual(namedBy(again));
    await again.close();
  });
});

/** Between all that waits for the same instant. */
async function openAgainAndAgain(base: Base, views: Promise<BaseView>[], count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    views.push(viewOf(base));
    await Promise.resolve();
  }
}

async function commit(base: Base, revision: number, key: string): Promise<void> {
  const flush = await base.begin(revision);
  const value = Buffer.alloc(100, String(revision));
  const change = { ...deletionOf(Buffer.from(key), revision), deleted: false, value, version: 1 };
  flush.add(placeChange({ ...change, createRevision: 1, modRevision: revision }));
  await flush.commit(new Uint8Array(0));
}

async function viewOf(base: Base): Promise<BaseView> {
  const view = await base.view();
  if (view === undefined) throw new Error('there is no view');
  return view;
}

async function countOf(view: BaseView): Promise<number> {
  let count = 0;
  do while (view.next() !== undefined) count++;
  while (await view.read());
  return count;
}

async function runsOf(disk: Disk): Promise<string[]> {
  return (await disk.list(DIRECTORY)).filter((name) => name.endsWith('.run')).sort();
}

function namedBy(base: Base): string[] {
  return base
    .figures()
    .runs.map(({ name }) => name)
    .sort();
}
