/**
 * Backups: the state at one revision as the bytes of a snapshot file, made block by block as they are read. A backup
 * holds no older versions, so it costs the store nothing but those that writes supersede while it is being read. One that
 * is read slowly gives way when the store needs that memory for writes (`history/pins.ts`).
 */
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { SnapshotEncoder } from '../../snapshot/encoder.ts';
import { Checkpoint, type CheckpointSource } from './checkpoint.ts';

/** The longest piece that is handed out. */
const PIECE_BYTES_MAX = 1024 * 1024;

export class Backups {
  readonly #source: CheckpointSource;
  /** Throws when the store is closed. */
  readonly #checkOpen: () => void;
  #count = 0;

  constructor(source: CheckpointSource, checkOpen: () => void) {
    this.#source = source;
    this.#checkOpen = checkOpen;
  }

  /** A backup of the revision that is the newest when it is first read. */
  async *open(): AsyncGenerator<Uint8Array, undefined> {
    this.#checkOpen();
    if (this.#count >= fixed.backupsMax) {
      throw new StoreError(
        'limitReached',
        `${fixed.backupsMax} backups are being read; wait for one of them`,
      );
    }
    this.#count++;
    try {
      yield* this.#read();
    } finally {
      this.#count--;
    }
    return undefined;
  }

  async *#read(): AsyncGenerator<Uint8Array, void> {
    const checkpoint = await this.#begin();
    const encoder = new SnapshotEncoder();
    try {
      yield* handOut(encoder.begin(checkpoint.header), checkpoint);
      for (;;) {
        this.#checkOpen();
        const block = await checkpoint.next();
        if (block === undefined) break;
        const section = await encoder.block(block.bytes, block.itemCount);
        checkpoint.giveBack(block);
        yield* handOut(section, checkpoint);
      }
      yield* handOut(encoder.finish(), checkpoint);
    } finally {
      encoder.close();
      checkpoint.release();
    }
  }

  /**
   * A backup must not hold what a crash could still undo, so what it begins at is flushed first. When the log has failed, or
   * does so with that, the backup is of the visible revision instead: what reads show, and what there is to be saved.
   */
  async #begin(): Promise<Checkpoint> {
    const { log } = this.#source;
    if (log.failure === undefined) {
      const checkpoint = this.#checkpoint();
      try {
        await log.flush();
        return checkpoint;
      } catch (error) {
        checkpoint.release();
        if (log.failure === undefined) throw error;
      }
    }
    this.#checkOpen();
    return this.#checkpoint();
  }

  /** Of the newest revision, without older versions. */
  #checkpoint(): Checkpoint {
    const pinned = { holder: 'a backup', msMax: fixed.backupMsMax } as const;
    return new Checkpoint(this.#source, fixed.integerMax, pinned);
  }
}

/** In pieces, since it may be too long; while one is with the reader, the backup waits. */
function* handOut(section: Buffer, checkpoint: Checkpoint): Generator<Uint8Array> {
  for (let start = 0; start < section.length; start += PIECE_BYTES_MAX) {
    checkpoint.waitForReader();
    yield section.subarray(start, start + PIECE_BYTES_MAX);
    checkpoint.goOn();
  }
}
