/**
 * A disk that becomes full under a merge: what is there is as it was and can be read, flushes are made or refused as a whole, the merge is made
 * once there is room, and no file is left behind.
 */
import { describe, expect, it } from 'vitest';
import type { Disk } from '../../../src/disk/disk.ts';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { deletionOf, type Change } from '../../../src/engine/version.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { flush, stateAfter, textOf, textOfState, type State, type Step } from '../bitcask/base-model.ts';
import { openSmall as openBitcask } from '../bitcask/small-base.ts';
import { openSmall as openLsm } from '../lsm/small-lsm.ts';
import { SmallDisk } from './small-disk.ts';

const DIRECTORY = '/data/base';
const KEYS = 40;
const VALUE_BYTES_MAX = 300;

interface Opened {
  readonly base: Base;
  /** What merges in the background were given up for. */
  readonly failures: unknown[];
  /** Waits until no merge is under way. */
  readonly settled: () => Promise<void>;
}

const engines = {
  lsm: {
    /** The flush that a merge follows. */
    mergesBehind: 4,
    open: async (disk: Disk): Promise<Opened> => {
      const failures: unknown[] = [];
      const base = await openLsm(disk, (error) => failures.push(error));
      return { base, failures, settled: () => base.settled() };
    },
  },
  bitcask: {
    mergesBehind: 2,
    open: async (disk: Disk): Promise<Opened> => {
      const failures: unknown[] = [];
      const clock = new ManualClock();
      const options = { directory: DIRECTORY, clock, onMergeFailed: (error: Error) => failures.push(error) };
      const base = await openBitcask(disk, options);
      return { base, failures, settled: () => clock.settled() };
    },
  },
} as const;

/** Writes two of three keys over, deletes one, and adds one: a third of what was there is live behind it. */
function stepOf(revision: number): Step {
  const random = new SeededRandom(revision);
  const changeOf = (key: string): Change => {
    const value = random.bytes(random.below(VALUE_BYTES_MAX));
    return { ...deletionOf(Buffer.from(key), revision), deleted: false, value, version: 1 };
  };
  const changes = Array.from({ length: KEYS }, (_, index) =>
    index === 3 * revision ? deletionOf(Buffer.from(`k${index}`), revision) : changeOf(`k${index}`),
  ).filter((_, index) => revision === 1 || index === 3 * revision || index % 3 > 0);
  return { revision, changes: [...changes, changeOf(`new ${revision}`)], forgotten: [] };
}

function stateAt(revision: number): State {
  let state: State = new Map();
  for (let each = 1; each <= revision; each++) state = stateAfter(state, stepOf(each));
  return state;
}

function expectStateAt(base: Base, revision: number, what: string): void {
  expect(base.revision, what).toBe(revision);
  expect(textOf(base), what).toBe(textOfState(stateAt(revision)));
}

function runsOf(base: Base): string[] {
  return base.figures().runs.map(({ name }) => name);
}

/** @param inputs runs that a merge was to take, and was given up. */
function expectMerged(base: Base, inputs: readonly string[], what: string): void {
  expect(base.figures().mergedBytes, what).toBeGreaterThan(0);
  for (const name of inputs) expect(runsOf(base), what).not.toContain(name);
}

/** A base that the next flush has a merge follow. */
async function filled(
  disk: Disk,
  { open, mergesBehind }: (typeof engines)['lsm' | 'bitcask'],
): Promise<Opened> {
  const opened = await open(disk);
  for (let revision = 1; revision < mergesBehind; revision++) {
    await flush(opened.base, stepOf(revision));
    await opened.settled();
  }
  expect(opened.base.figures().mergedBytes).toBe(0);
  return opened;
}

/** That a start finds a state, whose files are all there is. */
async function expectStart(
  disk: SimulatedDisk,
  open: (disk: Disk) => Promise<Opened>,
  revision: number,
  what: string,
): Promise<void> {
  const { base, settled } = await open(disk);
  expectStateAt(base, revision, what);
  await settled();
  const runs = runsOf(base);
  await base.close();
  const names = disk.namesIn(DIRECTORY);
  expect(
    names.filter((name) => name.endsWith('.run')),
    what,
  ).toEqual([...runs].sort());
  expect(
    names.filter((name) => !name.endsWith('.run')),
    what,
  ).toEqual([expect.stringMatching(/^\d+\.notes$/), 'manifest']);
}

describe.each(['lsm', 'bitcask'] as const)('under a merge of %s', (name) => {
  const engine = engines[name];
  const { open, mergesBehind } = engine;
  const before = mergesBehind;
  const after = mergesBehind + 1;

  it('any call of the disk that finds no space leaves the state as it is, and the next flush makes the merge', async () => {
    let struckMerges = 0;
    for (let at = 1; ; at++) {
      const what = `call ${at}`;
      const disk = new SimulatedDisk({ seed: at });
      const { base, failures, settled } = await filled(disk, engine);
      disk.injectFault({ call: 'any', at, code: 'noSpace' });
      const isFlushed = await flush(base, stepOf(before)).then(
        () => true,
        () => false,
      );
      await settled();
      const isStruck = disk.dump().includes(' fails: noSpace');
      disk.clearFaults();
      if (!isFlushed) {
        // It was the flush that was struck: what becomes of that is told by other tests.
        await base.close();
        continue;
      }
      expectStateAt(base, before, what);
      if (failures.length > 0) struckMerges++;
      const inputs = runsOf(base).slice(0, mergesBehind - 1);
      expect(failures.length, what).toBeLessThan(2);
      for (const failure of failures) expect(failure, what).toMatchObject({ code: 'noSpace' });
      // A start finds what was there, if the process ends now; else the merge is made.
      if (at % 3 === 0) {
        await expectStart(disk.losePower(), open, before, what);
      } else {
        const failedBefore = failures.length;
        await flush(base, stepOf(after));
        await settled();
        expectStateAt(base, after, what);
        expect(failures.length, what).toBe(failedBefore);
        expectMerged(base, failures.length > 0 ? inputs : [], what);
        await base.close();
        await expectStart(disk.endProcess(), open, after, what);
      }
      if (!isStruck) break;
    }
    expect(struckMerges).toBeGreaterThan(5);
  });

  it('however little room there is, what was there can be read, and flushes are refused until there is more', async () => {
    let refusedMerges = 0;
    for (let room = 0; ; room += 256) {
      const what = `room ${room}`;
      const simulated = new SimulatedDisk({ seed: room });
      const small = new SmallDisk(simulated);
      const { base, failures, settled } = await filled(small.disk, engine);
      await flush(base, stepOf(before));
      const { used } = small;
      small.capacity = used + room;
      await settled();
      if (failures.length === 0) {
        await base.close();
        break;
      }
      refusedMerges++;
      const inputs = runsOf(base).slice(0, mergesBehind - 1);
      expectStateAt(base, before, what);
      // All that it wrote is gone, but for a manifest that it had no room for.
      expect(small.used, what).toBeLessThanOrEqual(used + small.manifestBytes);
      small.capacity = small.used;
      for (let round = 0; round < 2; round++) {
        await expect(flush(base, stepOf(after)), what).rejects.toMatchObject({ code: 'noSpace' });
        await settled();
        expectStateAt(base, before, what);
        expect(small.used, what).toBeLessThanOrEqual(used + small.manifestBytes);
      }
      const refusedCount = failures.length;
      if (room % 512 === 0) {
        // Full as it is, a start finds it all the same.
        await base.close();
        const ended = simulated.endProcess();
        const again = new SmallDisk(ended, small);
        again.capacity = again.used;
        const next = await open(again.disk);
        await next.settled();
        expectStateAt(next.base, before, what);
        again.capacity = Infinity;
        await flush(next.base, stepOf(after));
        await next.settled();
        expectMerged(next.base, inputs, what);
        await next.base.close();
        await expectStart(ended, open, after, what);
        continue;
      }
      small.capacity = Infinity;
      await flush(base, stepOf(after));
      await settled();
      expectStateAt(base, after, what);
      expect(failures.length, what).toBe(refusedCount);
      expectMerged(base, inputs, what);
      await base.close();
      await expectStart(simulated, open, after, what);
    }
    expect(refusedMerges).toBeGreaterThan(5);
  });
});
