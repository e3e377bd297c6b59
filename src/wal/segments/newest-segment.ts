/**
 * The name of the newest segment, kept in a file outside of the log's folder. Each segment names the one before it, so a
 * missing one is found by its successor; the newest has none, and without this file its loss would pass for a log that
 * ended earlier.
 *
 * The file is written after the segment is durable and before anything is written to it. It may name an older segment than
 * the newest (a crash came in between), never one that was not there. If it is missing or broken itself, nothing is known,
 * and it is written anew.
 */
import { dirname } from 'node:path';
import { type Disk, DiskError } from '../../disk/disk.ts';
import { crc32 } from '../../wire/crc32.ts';
import { damageError, type LogDamageError } from '../frames/damage.ts';
import { HeldDirectory } from './held-directory.ts';
import { formatSegmentName, parseSegmentName, type SegmentName, temporaryName } from '../frames/format.ts';

/** More than the file ever has. */
const READ_BYTES = 128;

export class NewestName {
  readonly #disk: Disk;
  readonly #path: string | undefined;
  readonly #directory: HeldDirectory | undefined;
  /** What the file names. */
  #noted: SegmentName | undefined;

  private constructor(disk: Disk, path: string | undefined, noted: SegmentName | undefined) {
    this.#disk = disk;
    this.#path = path;
    this.#directory = path === undefined ? undefined : new HeldDirectory(disk, dirname(path));
    this.#noted = noted;
  }

  /** @param path of the file; `undefined`: there is to be none, and nothing is known. */
  static async read(disk: Disk, path: string | undefined): Promise<NewestName> {
    return new NewestName(disk, path, path === undefined ? undefined : await readNewestName(disk, path));
  }

  /** Whether there is a whole file. */
  get isKnown(): boolean {
    return this.#noted !== undefined;
  }

  /**
   * @param newest the newest segment in the folder of the log; `undefined`: there is none.
   * @returns what is wrong when the folder does not reach as far as it did.
   */
  missing(directory: string, newest: SegmentName | undefined): LogDamageError | undefined {
    const noted = this.#noted;
    if (noted === undefined || (newest !== undefined && !isBefore(newest, noted))) return undefined;
    const path = `${directory}/${formatSegmentName(noted)}`;
    return damageError(path, 0, 'the newest segment of the log is missing', noted.firstRevision - 1);
  }

  /** A segment is durable, and nothing was written to it. When this resolves, the file names it, durably. */
  async note(name: SegmentName): Promise<void> {
    // A start on a full disk has no room to write it again.
    if (this.#noted !== undefined && formatSegmentName(this.#noted) === formatSegmentName(name)) return;
    await this.prepare(name);
    await this.place(name);
  }

  /** Does all of `note` that needs a descriptor or space: the file stays what it is. */
  async prepare(name: SegmentName): Promise<void> {
    if (this.#path === undefined) return;
    await this.#directory?.hold();
    const temporary = temporaryName(this.#path);
    await this.#disk.remove(temporary);
    const file = await this.#disk.create(temporary);
    try {
      await file.write(Buffer.from(contentOf(name), 'latin1'), 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Ends what `prepare` has begun. */
  async place(name: SegmentName): Promise<void> {
    if (this.#path === undefined || this.#directory === undefined) return;
    await this.#disk.rename(temporaryName(this.#path), this.#path);
    await (await this.#directory.hold()).sync();
    this.#noted = name;
  }

  async close(): Promise<void> {
    await this.#directory?.close();
  }
}

/** `undefined` when there is no such file, or not a whole one. */
async function readNewestName(disk: Disk, path: string): Promise<SegmentName | undefined> {
  const buffer = Buffer.alloc(READ_BYTES);
  let bytes: number;
  try {
    const file = await disk.open(path, 'read');
    try {
      bytes = await file.read(buffer, 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof DiskError && error.code === 'notFound') return undefined;
    throw error;
  }
  const text = buffer.toString('latin1', 0, bytes);
  const [fileName = ''] = text.split(' ');
  const name = parseSegmentName(fileName);
  return name !== undefined && text === contentOf(name) ? name : undefined;
}

function isBefore(a: SegmentName, b: SegmentName): boolean {
  return a.firstRevision < b.firstRevision || (a.firstRevision === b.firstRevision && a.part < b.part);
}

function contentOf(name: SegmentName): string {
  const fileName = formatSegmentName(name);
  return `${fileName} ${crc32(Buffer.from(fileName, 'latin1')).toString(16)}\n`;
}
