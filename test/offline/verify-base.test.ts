/** `kelp verify` of engines on disk: their files, how these fit the log, and what the next start does with what is damaged. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStoreError } from '../../src/errors.ts';
import { verifyDirectory } from '../../src/offline/verify/verify.ts';
import type { VerifyReport } from '../../src/offline/verify/verify-report.ts';
import { harmArbitrary, harmed } from './harm.ts';
import {
  BASE_DIR,
  changed,
  contentOf,
  DATA_DIR,
  diskWith,
  FILLER,
  type Files,
  filesOf,
  flip,
  type Life,
  readFiles,
  segmentPath,
  startOn,
} from './small-stores.ts';

type RunEngine = 'lsm' | 'bitcask';

const ENGINE_PATH = `${DATA_DIR}/ENGINE`;
const MANIFEST_PATH = `${BASE_DIR}/manifest`;

/** Thirteen revisions, checkpoints at 6 and 10, a lease and deadlines; what was overwritten and deleted is still there. */
async function liveLong({ store, clock }: Life): Promise<void> {
  await store.grantLease(60_000, 7);
  for (let index = 1; index <= 6; index++) await store.put(`key${index}`, `${FILLER}${index}`);
  await store.snapshot();
  clock.advance(1000);
  await store.put('leased', FILLER, { leaseId: 7 });
  await store.put('mortal', FILLER, { ttlMs: 3_600_000 });
  await store.delete('key3');
  await store.put('key2', FILLER);
  await store.snapshot();
  for (let index = 11; index <= 13; index++) await store.put(`key${index}`, `${FILLER}${index}`);
}

interface Stores {
  readonly files: Files;
  readonly others: { readonly foreign: Files; readonly otherHistory: Files };
}

const made = new Map<RunEngine, Promise<Stores>>();

function storesOf(engine: RunEngine): Promise<Stores> {
  const make = async (): Promise<Stores> => ({
    files: await filesOf(liveLong, { engine }),
    others: {
      foreign: await filesOf(liveLong, { engine, seed: 2 }),
      otherHistory: await filesOf(
        async ({ store }) => {
          for (let index = 1; index <= 13; index++) await store.put(`other${index}`, FILLER);
          await store.snapshot();
        },
        { engine },
      ),
    },
  });
  const stores = made.get(engine) ?? make();
  made.set(engine, stores);
  return stores;
}

/** Verifies, and sees to it that nothing is changed. */
async function verify(files: Files): Promise<VerifyReport> {
  const disk = await diskWith(files);
  const report = await verifyDirectory(DATA_DIR, () => undefined, disk);
  expect(await readFiles(disk)).toEqual(new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1))));
  return report;
}

async function damagesIn(files: Files): Promise<string[]> {
  const { damages, isWhole } = await verify(files);
  expect(isWhole).toBe(damages.length === 0);
  return damages.map(({ file, offset, what, fromRevision, toRevision }) => {
    const name = file.slice(DATA_DIR.length + 1).replace(/0{10,}/, '');
    return `${name}:${offset} ${what} [${fromRevision}..${toRevision ?? ''}]`;
  });
}

function baseFiles(files: Files, ending: string): string[] {
  return [...files.keys()].filter((path) => path.startsWith(BASE_DIR) && path.endsWith(ending));
}

describe.each<RunEngine>(['lsm', 'bitcask'])('the files of %s', (engine) => {
  it('are found whole, with what is in them', async () => {
    const { files } = await storesOf(engine);
    const report = await verify(files);
    expect(report).toMatchObject({
      isWhole: true,
      wholeRevision: 13,
      engine,
      base: { isWhole: true, leaseCount: 1 },
      snapshots: [],
      damages: [],
      notes: [],
      recovery: { kind: 'starts', revision: 13, snapshotRevision: 0, isBaseDamaged: false },
    });
    const { base, recovery } = report;
    expect(base?.revision).toBeGreaterThanOrEqual(10);
    expect(recovery).toMatchObject({ baseRevision: base?.revision });
    expect(base?.files.map(({ file }) => file)).toEqual(baseFiles(files, '.run'));
    expect(base?.files.every(({ isWhole, recordCount }) => isWhole && recordCount > 0)).toBe(true);
    expect(base?.bytes).toBe(
      baseFiles(files, '.run').reduce((sum, path) => sum + contentOf(files, path).length, 0),
    );
  });

  it('may be empty', async () => {
    const files = await filesOf(async () => undefined, { engine });
    expect(await verify(files)).toMatchObject({
      isWhole: true,
      base: { revision: 0, bytes: 0, files: [] },
      recovery: { kind: 'starts', revision: 0, baseRevision: 0 },
    });
  });

  it('are damaged at a place, which is named', async () => {
    const { files } = await storesOf(engine);
    const revision = (await verify(files)).base?.revision;
    const place = `[${revision}..${revision}]`;
    const [run = ''] = baseFiles(files, '.run');
    const name = run.slice(DATA_DIR.length + 1).replace(/0{10,}/, '');
    const bytes = contentOf(files, run);
    expect(await damagesIn(changed(files, run, flip(bytes, 50 * 8)))).toEqual([
      expect.stringMatching(`^${name}:32 `),
    ]);
    expect(await damagesIn(changed(files, run, flip(bytes, 3)))).toEqual([
      `${name}:0 the header is not that of this run ${place}`,
    ]);
    expect(await damagesIn(changed(files, run, undefined))).toEqual([
      `${name}:0 the file is missing ${place}`,
    ]);
    expect(await damagesIn(changed(files, run, bytes.slice(0, -1)))).toEqual([
      expect.stringMatching(`^${name}:0 it has \\d+ bytes where the manifest says \\d+ `),
    ]);
    const [notes = ''] = baseFiles(files, '.notes');
    expect(await damagesIn(changed(files, notes, flip(contentOf(files, notes), 9)))).toEqual([
      expect.stringMatching(/notes:0 the checksum of the notes does not match/),
    ]);
  });

  it('are known by the manifest alone', async () => {
    const { files } = await storesOf(engine);
    const broken = changed(files, MANIFEST_PATH, flip(contentOf(files, MANIFEST_PATH), 400));
    expect(await damagesIn(broken)).toContain(
      'base/manifest:0 the checksum of the manifest does not match [1..]',
    );
    expect(await damagesIn(changed(files, MANIFEST_PATH, undefined))).toContain(
      'base/manifest:0 the manifest is missing [1..]',
    );
    expect((await verify(broken)).recovery).toMatchObject({ kind: 'stops' });
  });

  it('are of the store and the history of the log', async () => {
    const { files, others } = await storesOf(engine);
    const withBaseOf = (other: Files): Files =>
      new Map([...files, ...[...other].filter(([path]) => path.startsWith(BASE_DIR))]);
    const foreign = new Map(
      [...withBaseOf(others.foreign)].filter(([path]) => !isLeft(path, others.foreign)),
    );
    expect(await damagesIn(foreign)).toEqual([
      expect.stringMatching(/it belongs to another store than the log/),
    ]);
  });

  it('reach as far as the log does, and no further', async () => {
    const { files } = await storesOf(engine);
    const revision = (await verify(files)).base?.revision ?? 0;
    const cut = new Map([...files].filter(([path]) => !(path.includes('/log/') && path > segmentPath(4))));
    expect(await damagesIn(changed(cut, `${DATA_DIR}/NEWEST`, undefined))).toEqual([
      expect.stringMatching(
        /:0 the log ends at revision 6, before the state that the engine keeps \[7\.\.\]$/,
      ),
    ]);
    const late = new Map([...files].filter(([path]) => !(path.includes('/log/') && path < segmentPath(14))));
    expect(await damagesIn(late)).toEqual([
      `log/14.log:0 the log begins at revision 14: what comes before is missing [${revision + 1}..13]`,
    ]);
    const without = new Map([...files].filter(([path]) => !path.includes('/log/')));
    expect((await verify(without)).recovery).toMatchObject({ kind: 'stops' });
  });

  it('have a name in the directory, which a start asks for', async () => {
    const { files } = await storesOf(engine);
    const nameless = changed(files, ENGINE_PATH, undefined);
    expect(await damagesIn(nameless)).toContain(
      `ENGINE:0 it is missing, and ${BASE_DIR} holds the files of an engine [1..]`,
    );
    expect(await startOn(nameless)).toMatchObject({ code: 'damaged' });
  });

  it('may have others beside them, which the next start removes', async () => {
    const { files } = await storesOf(engine);
    const left = ['0000000000009999.run', '0000000000009999.notes', 'manifest.new'];
    const more = new Map([
      ...files,
      ...left.map((name) => [`${BASE_DIR}/${name}`, new Uint8Array(3)] as const),
    ]);
    const { isWhole, notes } = await verify(more);
    expect([isWhole, ...notes.toSorted()]).toEqual([
      true,
      ...left.sort().map((name) => `${BASE_DIR}/${name} is not needed any more; the next start removes it`),
    ]);
  });

  it('do in the next start what is forecast, whatever the damage', { timeout: 120_000 }, async () => {
    const { files: whole, others } = await storesOf(engine);
    await fc.assert(
      fc.asyncProperty(fc.array(harmArbitrary, { minLength: 0, maxLength: 2 }), async (harms) => {
        let files: Files = whole;
        for (const harm of harms) files = harmed(files, others, harm);
        const { isWhole, recovery, damages } = await verify(files);
        const outcome = await startOn(files, engine);
        if (outcome instanceof Error) {
          const isRefused = isStoreError(outcome, 'damaged') || isStoreError(outcome, 'invalidArgument');
          expect(isRefused, String(outcome)).toBe(true);
          expect([recovery.kind, isWhole], String(outcome)).toEqual(['stops', false]);
          return;
        }
        expect(recovery, JSON.stringify(damages)).toMatchObject({
          kind: 'starts',
          revision: outcome.revision,
        });
      }),
      { numRuns: 300 },
    );
  });
});

/** A file of the base that the other one has not. */
function isLeft(path: string, other: Files): boolean {
  return path.startsWith(BASE_DIR) && !other.has(path);
}
