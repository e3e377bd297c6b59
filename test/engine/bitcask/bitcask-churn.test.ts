/** What comes and goes without end must not leave ever more behind, with no merge by hand. */
import { describe, expect, it } from 'vitest';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { deletionOf, type Change } from '../../../src/engine/version.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { expectState, flush, stateAfter, type State, type Step } from './base-model.ts';
import { DIRECTORY, openSmall } from './small-base.ts';

const ROUNDS = 150;

function put(key: string, revision: number, valueBytes = 200): Change {
  const value = new SeededRandom(revision).bytes(valueBytes);
  const change = { ...deletionOf(Buffer.from(key), revision), deleted: false, value };
  return { ...change, createRevision: revision, modRevision: revision, version: 1 };
}

interface Lasting {
  readonly base: Base;
  readonly disk: SimulatedDisk;
  readonly clock: ManualClock;
  readonly state: State;
  readonly diskBytesMax: number;
  readonly runsMax: number;
}

/** Makes so many rounds, each when what the one before has set off is done. */
async function last(stepAt: (revision: number) => Step, opened: Partial<Lasting> = {}): Promise<Lasting> {
  const { disk = new SimulatedDisk({ seed: 1 }), clock = new ManualClock() } = opened;
  const base = opened.base ?? (await openSmall(disk, { clock }));
  let state = opened.state ?? new Map<string, Change>();
  let diskBytesMax = 0;
  let runsMax = 0;
  const first = base.revision + 1;
  for (let revision = first; revision < first + ROUNDS; revision++) {
    const step = stepAt(revision);
    await flush(base, step);
    await clock.settled();
    state = stateAfter(state, step);
    const { diskBytes, runs } = base.figures();
    diskBytesMax = Math.max(diskBytesMax, diskBytes);
    runsMax = Math.max(runsMax, runs.length);
  }
  return { base, disk, clock, state, diskBytesMax, runsMax };
}

/** 100 keys that stay. */
const stable: Step = {
  revision: 1,
  changes: Array.from({ length: 100 }, (_, index) => put(`stay${index}`, 1)),
  forgotten: [],
};

describe('without end', () => {
  it('overwritten at random, the files hold at most twice what is live', async () => {
    const random = new SeededRandom(3);
    const { base, state } = await last((revision) => {
      const keys = new Set(Array.from({ length: 40 }, () => `key${random.below(300)}`));
      return { revision, changes: [...keys].map((key) => put(key, revision)), forgotten: [] };
    });
    const { diskBytes, liveBytes, flushedBytes, mergedBytes } = base.figures();
    expect(diskBytes).toBeLessThanOrEqual(2 * liveBytes);
    expect(flushedBytes + mergedBytes).toBeLessThanOrEqual(4 * flushedBytes);
    expectState(base, state, random);
    await base.close();
  });

  it.each([
    ['untouched', 0],
    ['changed now and then', 10],
  ])('new keys that are inserted and deleted leave no deletions behind, beside keys %s', async (_, every) => {
    const { base, state, diskBytesMax, runsMax } = await last((revision) => {
      if (revision === 1) return stable;
      const changes = Array.from({ length: 20 }, (__, index) => put(`new${revision}-${index}`, revision));
      for (let index = 0; index < 20; index++)
        changes.push(deletionOf(Buffer.from(`new${revision - 1}-${index}`), revision));
      if (every > 0 && revision % every === 0) changes.push(put(`stay${revision % 100}`, revision));
      return { revision, changes, forgotten: [] };
    });
    const liveBytes = [...state.values()].reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    expect(diskBytesMax).toBeLessThan(4 * liveBytes);
    expect(runsMax).toBeLessThan(20);
    expectState(base, state, new SeededRandom(1));
    await base.close();
  });

  it('collections that come and go leave no ranges behind', async () => {
    const made = await last((revision) => {
      if (revision === 1) return stable;
      const changes = Array.from({ length: 20 }, (_, index) => put(`c${revision}/${index}`, revision));
      const gone = `c${revision - 1}`;
      const forgotten = [{ start: Buffer.from(`${gone}/`), end: Buffer.from(`${gone}0`) }];
      return { revision, changes, forgotten };
    });
    const { base, disk, state, diskBytesMax, runsMax } = made;
    const manifest = Buffer.from(disk.contentOf(`${DIRECTORY}/manifest`)).toString();
    expect(manifest.split('"start"').length).toBeLessThan(40);
    expect(diskBytesMax).toBeLessThan(100_000);
    expect(runsMax).toBeLessThan(20);
    expectState(base, state, new SeededRandom(1));
    await base.close();
    const again = await openSmall(disk);
    expectState(again, state, new SeededRandom(1));
    await again.close();
  });

  it('files that are no part of the state are gone', async () => {
    const { base, disk } = await last((revision) => ({
      revision,
      changes: [put('key', revision)],
      forgotten: [],
    }));
    // Manifest, notes, and runs.
    expect((await disk.list(DIRECTORY)).length).toBe(base.figures().runs.length + 2);
    await base.close();
  });
});
