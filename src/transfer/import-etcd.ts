/**
 * `importFromEtcd`: copies the keys of an etcd at one revision to a store, then follows its changes from there until told to stop.
 *
 * - The copy is written in batches, as an import of a file is (`batches/batch-writer.ts`); it is whole when it is done.
 * - What is followed is written revision by revision, none of them in part (`etcd/revision-writer.ts`).
 * - Keys of leases have times to live in their stead. Copied once, they end when their lease would end that is not renewed;
 *   followed, they live for as long as it does (`etcd/leased-keys.ts`).
 * - Who was told to stop goes on with `fromRevision`, for as long as etcd keeps that revision.
 */
import { type Clock, holdProcess, systemClock } from '../clock.ts';
import type { OnProgress } from '../progress.ts';
import { BatchWriter } from './batches/batch-writer.ts';
import {
  type EtcdEntry,
  type EtcdFailureKind,
  type EtcdSource,
  isEtcdFailure,
} from './contract/etcd-source.ts';
import type { FollowTarget } from './contract/stores.ts';
import {
  type ImportProgress,
  TransferError,
  type TransferErrorCode,
  messageOf,
} from './contract/transfer-error.ts';
import type { OnConflict } from './contract/words.ts';
import { type ReadOptions, copyAll, pagesOf } from './etcd/copy.ts';
import { type FollowOptions, type FollowState, Follower } from './etcd/follow.ts';
import { LeaseEnds } from './etcd/lease-ends.ts';
import { LeasedKeys } from './etcd/leased-keys.ts';
import { PatientTarget } from './etcd/patient-target.ts';
import { RevisionWriter } from './etcd/revision-writer.ts';

export interface EtcdImportOptions extends Omit<FollowOptions, 'clock' | 'onState'> {
  readonly onConflict: OnConflict;
  /** Reads and checks everything, writes nothing and follows nothing. */
  readonly isDryRun: boolean;
  /** Whether to go on once all is copied. */
  readonly follows: boolean;
  /** Copies nothing and follows from this revision on: the one behind the last that is in. */
  readonly fromRevision: number | undefined;
  readonly onProgress: OnProgress;
  /** Called once all is copied, before anything is followed. */
  readonly onCopied: (copied: EtcdCopy) => Promise<void>;
  readonly onState: (state: FollowState) => void;
  /** The store is not there and is waited for. */
  readonly onStoreInterrupted: (error: unknown) => void;
}

export interface EtcdCopy extends Pick<ImportProgress, 'writtenCount' | 'skippedCount' | 'expiredCount'> {
  /** The revision of etcd that was copied. */
  readonly revision: number;
}

export interface EtcdImport extends FollowState {
  /** `undefined`: nothing was to be copied. */
  readonly copied: EtcdCopy | undefined;
}

/**
 * Aborting the signal while it follows is no error.
 * @param clock for tests.
 * @throws TransferError
 */
export async function importFromEtcd(
  target: FollowTarget,
  source: EtcdSource,
  options: EtcdImportOptions,
  clock: Clock = systemClock,
): Promise<EtcdImport> {
  // While etcd is not there, nothing else does.
  const held = holdProcess();
  try {
    return await new EtcdImporter(target, source, options, clock).run();
  } finally {
    held.cancel();
  }
}

class EtcdImporter {
  readonly #source: EtcdSource;
  readonly #options: EtcdImportOptions;
  readonly #clock: Clock;
  readonly #target: FollowTarget;
  readonly #patient: FollowTarget;
  readonly #ends: LeaseEnds;
  readonly #leased: LeasedKeys;
  #progress: ImportProgress | undefined;

  constructor(target: FollowTarget, source: EtcdSource, options: EtcdImportOptions, clock: Clock) {
    this.#target = target;
    this.#source = source;
    this.#options = options;
    this.#clock = clock;
    const { signal, onStoreInterrupted: onFailure } = options;
    this.#patient = new PatientTarget(target, { clock, signal, onFailure });
    this.#ends = new LeaseEnds(source, clock);
    this.#leased = new LeasedKeys(this.#patient, source, this.#ends, clock);
  }

  async run(): Promise<EtcdImport> {
    const { fromRevision, follows, isDryRun, onCopied } = this.#options;
    let state: FollowState | undefined;
    try {
      const copied = fromRevision === undefined ? await this.#copy() : undefined;
      if (copied !== undefined) await onCopied(copied);
      const revision = copied?.revision ?? (fromRevision ?? 1) - 1;
      if (copied === undefined) await this.#goOnBehind(revision);
      state = { revision, etcdRevision: revision, changeCount: 0, revisionCount: 0 };
      if (follows && !isDryRun) {
        const writer = new RevisionWriter(this.#patient, this.#leased, revision, this.#clock);
        const parts = { leased: this.#leased, ends: this.#ends };
        const follower = new Follower(this.#source, writer, parts, { ...this.#options, clock: this.#clock });
        try {
          await follower.run();
        } finally {
          state = follower.state;
        }
      }
      return { ...state, copied };
    } catch (error) {
      throw errorOf(error, this.#options, this.#progress, state);
    }
  }

  async #copy(): Promise<EtcdCopy> {
    const { onConflict, isDryRun, follows, signal, onProgress } = this.#options;
    const writer = new BatchWriter(this.#target, { onConflict, isDryRun, clock: this.#clock }, 0);
    this.#progress = writer.done;
    const isFollowed = follows && !isDryRun;
    const endMsOf = (leaseId: bigint): number =>
      isFollowed ? this.#leased.endMs(leaseId) : (this.#ends.endMs(leaseId) ?? 0);
    const onPage = async (entries: readonly EtcdEntry[], revision: number): Promise<void> => {
      if (!isFollowed) return;
      for (const { key, leaseId } of entries) if (leaseId !== 0n) this.#leased.set(key, leaseId);
      if (!this.#leased.isDue) return;
      // What is renewed is to be there.
      await writer.flush();
      await this.#leased.renew(revision, signal);
    };
    const copied = { endMsOf, onPage, onProgress };
    const revision = await copyAll(this.#source, writer, this.#ends, copied, this.#readOptions);
    const { writtenCount, skippedCount, expiredCount } = writer.done;
    return { revision, writtenCount, skippedCount, expiredCount };
  }

  /** Finds the keys of leases that were copied or followed by an import before this one. */
  async #goOnBehind(revision: number): Promise<void> {
    const { signal } = this.#options;
    const newest = await this.#source.page({ revision: 0, limit: 1, keysOnly: true }, signal);
    if (newest.revision < revision) {
      throw new TransferError(
        'invalidArgument',
        `etcd is at revision ${newest.revision}; what is followed can begin with ${newest.revision + 1} at most, not with ${revision + 1}`,
      );
    }
    // Before the first revision there was nothing.
    if (revision === 0) return;
    for await (const { entries } of pagesOf(this.#source, { revision, keysOnly: true }, this.#readOptions)) {
      const leased = entries.filter(({ leaseId }) => leaseId !== 0n);
      await this.#ends.learn(
        leased.map(({ leaseId }) => leaseId),
        signal,
      );
      for (const { key, leaseId } of leased) this.#leased.set(key, leaseId);
    }
    this.#leased.expectAll();
  }

  get #readOptions(): ReadOptions {
    const { signal, onInterrupted } = this.#options;
    return { clock: this.#clock, signal, onInterrupted };
  }
}

const codeByKind: Readonly<Record<EtcdFailureKind, TransferErrorCode>> = {
  unavailable: 'sourceUnavailable',
  compacted: 'revisionLost',
  refused: 'sourceFailed',
  tooLong: 'sourceFailed',
  other: 'sourceFailed',
};

function errorOf(
  error: unknown,
  { signal, fromRevision }: EtcdImportOptions,
  done: ImportProgress | undefined,
  state: FollowState | undefined,
): TransferError {
  const options = { cause: error, ...(done !== undefined && { done: { ...done } }) };
  const progress =
    state === undefined ? copyText(done) : `revision ${state.revision} of etcd is in, with all before it`;
  if (signal.aborted)
    return new TransferError('interrupted', `the import was broken off; ${progress}`, options);
  if (isEtcdFailure(error, 'compacted')) {
    const advice =
      state === undefined && fromRevision === undefined
        ? 'let it keep more until the copy is done (--auto-compaction-retention), or copy fewer keys'
        : 'what was changed between is lost; copy it anew into a store without these keys';
    return new TransferError(
      'revisionLost',
      `etcd has compacted what is to be read next: ${error.message}; ${advice}; ${progress}`,
      options,
    );
  }
  if (isEtcdFailure(error))
    return new TransferError(codeByKind[error.kind], `${error.message}; ${progress}`, options);
  if (error instanceof TransferError) {
    return new TransferError(error.code, `${error.message}; ${progress}`, { ...options, cause: error.cause });
  }
  return new TransferError('failed', `${messageOf(error)}; ${progress}`, options);
}

function copyText(done: ImportProgress | undefined): string {
  const count = done?.writtenCount ?? 0;
  if (count === 0) return 'nothing was written';
  return `the copy is not whole, ${count} keys of it are written; begin again with a store without them`;
}
