/**
 * Backups: the state at one revision as the bytes of a snapshot file, made block by block as they are read, without older versions.
 *
 * - Of an engine in memory it is a walk (`checkpoint.ts`), which costs the store nothing but the versions that writes supersede
 *   meanwhile. One that is read slowly gives way when the store needs that memory for writes (`history/pins.ts`).
 * - Of an engine on disk it is what the files hold (`viewed-state.ts`), behind a checkpoint that has all that was committed at the call. So
 *   it holds up neither writes nor later checkpoints. Where there can be no checkpoint, since the log has failed or the disk is full, or no
 *   view, it is a walk as well.
 *
 * The leases are those of the call, as long as the files are at the revision of the call: lease notes have no revisions. Else others have
 * made a later checkpoint meanwhile, and its notes have them.
 */
import { DiskError } from '../../disk/disk.ts';
import { isStoreError, StoreError } from '../../errors.ts';
import type { DurableState, StateView } from '../../engine/engine.ts';
import { fixed } from '../../limits.ts';
import { SnapshotEncoder } from '../../snapshot/encoder.ts';
import type { CheckpointBlock } from './block-writer.ts';
import type { LeaseCopy } from '../leases/lease-walk.ts';
import { Checkpoint, headerOf, type CheckpointSource } from './checkpoint.ts';
import { decodeNotes } from './checkpoint-notes.ts';
import { type LeasePages, ViewedState, type ViewedStateParts } from './viewed-state.ts';

/** The longest piece that is handed out. */
const PIECE_BYTES_MAX = 1024 * 1024;

export interface BackupContext extends CheckpointSource {
  /** Throws when the store is closed. */
  checkOpen(): void;
  /** Of an engine on disk: makes sure that its files have all that was committed before the call. */
  checkpoint(): Promise<unknown>;
  /** A backup has failed with this, or could not be of the files. */
  noteFailure(error: unknown): void;
}

/** A state that is backed up. */
interface BackupState {
  readonly revision: number;
  readonly header: Buffer;
  next(): Promise<CheckpointBlock | undefined>;
  giveBack(block: CheckpointBlock): void;
  waitForReader(): void;
  goOn(): void;
  release(): void | Promise<void>;
}

export class Backups {
  readonly #context: BackupContext;
  #count = 0;
  /** Those of an engine on disk among them that hold up checkpoints. */
  #walkCount = 0;
  /** Called when a walk begins: a checkpoint that is waited for may come to its end behind it alone. */
  readonly #waiting = new Set<() => void>();

  constructor(context: BackupContext) {
    this.#context = context;
  }

  /** A backup of the revision that is the newest when it is first read, or of a later one. */
  async *open(): AsyncGenerator<Uint8Array, undefined> {
    this.#context.checkOpen();
    if (this.#count >= fixed.backupsMax) {
      throw new StoreError(
        'limitReached',
        `${fixed.backupsMax} backups are being read; wait for one of them`,
      );
    }
    this.#count++;
    // Also when it is lost: its reader may have gone away without a word.
    const over = once(() => this.#count--);
    try {
      yield* this.#read(over);
    } catch (error) {
      this.#context.noteFailure(error);
      throw error;
    } finally {
      over();
    }
    return undefined;
  }

  /** @param onLost is called when it is not kept any more. */
  async *#read(onLost: () => void): AsyncGenerator<Uint8Array, void> {
    const { durable } = this.#context.engine;
    const viewed = durable && this.#canView ? await this.#view(durable, onLost) : undefined;
    if (viewed !== undefined) return yield* this.#encode(viewed);
    this.#walkCount++;
    for (const begun of this.#waiting) begun();
    const over = once(() => this.#walkCount--);
    try {
      yield* this.#encode(
        await this.#walk(() => {
          over();
          onLost();
        }),
      );
    } finally {
      over();
    }
  }

  async *#encode(state: BackupState): AsyncGenerator<Uint8Array, void> {
    const encoder = new SnapshotEncoder();
    try {
      yield* handOut(encoder.begin(state.header), state);
      for (;;) {
        this.#context.checkOpen();
        const block = await nextOf(state);
        if (block === undefined) break;
        const section = await encoder.block(block.bytes, block.itemCount);
        state.giveBack(block);
        yield* handOut(section, state);
      }
      yield* handOut(encoder.finish(), state);
    } finally {
      encoder.close();
      await state.release();
    }
  }

  /** Behind a walk no checkpoint would come to its end. */
  get #canView(): boolean {
    return this.#context.log.failure === undefined && this.#walkCount === 0;
  }

  /** @returns `undefined`: it is to be a walk. */
  async #view(durable: DurableState, onLost: () => void): Promise<ViewedState | undefined> {
    try {
      return await this.#viewOf(durable, onLost);
    } catch (error) {
      this.#context.checkOpen();
      if (isStoreError(error, 'closed')) throw error;
      // What else is wrong with the disk was told by the checkpoint.
      this.#context.noteFailure(error);
      return undefined;
    }
  }

  async #viewOf(durable: DurableState, onLost: () => void): Promise<ViewedState | undefined> {
    const { clock, leases, log } = this.#context;
    const revision = this.#context.lastRevision();
    const header = headerOf(this.#context, revision, revision);
    const walk = leases.openWalk();
    let view: StateView | undefined;
    const viewed = (parts: ViewedStateParts): ViewedState => new ViewedState(clock, parts, onLost);
    try {
      // What a crash could still undo must not be in it, the leases among that.
      const [isMade] = await Promise.all([this.#checkpointBeforeWalks(), log.flush()]);
      // No files have revision 0, and there are no keys.
      if (isMade && revision > 0) view = await durable.view();
      if (isMade && (revision === 0 || view?.revision === revision))
        return viewed({ header, leases: walk, view });
      walk.close();
      return view && viewed({ ...notesOf(view), view });
    } catch (error) {
      walk.close();
      await view?.close();
      throw error;
    }
  }

  /** @returns whether it is made; false: a walk has begun, which it may have to wait for. */
  #checkpointBeforeWalks(): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const begun = (): void => resolve(false);
      this.#waiting.add(begun);
      void this.#context
        .checkpoint()
        .then(() => resolve(true), reject)
        .finally(() => this.#waiting.delete(begun));
    });
  }

  /**
   * A backup must not hold what a crash could still undo, so what it begins at is flushed first. When the log has failed, or
   * does so with that, the backup is of the visible revision instead: what reads show, and what there is to be saved.
   */
  async #walk(onLost: () => void): Promise<Checkpoint> {
    const { log } = this.#context;
    if (log.failure === undefined) {
      const checkpoint = this.#checkpoint(onLost);
      try {
        await log.flush();
        return checkpoint;
      } catch (error) {
        checkpoint.release();
        if (log.failure === undefined) throw error;
      }
    }
    this.#context.checkOpen();
    return this.#checkpoint(onLost);
  }

  /** Of the newest revision, without older versions. */
  #checkpoint(onLost: () => void): Checkpoint {
    const pinned = { holder: 'a backup', msMax: fixed.backupMsMax, onLost } as const;
    return new Checkpoint(this.#context, fixed.integerMax, pinned);
  }
}

/** The error of a disk names a path of the server, and no call: what has failed is the backup. */
async function nextOf(state: BackupState): Promise<CheckpointBlock | undefined> {
  try {
    return await state.next();
  } catch (error) {
    if (!(error instanceof DiskError) && !isStoreError(error, 'readFailed')) throw error;
    const text = `the backup of revision ${state.revision} could not be read: ${error.message}; begin again`;
    throw new StoreError('snapshotFailed', text, { cause: error });
  }
}

function once(run: () => void): () => void {
  let isRun = false;
  return () => {
    if (!isRun) run();
    isRun = true;
  };
}

/** What the checkpoint of a view noted of the rest of the state. */
function notesOf({ notes, revision }: StateView): Omit<ViewedStateParts, 'view'> {
  const read = decodeNotes(notes);
  if (read === undefined) throw new StoreError('damaged', `the notes of revision ${revision} are missing`);
  return { header: read.header, leases: pagesOf(read.leases) };
}

function pagesOf(leases: readonly LeaseCopy[]): LeasePages {
  let start = 0;
  return {
    next: (limit) => {
      const page = leases.slice(start, start + limit);
      start += limit;
      return page.length === 0 ? undefined : page;
    },
    close: () => undefined,
  };
}

/** In pieces, since it may be too long; while one is with the reader, the backup waits. */
function* handOut(section: Buffer, state: BackupState): Generator<Uint8Array> {
  for (let start = 0; start < section.length; start += PIECE_BYTES_MAX) {
    state.waitForReader();
    yield section.subarray(start, start + PIECE_BYTES_MAX);
    state.goOn();
  }
}
