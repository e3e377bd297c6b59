/**
 * The directory of a base: its manifest, which says what the state is, and the files that it names.
 *
 * A change of the state:
 *
 * 1. New files are written under names that were never used, and synced.
 * 2. The directory is synced: their names are durable.
 * 3. `manifest.new` is written and synced.
 * 4. It is renamed to `manifest`.
 * 5. The directory is synced: the new state is durable.
 * 6. Files that the new manifest does not name are removed.
 *
 * Before 4 a crash finds the old manifest, all of whose files are there. Between 4 and 5 it finds the old or the new one, and the
 * files of both are there and durable. Behind 5 it finds the new one. A start makes what it has found durable by 3 to 5, and then
 * removes what that does not name.
 *
 * When 4 or 5 fails, it is not known which manifest a crash would find: from then on the files of each that it may find are kept, until a
 * later change has come to its end. All else is removed as ever, what a change leaves that fails before 4 included: no manifest that could be
 * found names it, and on a full disk each further try would else leave as much again.
 *
 * Files that no manifest can name: those whose numbers are at or above the `nextNumber` of the manifest that a start finds. It finds
 * the one that was renamed last, whether that is durable or not; what a loss of power has undone does not come back. All that were renamed before have a
 * `nextNumber` that is as high at most, since each life goes on with that of the manifest that it has found, and no manifest names a file of a
 * number at or above its own. So a start removes these first: they may be what fills the disk, and then there is no room for 3 before. Those below are
 * left until 5 is done.
 *
 * A start for which a full disk has no room even so goes on with what it has found, so that it can be read: `unsettled` says so. A crash may find a
 * manifest from before that one, then, down to the last that was durable. All its files are there, since this start removes none that it may
 * name; so must be all else that it needs, the log above its revision. The next change needs what it has found not to be durable: it names all the
 * files, whose names were durable before a manifest named them, and behind it only that one is found.
 *
 * Files that a view of an older state reads (`runs-view.ts`) are kept until it lets go of them; a crash leaves them to the next start.
 */
import { DiskError } from '../../disk/disk.ts';
import type { Disk } from '../../disk/disk.ts';
import { assert } from '../../errors.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { BaseDamageError, ForeignBaseError } from './damage.ts';
import type { RunEngine } from './format.ts';
import {
  isNumberedName,
  MANIFEST_NAME,
  NEW_MANIFEST_NAME,
  notesName,
  numberOf,
  runName,
} from './file-names.ts';
import { decodeManifest, encodeManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { readNotes, writeNotes } from './notes-file.ts';

export interface OpenBaseDirectoryOptions {
  readonly disk: Disk;
  /** Made if need be. */
  readonly directory: string;
  readonly engine: RunEngine;
  /** 16 bytes. */
  readonly storeId: Uint8Array;
}

export class BaseDirectory {
  readonly disk: Disk;
  readonly directory: string;
  #manifest: Manifest;
  #notes: Uint8Array;
  #nextNumber: number;
  /** Changes are made one after the other: settles with the last of them. Never rejects. */
  #lastChange: Promise<unknown> = Promise.resolve();
  /**
   * The names of files of manifests that a crash may find in place of the newest: of one whose change has failed once it may have been
   * renamed, and of those from before an unsettled start.
   */
  readonly #maybeNamed = new Set<string>();
  /**
   * The names of files of lower numbers that no manifest names yet may be lost: a sync of the directory failed, and what it was to make
   * durable no later one need make so.
   */
  #lostBelow = 0;
  #unsettled: DiskError | undefined;
  /** The paths of files that the newest manifest does not name. They stay while a view reads them, or a crash may find a manifest that names them. */
  #unneeded: string[] = [];
  /** The runs that are read by views, and by how many. */
  readonly #viewCountByPath = new Map<string, number>();

  /**
   * Reads the manifest, or makes the first one, and removes what it does not name; where the disk is full, later, but for what no manifest can name. Rejects with a `BaseDamageError`; with a
   * `ForeignBaseError` for the files of another engine, another store or a newer version; and with what the disk rejects with.
   */
  static async open(options: OpenBaseDirectoryOptions): Promise<BaseDirectory> {
    const { disk, directory, engine } = options;
    await disk.makeDirectory(directory);
    const path = `${directory}/${MANIFEST_NAME}`;
    const bytes = await readWhole(disk, path);
    const names = await disk.list(directory);
    if (bytes === undefined) {
      if (names.some(isNumberedName)) throw new BaseDamageError(path, 0, 'the manifest is missing');
      return BaseDirectory.#make(options);
    }
    const manifest = decodeManifest(bytes, path, engine);
    const storeId = Buffer.from(options.storeId).toString('hex');
    if (manifest.storeId !== storeId) {
      const what = `it belongs to the store ${manifest.storeId}, and the log to ${storeId}`;
      throw new ForeignBaseError(path, what, 'Put back the directory that belongs to the log');
    }
    const { notes } = manifest;
    const notesBytes =
      notes === undefined
        ? NO_BYTES
        : await readNotes(disk, `${directory}/${notesName(notes.number)}`, notes);
    const opened = new BaseDirectory(options, manifest, notesBytes);
    const named = namesOf(manifest);
    const unnamed = names.filter((name) => isNumberedName(name) && !named.has(name));
    const isNew = (name: string): boolean => numberOf(name) >= manifest.nextNumber;
    for (const name of unnamed) if (isNew(name)) await disk.remove(`${directory}/${name}`);
    const older = unnamed.filter((name) => !isNew(name));
    await opened.#remake();
    const isUnsettled = opened.unsettled !== undefined;
    for (const name of older) {
      const path = `${directory}/${name}`;
      if (isUnsettled) {
        opened.#unneeded.push(path);
        opened.#maybeNamed.add(name);
      } else await disk.remove(path);
    }
    return opened;
  }

  static async #make(options: OpenBaseDirectoryOptions): Promise<BaseDirectory> {
    const manifest: Manifest = {
      engine: options.engine,
      storeId: Buffer.from(options.storeId).toString('hex'),
      revision: 0,
      nextNumber: 1,
      notes: undefined,
      runs: [],
      forgotten: [],
    };
    const made = new BaseDirectory(options, manifest, NO_BYTES);
    await made.change((current) => current);
    return made;
  }

  private constructor(options: OpenBaseDirectoryOptions, manifest: Manifest, notes: Uint8Array) {
    this.disk = options.disk;
    this.directory = options.directory;
    this.#manifest = manifest;
    this.#notes = notes;
    this.#nextNumber = manifest.nextNumber;
  }

  /** Why it is not known whether what the start has found is durable; `undefined`: it is. */
  get unsettled(): DiskError | undefined {
    return this.#unsettled;
  }

  /** The newest that is durable, or that the start has found. */
  get manifest(): Manifest {
    return this.#manifest;
  }

  get notes(): Uint8Array {
    return this.#notes;
  }

  /** The number that is taken next. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** A number that no file of the base has had. */
  takeNumber(): number {
    return this.#nextNumber++;
  }

  runPath(number: number): string {
    return `${this.directory}/${runName(number)}`;
  }

  /**
   * Makes another manifest the state, once the changes before are made.
   * @param revise makes it of the newest; it throws if that is not possible any more, and then nothing has changed.
   * @param notes those of a new revision; missing: they stay.
   * Rejects with what the disk rejects with: then the state is one or the other, until a change succeeds.
   */
  change(revise: (current: Manifest) => Manifest, notes?: Uint8Array): Promise<void> {
    const changed = this.#lastChange.then(() => this.#change(revise, notes));
    this.#lastChange = changed.catch(() => undefined);
    return changed;
  }

  /**
   * Removes files of runs that are not part of the state, and those that a change has left, once that is safe. Never rejects: the next
   * start removes what is left.
   */
  async discard(numbers: readonly number[] = []): Promise<void> {
    this.#unneeded.push(...numbers.map((number) => this.runPath(number)));
    await this.#lastChange;
    await this.#removeUnneeded();
  }

  /** Keeps the files of runs that are part of the state, also when they are not any more. */
  hold(numbers: readonly number[]): void {
    for (const number of numbers) {
      const path = this.runPath(number);
      this.#viewCountByPath.set(path, (this.#viewCountByPath.get(path) ?? 0) + 1);
    }
  }

  /** Lets go of them: those that are not part of the state any more are removed. Never rejects. */
  async letGo(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) {
      const path = this.runPath(number);
      const count = (this.#viewCountByPath.get(path) ?? 0) - 1;
      if (count > 0) this.#viewCountByPath.set(path, count);
      else this.#viewCountByPath.delete(path);
    }
    await this.discard();
  }

  /** Settles when no change is under way. */
  async settle(): Promise<void> {
    await this.#lastChange;
  }

  /**
   * Makes the manifest that was found durable. The last sync of the life before may have failed: then no later one makes that name
   * durable, and a crash would find the manifest before it, whose files are removed by now, and whose log is cut.
   */
  async #remake(): Promise<void> {
    try {
      await this.#replace(this.#manifest);
      this.#maybeNamed.clear();
    } catch (error) {
      if (!(error instanceof DiskError) || error.code !== 'noSpace') throw error;
      this.#unsettled = error;
    }
  }

  async #change(revise: (current: Manifest) => Manifest, notes: Uint8Array | undefined): Promise<void> {
    const manifest = revise(this.#manifest);
    if (notes === undefined) return this.#commit(manifest);
    const number = this.takeNumber();
    const path = `${this.directory}/${notesName(number)}`;
    try {
      const info = await writeNotes(this.disk, path, number, notes);
      await this.#commit({ ...manifest, notes: info }, notes.slice());
    } catch (error) {
      // Kept as long as a crash may find the manifest that names it.
      this.#unneeded.push(path);
      throw error;
    }
  }

  /** Steps 2 to 5. */
  async #commit(next: Manifest, notes = this.#notes): Promise<void> {
    const { directory } = this;
    const manifest = { ...next, nextNumber: this.#nextNumber };
    const known = namesOf(this.#manifest);
    const named = namesOf(manifest);
    for (const name of named) {
      assert(numberOf(name) < manifest.nextNumber, 'a manifest names no file of a number that is not taken');
      if (!known.has(name) && numberOf(name) < this.#lostBelow)
        throw new DiskError(
          'failed',
          `${directory}/${name} may be lost, since a sync of its directory failed`,
        );
    }
    await this.#syncDirectory();
    await this.#replace(manifest);
    this.#maybeNamed.clear();
    this.#unsettled = undefined;
    this.#manifest = manifest;
    this.#notes = notes;
    for (const name of known) if (!named.has(name)) this.#unneeded.push(`${directory}/${name}`);
  }

  async #replace(manifest: Manifest): Promise<void> {
    const { disk, directory } = this;
    const bytes = encodeManifest(manifest);
    const path = `${directory}/${NEW_MANIFEST_NAME}`;
    await disk.remove(path);
    const file = await disk.create(path);
    try {
      await file.write(bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    // From here on a crash may find it, whatever fails.
    for (const name of namesOf(manifest)) this.#maybeNamed.add(name);
    await disk.rename(path, `${directory}/${MANIFEST_NAME}`);
    await this.#syncDirectory();
  }

  async #syncDirectory(): Promise<void> {
    try {
      await this.disk.syncDirectory(this.directory);
    } catch (error) {
      this.#lostBelow = this.#nextNumber;
      throw error;
    }
  }

  async #removeUnneeded(): Promise<void> {
    const named = namesOf(this.#manifest);
    const paths = this.#unneeded;
    this.#unneeded = [];
    for (const path of paths) {
      const name = path.slice(this.directory.length + 1);
      if (named.has(name)) continue;
      if (this.#viewCountByPath.has(path) || this.#maybeNamed.has(name)) {
        this.#unneeded.push(path);
        continue;
      }
      await this.disk.remove(path).catch(() => undefined);
    }
  }
}

function namesOf(manifest: Manifest): Set<string> {
  const names = new Set(manifest.runs.map(({ number }) => runName(number)));
  if (manifest.notes !== undefined) names.add(notesName(manifest.notes.number));
  return names;
}

/** @returns `undefined`: there is no such file. */
export async function readWhole(disk: Disk, path: string): Promise<Buffer | undefined> {
  let file;
  try {
    file = await disk.open(path, 'read');
  } catch (error) {
    if (error instanceof DiskError && error.code === 'notFound') return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(await file.size());
    const count = await file.read(bytes, 0);
    return bytes.subarray(0, count);
  } finally {
    await file.close();
  }
}
