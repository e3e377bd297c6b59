/** Small stores on a simulated disk with all that a log and snapshots can hold, for tools to read. */
import { openStore } from '../../src/kv/open-store.ts';
import type { Store } from '../../src/api.ts';
import type { EngineName } from '../../src/engine-names.ts';
import type { OperatorEvent } from '../../src/store/operator-event.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';

export const DATA_DIR = '/data';
/** The folder of an engine on disk. */
export const BASE_DIR = `${DATA_DIR}/base`;
/** The file that names the newest segment. */
export const NEWEST_PATH = `${DATA_DIR}/NEWEST`;
/** Three of them fill the smallest segment. */
export const FILLER = '.'.repeat(1300);

/** The files of a data directory by path, without the lock file. */
export type Files = ReadonlyMap<string, Uint8Array>;

export interface Life {
  readonly store: Store;
  readonly clock: ManualClock;
}

/** Runs a store from its making to its close. @returns what it left. */
export async function filesOf(
  live: (life: Life) => Promise<void>,
  options: { readonly seed?: number; readonly snapshotsKept?: number; readonly engine?: EngineName } = {},
): Promise<Files> {
  const { seed = 1, snapshotsKept = 2, engine = 'memory' } = options;
  const disk = new SimulatedDisk({ seed });
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const store = await openStore({
    dataDir: DATA_DIR,
    engine,
    disk,
    clock,
    random: new SeededRandom(seed),
    limits: { segmentBytes: 4096, snapshotsKept },
  });
  await live({ store, clock });
  await store.close();
  return readFiles(disk);
}

export async function readFiles(disk: SimulatedDisk): Promise<Files> {
  const files = new Map<string, Uint8Array>();
  for (const folder of [`${DATA_DIR}/log`, `${DATA_DIR}/snapshots`, BASE_DIR]) {
    for (const name of (await disk.list(folder)).sort())
      if (name !== '.lock') files.set(`${folder}/${name}`, disk.contentOf(`${folder}/${name}`));
  }
  for (const name of ['ENGINE', 'NEWEST']) {
    if ((await disk.list(DATA_DIR)).includes(name))
      files.set(`${DATA_DIR}/${name}`, disk.contentOf(`${DATA_DIR}/${name}`));
  }
  return files;
}

export async function diskWith(files: Files): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed: 1 });
  await disk.makeDirectory(`${DATA_DIR}/log`);
  await disk.makeDirectory(`${DATA_DIR}/snapshots`);
  if ([...files.keys()].some((path) => path.startsWith(BASE_DIR))) await disk.makeDirectory(BASE_DIR);
  for (const [path, bytes] of files) disk.setContent(path, bytes);
  // A store without lock files would first wait for an owner to notice that.
  if (files.size > 0) disk.setContent(`${DATA_DIR}/LOCK`, new Uint8Array(0));
  return disk;
}

/** A copy of the files with one of them changed, or left out. */
export function changed(files: Files, path: string, bytes: Uint8Array | undefined): Files {
  const copy = new Map(files);
  if (bytes === undefined) copy.delete(path);
  else copy.set(path, bytes);
  return copy;
}

export function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

export function contentOf(files: Files, path: string): Uint8Array {
  const bytes = files.get(path);
  if (bytes === undefined) throw new Error(`there is no ${path}, only ${[...files.keys()].join(', ')}`);
  return bytes;
}

export function segmentPath(revision: number): string {
  return `${DATA_DIR}/log/${String(revision).padStart(20, '0')}.log`;
}

export function snapshotPath(revision: number): string {
  return `${DATA_DIR}/snapshots/${String(revision).padStart(20, '0')}.snapshot`;
}

/** Opens a store on the files, with its own engine or another. @returns its revision and what it told, or why it does not start. */
export async function startOn(
  files: Files,
  engine: EngineName = 'memory',
): Promise<{ readonly revision: number; readonly events: readonly OperatorEvent[] } | Error> {
  const events: OperatorEvent[] = [];
  const disk = await diskWith(files);
  try {
    const store = await openStore({
      dataDir: DATA_DIR,
      engine,
      disk,
      clock: new ManualClock(Date.UTC(2026, 0, 2)),
      random: new SeededRandom(2),
      limits: { segmentBytes: 4096 },
      onEvent: (event) => events.push(event),
    });
    const { revision } = await store.status();
    await store.close();
    return { revision, events };
  } catch (error) {
    return error as Error;
  }
}

/** Thirteen revisions in five segments, of three revisions each but for the last. No snapshot. */
export function longLog(seed?: number): Promise<Files> {
  return filesOf(
    async ({ store }) => {
      for (let index = 1; index <= 13; index++) await store.put(`key${index}`, `${FILLER}${index}`);
    },
    seed === undefined ? {} : { seed },
  );
}

/** The same with snapshots of the revisions 6 and 10, a lease and deadlines. */
export function longLogWithSnapshots(): Promise<Files> {
  return filesOf(async ({ store, clock }) => {
    await store.grantLease(60_000, 7);
    for (let index = 1; index <= 6; index++) await store.put(`key${index}`, `${FILLER}${index}`);
    await store.snapshot();
    clock.advance(1000);
    await store.put('leased', FILLER, { leaseId: 7 });
    await store.put('mortal', FILLER, { ttlMs: 3_600_000 });
    await store.renewLease(7);
    await store.put('key9', FILLER);
    await store.delete('key3');
    await store.snapshot();
    for (let index = 11; index <= 13; index++) await store.put(`key${index}`, `${FILLER}${index}`);
  });
}
