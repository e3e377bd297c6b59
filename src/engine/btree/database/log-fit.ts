/**
 * Whether SQLite's log belongs to the database beside it. SQLite does not ask: it puts the pages of any log over those of the file, and one
 * that goes on from another state than the file has gives a mixture of both.
 *
 * Each commit raises the number in the header of the database (`user_version`), so page 1 is in each transaction of a log:
 *
 *     the file of commit 7    a log of commits 8, 9   ->  9    the log goes on from the file
 *     the file of commit 8    a log of commits 8, 9   ->  9    some of it was copied into the file, or all
 *     the file of commit 6    a log of commits 8, 9   ->  refused: commit 7 is missing
 *     the file of commit 10   a log of commits 8, 9   ->  refused: the log is the older one
 *
 * A log is emptied, or begun anew, only when all of it was copied into the file, which is synced by then. What of it is copied before a
 * crash is copied again. Page 1 may be among that or not: then the file has the number of a commit in the log, or the one before all.
 *
 * A log that is gone is not told from one that was emptied: SQLite removes it where the last connection is closed. What was in it and not in the file
 * is missing then, and the file has the state of the commit up to which it was copied, whole, since a copy ends with a commit and is synced. That state
 * is older than the store's log was cut for, or it is not: then all that is missing is in the store's log and is applied again; else the start finds the gap
 * and refuses it (`store/recovery/base-recovery.ts`). What neither tells is a log that is removed by hand after a crash in the middle of a copy: the file has pages of
 * two commits then. So nothing of the folder is to be removed while there is no process (docs/operations.md).
 *
 * What counts is what SQLite would read: frames of the log up to its last commit, each of which fits the checksum of all before it. A
 * database and a log that an older version of KelpDB has written have 0 everywhere. https://sqlite.org/fileformat2.html#walformat
 */
import { DiskError, type Disk, type DiskFile } from '../../../disk/disk.ts';
import { LOG_FRAME_HEAD_BYTES, LOG_NAME } from './schema.ts';
import { damaged } from './sqlite-error.ts';

/** Of the database, the first bytes of page 1. */
const HEADER_BYTES = 100;
const COMMIT_NUMBER_AT = 60;

const LOG_HEADER_BYTES = 32;
/** With the lowest bit set the words of a checksum are big-endian; the fields always are. */
const MAGIC = 0x377f_0682;
const PAGE_SIZE_AT = 8;
const SALTS_AT = 16;
const SALTS_BYTES = 8;
const HEADER_SUMS_AT = 24;

/** Of a frame, before the page. */
const PAGE_NUMBER_AT = 0;
/** Pages of the database behind a commit; 0: this frame is not the last of one. */
const COMMIT_AT = 4;
const FRAME_SALTS_AT = 8;
const FRAME_SUMS_AT = 16;

const FRAMES_PER_READ = 64;

/** Of SQLite; a log that says something else has nothing for it. */
const PAGE_BYTES_MIN = 512;
const PAGE_BYTES_MAX = 65_536;

/** Of the commits in a log. */
interface Commits {
  /** The numbers of the first and of the last; 0: none of them has page 1. */
  first: number;
  last: number;
}

/**
 * Looks at a database that nothing has open. Changes nothing.
 * @param folder of the database
 * @throws StoreError `damaged` @throws DiskError
 */
export async function checkLogFits(path: string, folder: string, disk: Disk): Promise<void> {
  const commits = await withFile(disk, `${folder}/${LOG_NAME}`, readCommits);
  if (commits === undefined) return;
  const { first, last } = commits;
  const own = await withFile(disk, path, readCommitNumber);
  if (own !== undefined && own >= first - 1 && own <= last) return;
  const ownSaid = own === undefined ? 'has no header' : `is of commit ${own}`;
  const logSaid = last === 0 ? 'has none of those that KelpDB makes' : `has the commits ${first} to ${last}`;
  throw damaged(
    path,
    `it does not fit its log ${LOG_NAME}: the database ${ownSaid}, and the log ${logSaid}`,
    `put all files of ${folder} back from one copy`,
  );
}

/** `undefined`: it is too short for a database. */
async function readCommitNumber(file: DiskFile): Promise<number | undefined> {
  const header = Buffer.alloc(HEADER_BYTES);
  if ((await file.read(header, 0)) < HEADER_BYTES) return undefined;
  return header.readUInt32BE(COMMIT_NUMBER_AT);
}

/** `undefined`: there are none, and SQLite looks at nothing of the log. */
async function readCommits(file: DiskFile): Promise<Commits | undefined> {
  const header = Buffer.alloc(LOG_HEADER_BYTES);
  if ((await file.read(header, 0)) < LOG_HEADER_BYTES) return undefined;
  const magic = header.readUInt32BE();
  if ((magic & ~1) !== MAGIC) return undefined;
  const sums = new RunningSums((magic & 1) === 1);
  sums.add(header, 0, HEADER_SUMS_AT);
  const pageBytes = header.readUInt32BE(PAGE_SIZE_AT);
  if (!sums.are(header, HEADER_SUMS_AT) || pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX) {
    return undefined;
  }
  const frameBytes = LOG_FRAME_HEAD_BYTES + pageBytes;
  const frames = Buffer.alloc(FRAMES_PER_READ * frameBytes);
  let commits: Commits | undefined;
  /** Of what is not committed yet. */
  let number = 0;
  for (let position = LOG_HEADER_BYTES; ;) {
    const byteCount = await file.read(frames, position);
    for (let at = 0; at + frameBytes <= byteCount; at += frameBytes) {
      const saltsAt = at + FRAME_SALTS_AT;
      if (header.compare(frames, saltsAt, saltsAt + SALTS_BYTES, SALTS_AT, SALTS_AT + SALTS_BYTES) !== 0) {
        return commits;
      }
      sums.add(frames, at, FRAME_SALTS_AT);
      sums.add(frames, at + LOG_FRAME_HEAD_BYTES, pageBytes);
      if (!sums.are(frames, at + FRAME_SUMS_AT)) return commits;
      if (frames.readUInt32BE(at + PAGE_NUMBER_AT) === 1) {
        number = frames.readUInt32BE(at + LOG_FRAME_HEAD_BYTES + COMMIT_NUMBER_AT);
      }
      if (frames.readUInt32BE(at + COMMIT_AT) === 0) continue;
      commits ??= { first: number, last: number };
      commits.last = number;
    }
    if (byteCount < frames.length) return commits;
    position += byteCount;
  }
}

/** Checksums of a log, which go on from one frame to the next. */
class RunningSums {
  readonly #isLittleEndian: boolean;
  #first = 0;
  #second = 0;

  constructor(isBigEndian: boolean) {
    this.#isLittleEndian = !isBigEndian;
  }

  /** @param byteCount a multiple of 8 */
  add(bytes: Buffer, start: number, byteCount: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, byteCount);
    let [first, second] = [this.#first, this.#second];
    for (let at = 0; at < byteCount; at += 8) {
      first = (first + view.getUint32(at, this.#isLittleEndian) + second) | 0;
      second = (second + view.getUint32(at + 4, this.#isLittleEndian) + first) | 0;
    }
    [this.#first, this.#second] = [first, second];
  }

  /** Whether they are those that stand at a place. */
  are(bytes: Buffer, at: number): boolean {
    return bytes.readInt32BE(at) === this.#first && bytes.readInt32BE(at + 4) === this.#second;
  }
}

/** `undefined`: there is no such file, or what `read` says. */
async function withFile<Result>(
  disk: Disk,
  path: string,
  read: (file: DiskFile) => Promise<Result | undefined>,
): Promise<Result | undefined> {
  let file: DiskFile;
  try {
    file = await disk.open(path, 'read');
  } catch (error) {
    if (error instanceof DiskError && error.code === 'notFound') return undefined;
    throw error;
  }
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}
