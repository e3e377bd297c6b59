/**
 * Backups: the state at one revision as the bytes of a snapshot file, made block by block as they are read. A backup
 * holds no older versions, so it costs the store nothing but those that writes supersede while it is being read.
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
    const { clock, log } = this.#source;
    const checkpoint = new Checkpoint(
      this.#source,
      this.#source.lastRevision(),
      clock.nowMs() + fixed.backupMsMax,
      'a backup',
    );
    const encoder = new SnapshotEncoder();
    try {
      // A backup must not hold what a crash could still undo.
      await log.flush();
      yield* pieces(encoder.begin(checkpoint.header));
      for (;;) {
        this.#checkOpen();
        const block = await checkpoint.next();
        if (block === undefined) break;
        const section = await encoder.block(block.bytes, block.itemCount);
        checkpoint.giveBack(block);
        yield* pieces(section);
      }
      yield* pieces(encoder.finish());
    } finally {
      encoder.close();
      checkpoint.release();
    }
  }
}

/** Cuts what is too long. */
function* pieces(section: Buffer): Generator<Uint8Array> {
  for (let start = 0; start < section.length; start += PIECE_BYTES_MAX) {
    yield section.subarray(start, start + PIECE_BYTES_MAX);
  }
}
