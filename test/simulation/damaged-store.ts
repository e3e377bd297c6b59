/**
 * The files of a small store, which a test may damage in any way, and what must come of it when a store is opened on
 * them: the right state, or a refusal that says which file, which offset and which revisions are concerned.
 */
import { createHash } from 'node:crypto';
import type { Disk } from '../../src/disk/disk.ts';
import { StoreError } from '../../src/errors.ts';
import { openStore } from '../../src/kv/open-store.ts';
import { type StoreOptions } from '../../src/store/store-options.ts';
import type { Entry, Store } from '../../src/api.ts';
import type { OperatorEvent } from '../../src/store/operator-event.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { withFiles } from '../support/wrapped-disk.ts';
import { describe, isSame } from './describe.ts';
import { HeapEngine } from '../engine/contract/heap-engine.ts';

const DATA_DIR = '/data';
const LOG_DIR = `${DATA_DIR}/log`;
const SNAPSHOT_DIR = `${DATA_DIR}/snapshots`;
export const NEWEST_PATH = `${DATA_DIR}/NEWEST`;
/** No read of a small store is longer: a length that damage has made up never leads to memory being taken. */
const READ_BYTES_MAX = 512 * 1024;
const ALL = 10_000;

/** By path. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** The files of a store, and what they hold. */
export interface StoreOnDisk {
  readonly files: Files;
  /** The paths of the log's segments and of the snapshots, the oldest first. */
  readonly segments: readonly string[];
  readonly snapshots: readonly string[];
  /** Its entries at each revision from the first on, also those that its files no longer tell. */
  readonly entriesByRevision: ReadonlyMap<number, readonly Entry[]>;
  readonly revision: number;
  /** Everything up to here was acknowledged; what lies above may be there or not. */
  readonly acknowledgedRevision: number;
}

export interface StoreMaker {
  readonly seed: number;
  readonly limits?: NonNullable<StoreOptions['limits']>;
  /** Writes whatever is to be there. */
  readonly write: (store: Store) => Promise<void>;
  /** Writes what is never acknowledged: the process ends while the disk is about to flush it. */
  readonly writeInVain?: (store: Store) => void;
}

/** Makes a store, which is closed in the end unless something is written in vain. */
export async function makeStore(maker: StoreMaker): Promise<StoreOnDisk> {
  const { seed, limits, write, writeInVain } = maker;
  const disk = new SimulatedDisk({ seed });
  const clock = new ManualClock();
  const held = { isHeld: false };
  const options = optionsOf(holdingSyncs(disk, held), clock, seed);
  const store = await openStore({ ...options, ...(limits && { limits }) });
  await write(store);
  const acknowledgedRevision = (await store.status()).revision;
  let left = disk;
  if (writeInVain === undefined) {
    await store.close();
  } else {
    held.isHeld = true;
    writeInVain(store);
    await clock.settled();
    left = disk.endProcess();
  }
  const segments = await pathsIn(left, LOG_DIR, '.log');
  const snapshots = await pathsIn(left, SNAPSHOT_DIR, '.snapshot');
  const paths = [...segments, ...snapshots, NEWEST_PATH];
  const files = new Map(paths.map((path) => [path, left.contentOf(path)] as const));
  return { files, segments, snapshots, ...(await wholeHistory(maker)), acknowledgedRevision };
}

/** What is written, in a store that forgets nothing and in which nothing goes wrong. */
async function wholeHistory({ seed, write, writeInVain }: StoreMaker): Promise<Omit<OpenedStore, 'events'>> {
  const clock = new ManualClock();
  const store = await openStore(optionsOf(new SimulatedDisk({ seed }), clock, seed));
  await write(store);
  writeInVain?.(store);
  await clock.settled();
  return readAll(store);
}

/** What a store that was opened on some files holds. */
export interface OpenedStore {
  readonly revision: number;
  readonly entriesByRevision: ReadonlyMap<number, readonly Entry[]>;
  readonly events: readonly OperatorEvent[];
}

/** Opens a store on the files as they are. */
export async function open(files: Files): Promise<OpenedStore | StoreError> {
  const disk = new SimulatedDisk({ seed: 1 });
  for (const folder of [DATA_DIR, LOG_DIR, SNAPSHOT_DIR]) await disk.makeDirectory(folder);
  for (const [path, bytes] of files) disk.setContent(path, bytes);
  // A store without lock files would first wait for an owner to notice that.
  disk.setContent(`${DATA_DIR}/LOCK`, new Uint8Array(0));
  const events: OperatorEvent[] = [];
  const onEvent = (event: OperatorEvent): void => void events.push(event);
  try {
    const store = await openStore({ ...optionsOf(bounded(disk), new ManualClock(), 1), onEvent });
    return { ...(await readAll(store)), events };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    for (const [path, bytes] of files) {
      if (!isSame(disk.contentOf(path), bytes)) throw new Error(`${path} was changed`, { cause: error });
    }
    return error;
  }
}

/** Throws unless files that were damaged give the right state, or a refusal with a clear text. */
export async function expectJust(files: Files, original: StoreOnDisk): Promise<'opened' | 'refused'> {
  const outcome = await open(files);
  if (outcome instanceof StoreError) {
    expectClear(outcome);
    return 'refused';
  }
  const { revision, entriesByRevision } = outcome;
  if (revision < original.acknowledgedRevision || revision > original.revision)
    throw new Error(`revision ${revision} was recovered, ${original.acknowledgedRevision} acknowledged`);
  for (const [at, entries] of entriesByRevision) {
    const expected = original.entriesByRevision.get(at);
    if (isSame(entries, expected)) continue;
    throw new Error(`revision ${at} is\n${describe(entries)}\nand was\n${describe(expected)}`);
  }
  return 'opened';
}

/** A refusal says in which file and where in it, and which revisions are concerned. */
export function expectClear({ code, message }: StoreError): void {
  const isClear =
    code === 'damaged' &&
    /\/data\/(?:log|snapshots)\/\S+\.(?:log|snapshot)\b/.test(message) &&
    /\boffset \d+/.test(message) &&
    /\brevisions? \d+|\bNo revision\b/i.test(message);
  if (!isClear) throw new Error(`the refusal is not clear: ${code}: ${message}`);
}

/** A copy of the files with one of them changed, or (without bytes) left out. */
export function changed(files: Files, path: string, bytes?: Uint8Array): Files {
  const copy = new Map(files);
  if (bytes === undefined) copy.delete(path);
  else copy.set(path, bytes);
  return copy;
}

export function contentOf(files: Files, path: string | undefined): Uint8Array {
  const bytes = path === undefined ? undefined : files.get(path);
  if (bytes === undefined) throw new Error(`there is no file ${path}`);
  return bytes;
}

/** The bytes with one bit changed. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** Bytes that no repetition makes short: compression leaves them as they are. */
export function noise(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function optionsOf(disk: Disk, clock: ManualClock, seed: number): StoreOptions {
  return {
    dataDir: DATA_DIR,
    disk,
    clock,
    random: new SeededRandom(seed),
    makeEngine: () => new HeapEngine(),
    memoryBytesMax: 2 ** 40,
    limits: { segmentBytes: 4096 },
  };
}

async function readAll(store: Store): Promise<Omit<OpenedStore, 'events'>> {
  const { revision, oldestRevision } = await store.status();
  const entriesByRevision = new Map<number, readonly Entry[]>();
  for (let at = Math.max(1, oldestRevision); at <= revision; at++) {
    entriesByRevision.set(at, (await store.scan({}, { revision: at, limit: ALL })).entries);
  }
  return { revision, entriesByRevision };
}

async function pathsIn(disk: Disk, folder: string, ending: string): Promise<string[]> {
  const names = (await disk.list(folder)).filter((name) => name.endsWith(ending));
  return names.sort().map((name) => `${folder}/${name}`);
}

/** The disk, of which no call to flush a file comes back as long as it is held. */
function holdingSyncs(disk: Disk, held: { readonly isHeld: boolean }): Disk {
  return withFiles(disk, (file) => ({
    sync: () => (held.isHeld ? new Promise<void>(() => undefined) : file.sync()),
  }));
}

function bounded(disk: Disk): Disk {
  return withFiles(disk, (file) => ({
    read: (buffer, position) => {
      if (buffer.length > READ_BYTES_MAX) throw new Error(`${buffer.length} bytes are read at once`);
      return file.read(buffer, position);
    },
  }));
}
