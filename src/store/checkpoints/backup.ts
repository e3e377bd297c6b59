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
}

/** A state that is backed up. */
interface BackupState {
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
    try {
      yield* this.#read();
    } finally {
      this.#count--;
    }
    return undefined;
  }

  async *#read(): AsyncGenerator<Uint8Array, void> {
    const { durable } = this.#context.engine;
    const viewed = durable && this.#canView ? await this.#view(durable) : undefined;
    if (viewed !== undefined) return yield* this.#encode(viewed);
    this.#walkCount++;
    try {
      yield* this.#encode(await this.#walk());
    } finally {
      this.#walkCount--;
    }
  }

  async *#encode(state: BackupState): AsyncGenerator<Uint8Array, void> {
    const encoder = new SnapshotEncoder();
    try {
      yield* handOut(encoder.begin(state.header), state);
      for (;;) {
        this.#context.checkOpen();
        const block = await state.next();
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
  async #view(durable: DurableState): Promise<ViewedState | undefined> {
    try {
      return await this.#viewOf(durable);
    } catch (error) {
      this.#context.checkOpen();
      if (isStoreError(error, 'closed')) throw error;
      // What is wrong with the disk was told by the checkpoint.
      return undefined;
    }
  }

  async #viewOf(durable: DurableState): Promise<ViewedState | undefined> {
    const { clock, leases, log } = this.#context;
    const revision = this.#context.lastRevision();
    const header = headerOf(this.#context, revision, revision);
    const walk = leases.openWalk();
    let view: StateView | undefined;
    try {
      // What a crash could still undo must not be in it, the leases among that.
      await Promise.all([log.flush(), this.#context.checkpoint()]);
      // No files have this revision, and there are no keys.
      if (revision === 0) return new ViewedState(clock, { header, leases: walk, view });
      view = await durable.view();
      if (view?.revision === revision) return new ViewedState(clock, { header, leases: walk, view });
      walk.close();
      return view && new ViewedState(clock, { ...notesOf(view), view });
    } catch (error) {
      walk.close();
      await view?.close();
      throw error;
    }
  }

  /**
   * A backup must not hold what a crash could still undo, so what it begins at is flushed first. When the log has failed, or
   * does so with that, the backup is of the visible revision instead: what reads show, and what there is to be saved.
   */
  async #walk(): Promise<Checkpoint> {
    const { log } = this.#context;
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
    this.#context.checkOpen();
    return this.#checkpoint();
  }

  /** Of the newest revision, without older versions. */
  #checkpoint(): Checkpoint {
    const pinned = { holder: 'a backup', msMax: fixed.backupMsMax } as const;
    return new Checkpoint(this.#context, fixed.integerMax, pinned);
  }
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
