/**
 * A read replica while its store is open: it follows a running server for ever, and never writes.
 *
 *     connecting --> following --> connecting --> ...
 *          |             |
 *          +-------------+----> ended: what comes next is no longer in the server's log, or the disk fails
 *
 * - connecting: what is here is shown to those who ask for no more; the server is tried again and again.
 * - following: what comes is accepted, and is shown once it is in the log here.
 * - ended: the store is to be closed and opened again, which gets a snapshot if that is what it lacks.
 *
 * A server that has another store, or has gone back to an earlier state, is not followed: the operator is told, reads that are to be the
 * newest are refused, and it is asked again, since it may have been the wrong server for a moment.
 */
import type { Clock, Timer } from '../../clock.ts';
import { StoreError } from '../../errors.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { cluster as limits } from '../../limits.ts';
import { Fifo } from '../../store/fifo.ts';
import type { StoreHead } from '../../store/replication/record-feed.ts';
import { notWriterError } from '../../wal/segments/overtaken.ts';
import type { ClusterEvent } from '../cluster-event.ts';
import type { ClusterNode, NodeStatus } from '../node.ts';
import { Lag } from '../reads/lag.ts';
import { pause } from '../waits/pause.ts';
import { type FollowedServer, FollowError, type FollowErrorCode } from './followed-server.ts';
import type { ReplicaJournal } from './replica-journal.ts';
import { ReplicaReads } from './replica-reads.ts';

export interface RunningReplicaParts {
  readonly store: KvStore;
  readonly journal: ReplicaJournal;
  readonly server: FollowedServer;
  readonly clock: Clock;
  /** Where this one is reached. */
  readonly address: string;
  /** Of the server, in which the store was in step with it; '': that is not known. */
  readonly life: string;
  /** The operator was told so of the server before; `undefined`: it was reached. */
  readonly toldCode: FollowErrorCode | undefined;
  /** Of the newest snapshot here. */
  readonly snapshotPosition: () => number;
  readonly onEvent: (event: ClusterEvent) => void;
}

/** What the server has told of itself, and what must be visible here before that is true here. */
interface Told {
  readonly sequence: number;
  readonly head: StoreHead;
}

export class RunningReplica implements ClusterNode {
  readonly role = 'follower';
  readonly isReadOnly = true;
  readonly writerRedisAddress = '';
  readonly ended: Promise<Error>;
  readonly #parts: RunningReplicaParts;
  readonly #end = new AbortController();
  readonly #resolveEnded: (error: Error) => void;
  readonly #lag: Lag;
  readonly #reads: ReplicaReads;
  readonly #told = new Fifo<Told>();
  /** Of the server, when it last said that all up to there was given. */
  #life: string;
  /** Since when the server is not followed, and why, as far as that was told; `undefined`: it is. */
  #silence: { readonly sinceMs: number; readonly code: FollowErrorCode | undefined } | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(parts: RunningReplicaParts) {
    this.#parts = parts;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    const { server, store, clock, onEvent, toldCode } = parts;
    this.#life = parts.life;
    this.#silence = { sinceMs: clock.monotonicMs(), code: toldCode };
    this.#lag = new Lag(clock, store.seam.visibleRevision, onEvent);
    this.#reads = new ReplicaReads({
      server,
      signal: this.#end.signal,
      visibleRevision: () => store.seam.visibleRevision,
      onHead: (head, revisionBefore) => this.#heard(head, revisionBefore),
      onReached: (head) => this.#standAt(head),
    });
  }

  /** Begins to follow. */
  start(): void {
    this.#running = Promise.allSettled([this.#follow(), this.#ask()]);
  }

  get writerAddress(): string {
    return this.#parts.server.address;
  }

  readBarrier(signal?: AbortSignal): Promise<void> {
    return this.#reads.barrier(signal);
  }

  reached(revision: number, signal?: AbortSignal): Promise<void> {
    return this.#reads.reached(revision, signal);
  }

  status(): NodeStatus {
    const { store, address, snapshotPosition, clock } = this.#parts;
    // While it does not follow, what it lacks is not known: it may be all of that time.
    const silentMs = this.#silence === undefined ? 0 : clock.monotonicMs() - this.#silence.sinceMs;
    const position = store.seam.visibleRevision;
    return {
      role: this.role,
      epoch: 0,
      writerAddress: this.writerAddress,
      position,
      logPosition: Math.max(this.#lag.logPosition, position),
      lagMs: Math.max(this.#lag.ms, silentMs),
      takeoverCount: 0,
      logBytes: 0,
      logBytesMax: 0,
      nodes: [{ address, position, snapshotPosition: snapshotPosition() }],
    };
  }

  takeReport(): void {
    throw notWriterError(this.writerAddress);
  }

  handOver(): Promise<void> {
    return Promise.reject(notWriterError(this.writerAddress));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Of the journal: more is visible. */
  placed(): void {
    const { journal, store } = this.#parts;
    this.#lag.reached(store.seam.visibleRevision);
    this.#reads.moved();
    for (let next = this.#told.peek(); next !== undefined && next.sequence <= journal.durableSequence;) {
      this.#told.shift();
      this.#isAt(next.head);
      next = this.#told.peek();
    }
  }

  /** Of the journal: it has failed for good. */
  failed(error: Error): void {
    this.#ends(error);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#end;
    try {
      for (;;) {
        await this.#followOnce(signal);
        await pause(this.#parts.clock, limits.retryMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) this.#ends(error as Error);
    }
  }

  /** Until the stream breaks. Rejects with what ends the replica. */
  async #followOnce(signal: AbortSignal): Promise<void> {
    const { server, journal, store, clock } = this.#parts;
    const silent = new AbortController();
    let timer: Timer | undefined;
    const expectStep = (): void => {
      timer?.cancel();
      timer = clock.setTimer(limits.followSilenceMs, () =>
        silent.abort(new FollowError('unavailable', 'it has been silent for too long')),
      );
    };
    const { storeId } = journal;
    const after = journal.placeOf(store.seam.incarnationOf(journal.lastRevision), this.#life);
    try {
      expectStep();
      const steps = server.follow({ storeId, after }, AbortSignal.any([signal, silent.signal]));
      for await (const { records, head } of steps) {
        // What is done here says nothing of the server.
        timer?.cancel();
        if (head !== undefined) this.#heard(head, store.seam.visibleRevision);
        if (records.length > 0) await journal.accept(records);
        if (head !== undefined) this.#tells(head);
        signal.throwIfAborted();
        expectStep();
      }
      this.#silent(new FollowError('unavailable', 'it has ended the stream of its records'));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FollowError) || error.code === 'trimmed') throw error;
      this.#silent(error);
    } finally {
      timer?.cancel();
    }
  }

  /** How far the server is, it is asked beside the stream, which may have much to bring before it comes to that. */
  async #ask(): Promise<void> {
    const { server, clock, store } = this.#parts;
    const { signal } = this.#end;
    for (;;) {
      await pause(clock, limits.reportMs, signal);
      const { visibleRevision } = store.seam;
      try {
        this.#heard(await server.head({ signal, timeoutMs: limits.barrierMsMax }), visibleRevision);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof FollowError)) return this.#ends(error as Error);
        this.#silent(error);
      }
    }
  }

  /**
   * Throws a `FollowError` for a server that is not to be followed.
   * @param revisionBefore what was visible here before the server was asked: more may have come while its answer was on its way.
   */
  #heard(head: StoreHead, revisionBefore: number): void {
    const fault = faultOf(head, this.#parts.journal.storeId, revisionBefore);
    if (fault !== undefined) {
      this.#silent(fault);
      throw fault;
    }
    this.#lag.heard(head.revision);
  }

  /** Once what was accepted is visible, this is so here. */
  #tells(head: StoreHead): void {
    const { journal, onEvent, clock, server } = this.#parts;
    const silence = this.#silence;
    if (silence !== undefined) {
      this.#silence = undefined;
      const afterMs = clock.monotonicMs() - silence.sinceMs;
      onEvent({ kind: 'serverReachable', address: server.address, afterMs });
    }
    this.#life = head.life;
    const sequence = journal.committedSequence;
    if (sequence <= journal.durableSequence) this.#isAt(head);
    else this.#told.push({ sequence, head });
  }

  #isAt(head: StoreHead): void {
    this.#standAt(head);
    this.#reads.told(head);
  }

  #standAt({ timeMs, leaseClockMs }: StoreHead): void {
    if (!this.#end.signal.aborted) this.#parts.store.seam.standAt(timeMs, leaseClockMs);
  }

  #silent(error: FollowError): void {
    const { clock, server, onEvent } = this.#parts;
    if (error.code !== 'unavailable') this.#reads.refuse(error);
    if (this.#silence?.code === error.code) return;
    const sinceMs = this.#silence?.sinceMs ?? clock.monotonicMs();
    this.#silence = { sinceMs, code: error.code };
    const kind = error.code === 'unavailable' ? 'serverUnreachable' : 'serverRefused';
    onEvent({ kind, address: server.address, error });
  }

  #ends(error: Error): void {
    this.#end.abort(error);
    this.#reads.fail(error);
    this.#resolveEnded(error);
  }

  async #close(): Promise<void> {
    const closed = new StoreError('closed', 'the server stops');
    this.#end.abort(closed);
    this.#reads.fail(closed);
    this.#parts.server.close();
    await this.#running;
  }
}

/** Why a server is not to be followed by a store that has come to a revision; `undefined`: it is. */
export function faultOf(head: StoreHead, storeId: Uint8Array, revision: number): FollowError | undefined {
  if (Buffer.compare(head.storeId, storeId) !== 0)
    return new FollowError('otherStore', 'it serves another store than the one that is followed here');
  if (head.revision >= revision) return undefined;
  return new FollowError(
    'wentBack',
    `it is at revision ${head.revision}, and here is ${revision}: it was put back to an earlier state, or has lost writes. To follow it as it is now, stop this server, and start it with an empty data directory`,
  );
}
