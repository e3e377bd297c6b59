/**
 * Verifies the run files of `lsm` and `bitcask`, and what says which of them make up the state. Each file is read by itself, so that damage
 * in one does not hide what is in the others.
 */
import { faultOfAccess } from '../../access/records/access-records.ts';
import type { Disk } from '../../disk/disk.ts';
import { readWhole } from '../../engine/runs/base-directory.ts';
import { BaseDamageError } from '../../engine/runs/damage.ts';
import {
  isNumberedName,
  MANIFEST_NAME,
  NEW_MANIFEST_NAME,
  notesName,
  runName,
} from '../../engine/runs/file-names.ts';
import { type BlockKind, blockKind, type RunEngine, type RunForm } from '../../engine/runs/format.ts';
import { decodeManifest, type Manifest, type ManifestRun } from '../../engine/runs/manifest.ts';
import { readNotes } from '../../engine/runs/notes-file.ts';
import { RunFile, type SideBlock } from '../../engine/runs/table/run-file.ts';
import { RunScan } from '../../engine/runs/table/run-scan.ts';
import { PlacedChange } from '../../engine/version.ts';
import type { OnProgress } from '../../progress.ts';
import type { BaseDamage, BaseFile, BaseFiles } from '../base-files.ts';

const formByEngine: Readonly<Record<RunEngine, RunForm>> = { lsm: 'sparse', bitcask: 'dense' };

const READ_AT_START: ReadonlySet<BlockKind> = new Set([
  blockKind.index,
  blockKind.filter,
  blockKind.hints,
  blockKind.leases,
]);

/** Changes nothing. @throws DiskError */
export async function verifyRuns(
  disk: Disk,
  folder: string,
  engine: RunEngine,
  onProgress: OnProgress,
): Promise<BaseFiles> {
  const names = (await disk.list(folder)).sort();
  const path = `${folder}/${MANIFEST_NAME}`;
  const damages: BaseDamage[] = [];
  const nothing = {
    revision: 0,
    notes: undefined,
    notesPlace: { file: path, offset: 0 },
    files: [],
    damages,
  };
  const bytes = await readWhole(disk, path);
  if (bytes === undefined) {
    if (names.some(isNumberedName))
      damages.push({ file: path, offset: 0, what: 'the manifest is missing', stopsStart: true });
    return { ...nothing, leftOver: [] };
  }
  const manifest = await found(damages, () => Promise.resolve(decodeManifest(bytes, path, engine)));
  if (manifest === undefined) return { ...nothing, leftOver: [] };
  const files: BaseFile[] = [];
  const totalBytes = manifest.runs.reduce((sum, run) => sum + run.bytes, 0);
  let doneBytes = 0;
  for (const run of manifest.runs) {
    const scanner = new RunVerifier(manifest, run, `${folder}/${runName(run.number)}`, (offset) =>
      onProgress({ work: 'verifying the files of the engine', doneBytes: doneBytes + offset, totalBytes }),
    );
    const before = damages.length;
    await found(
      damages,
      () => scanner.verify(disk),
      (offset) => scanner.stopsStart(offset),
    );
    doneBytes += run.bytes;
    const { path: file, recordCount } = scanner;
    files.push({ file, bytes: run.bytes, isWhole: damages.length === before, recordCount });
  }
  return {
    revision: manifest.revision,
    ...(await notesOf(disk, folder, manifest, damages)),
    files,
    damages,
    leftOver: leftOver(folder, names, manifest),
  };
}

/** A run, from its first block to its last. */
class RunVerifier {
  readonly path: string;
  recordCount = 0;
  readonly #manifest: Manifest;
  readonly #run: ManifestRun;
  readonly #onOffset: (offset: number) => void;
  /** `undefined`: its ends are not read yet. */
  #sides: readonly SideBlock[] | undefined;
  /** Whether it has come upon a record of access that can't be understood. */
  #isOfAccess = false;

  constructor(manifest: Manifest, run: ManifestRun, path: string, onOffset: (offset: number) => void) {
    this.path = path;
    this.#manifest = manifest;
    this.#run = run;
    this.#onOffset = onOffset;
  }

  /** A start reads the ends of a run, the blocks of some kinds and all of access; all others are read when something needs them. */
  stopsStart(offset: number): boolean {
    if (this.#isOfAccess) return true;
    return this.#sides?.some((side) => side.offset === offset && READ_AT_START.has(side.kind)) ?? true;
  }

  async verify(disk: Disk): Promise<true> {
    const { engine } = this.#manifest;
    const run = await RunFile.open(disk, this.path, engine, formByEngine[engine], this.#run);
    this.#sides = run.sides;
    try {
      const scan = new RunScan(run);
      const placed = new PlacedChange();
      let keyBefore: Uint8Array | undefined;
      do {
        while (scan.next(placed)) {
          this.recordCount++;
          const key = placed.copyKey();
          if (keyBefore !== undefined && Buffer.compare(keyBefore, key) >= 0)
            throw run.damage(scan.offset, 'the keys are not in their order');
          if (placed.revision > this.#manifest.revision)
            throw run.damage(scan.offset, `a record is of revision ${placed.revision}, later than the state`);
          const fault = placed.deleted ? undefined : faultOfAccess(key, placed.value);
          this.#isOfAccess = fault !== undefined;
          if (fault !== undefined) throw run.damage(scan.offset, fault);
          keyBefore = key;
        }
        this.#onOffset(scan.offset);
      } while (await scan.fill());
      return true;
    } finally {
      await run.close();
    }
  }
}

async function notesOf(
  disk: Disk,
  folder: string,
  { notes: info, revision }: Manifest,
  damages: BaseDamage[],
): Promise<Pick<BaseFiles, 'notes' | 'notesPlace'>> {
  const file = info === undefined ? `${folder}/${MANIFEST_NAME}` : `${folder}/${notesName(info.number)}`;
  const notesPlace = { file, offset: 0 };
  if (info !== undefined)
    return { notes: await found(damages, () => readNotes(disk, file, info)), notesPlace };
  if (revision > 0) damages.push({ ...notesPlace, what: 'it names no notes', stopsStart: true });
  return { notes: undefined, notesPlace };
}

function leftOver(folder: string, names: readonly string[], { runs, notes }: Manifest): string[] {
  const named = new Set(runs.map(({ number }) => runName(number)));
  if (notes !== undefined) named.add(notesName(notes.number));
  return names
    .filter((name) => name === NEW_MANIFEST_NAME || (isNumberedName(name) && !named.has(name)))
    .map((name) => `${folder}/${name}`);
}

/** @returns `undefined` where it came upon damage, which is noted. */
async function found<Result>(
  damages: BaseDamage[],
  work: () => Promise<Result>,
  stopsStart: (offset: number) => boolean = () => true,
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BaseDamageError)) throw error;
    const { path: file, offset, what } = error;
    damages.push({ file, offset, what, stopsStart: stopsStart(offset) });
    return undefined;
  }
}
