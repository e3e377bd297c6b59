/**
 * A node of a cluster while its store is open.
 *
 *   follower --------------------------------> writer ----> ended
 *      |      the log says that it has won              ^
 *      +------------------------------------------------+
 *
 * - follower: it accepts what comes in the shared log (`LogFollower`), and looks for the time at which there is no writer (`Election`).
 * - writer: its store writes; it lets itself be heard (`beat`), looks whether its disk takes what it writes (`watchDisk`), and keeps the
 *   shared log short (`Trimmer`).
 * - ended: it was overtaken, has handed over, or has missed a part of the shared log, or its disk fails. Its state may hold what is not
 *   in the shared log, so its store is to be closed and opened again.
 */
import type { Clock, Random } from '../clock.ts';
import { StoreError } from '../errors.ts';
import { cluster as limits } from '../limits.ts';
import type { KvStore } from '../kv/kv-store.ts';
import { SharedLogError } from '../shared-log/shared-log-error.ts';
import type { LogHead, LogRecord, SharedLog } from '../shared-log/shared-log.ts';
import type { JournalPlace } from '../wal/journal.ts';
import type { Role } from './cluster-view.ts';
import type { ClusterEvent } from './cluster-event.ts';
import { Election } from './follower/election.ts';
import { LogFollower } from './follower/log-follower.ts';
import { sendReports } from './follower/reports.ts';
import { checkHasPlace } from './journal/other-history.ts';
import type { ReplicatedJournal } from './journal/replicated-journal.ts';
import type { ClusterNode, NodeReport, NodeStatus, Peers } from './node.ts';
import { parseNodeAddress } from './node-address.ts';
import { Lag } from './reads/lag.ts';
import { NodeReads } from './reads/node-reads.ts';
import { LogHealth } from './log-health.ts';
import { pause } from './waits/pause.ts';
import { beat } from './writer/heartbeats.ts';
import { watchDisk } from './writer/disk-watch.ts';
import { NodeTable } from './writer/node-table.ts';
import { Trimmer } from './writer/trimmer.ts';
import { DiskStalledError, notWriterError, OvertakenError } from '../wal/segments/overtaken.ts';

export interface RunningNodeParts {
  readonly store: KvStore;
  readonly journal: ReplicatedJournal;
  readonly sharedLog: SharedLog;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly random: Random;
  /** Where this node is reached: see `node-address.ts`. */
  readonly address: string;
  readonly failoverAfterMs: number;
  readonly sharedLogBytesMax: number;
  /** Of the newest batch that the newest snapshot on disk covers. */
  readonly snapshotPosition: () => number;
  readonly onEvent: (event: ClusterEvent) => void;
}

export class RunningNode implements ClusterNode {
  readonly isReadOnly = false;
  readonly ended: Promise<Error>;
  readonly #parts: RunningNodeParts;
  readonly #end = new AbortController();
  readonly #resolveEnded: (error: Error) => void;
  readonly #others: NodeTable;
  readonly #health: LogHealth;
  readonly #lag: Lag;
  readonly #reads: NodeReads;
  readonly #election: Election;
  #role: Role = 'follower';
  /** Of the writer. */
  #trimmer: Trimmer | undefined;
  #takeoverCount = 0;
  /** The newest one that the shared log has told. */
  #head: LogHead | undefined;
  #writer: string;
  #running: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(parts: RunningNodeParts) {
    this.#parts = parts;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    const { journal, sharedLog, clock, random, store, failoverAfterMs, onEvent } = parts;
    this.#writer = journal.newestPlace.writerAddress;
    this.#others = new NodeTable(clock);
    this.#health = new LogHealth(clock, onEvent);
    this.#lag = new Lag(clock, journal.place.position, onEvent);
    this.#reads = new NodeReads({
      sharedLog,
      signal: this.#end.signal,
      place: journal.place,
      visibleRevision: () => store.seam.visibleRevision,
      writerHead: () => (this.#role === 'writer' ? journal.head : undefined),
      onHead: (head) => this.#heardHead(head),
      onOvertaken: () => journal.stop(new OvertakenError('')),
    });
    this.#election = new Election({
      sharedLog,
      clock,
      random,
      failoverAfterMs,
      hasAccepted: (position) => journal.newestPlace.position === position,
      isVacant: () => this.#isVacant,
      onHead: (head) => this.#heardHead(head),
      onSilent: (error) => this.#health.silent(error),
    });
  }

  /** Begins to follow. */
  start(): void {
    this.#running = this.#run();
  }

  get role(): Role {
    return this.#role;
  }

  get writerAddress(): string {
    return parseNodeAddress(this.#writer).http;
  }

  get writerRedisAddress(): string {
    return parseNodeAddress(this.#writer).redis;
  }

  readBarrier(signal?: AbortSignal): Promise<void> {
    return this.#reads.barrier(signal);
  }

  reached(revision: number, signal?: AbortSignal): Promise<void> {
    return this.#reads.reached(revision, signal);
  }

  status(): NodeStatus {
    const { journal } = this.#parts;
    const others = this.#role === 'writer' ? this.#others.live : [];
    return {
      role: this.#role,
      epoch: journal.newestPlace.epoch,
      writerAddress: this.writerAddress,
      position: journal.place.position,
      logPosition: Math.max(this.#lag.logPosition, journal.newestPlace.position),
      lagMs: this.#role === 'writer' ? 0 : this.#lag.ms,
      takeoverCount: this.#takeoverCount,
      logBytes: this.#role === 'writer' ? (this.#trimmer?.bytes ?? 0) : 0,
      logBytesMax: this.#parts.sharedLogBytesMax,
      nodes: [this.#ownReport(), ...others],
    };
  }

  takeReport(report: NodeReport, nonce: string): void {
    if (this.#role !== 'writer') throw notWriterError(this.writerAddress);
    if (nonce !== this.#parts.journal.head?.nonce) throw noNodeError(report.address);
    this.#others.take(report);
  }

  async handOver(successorAddress = ''): Promise<void> {
    const { journal, onEvent } = this.#parts;
    if (!journal.isLeading || this.#role !== 'writer') throw notWriterError(this.writerAddress);
    await journal.handOver(successorAddress);
    onEvent({ kind: 'handedOver', epoch: journal.newestPlace.epoch });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Of the journal: batches have become durable here. */
  placed(place: JournalPlace): void {
    this.#reads.placed(place);
    this.#lag.reached(place.position);
  }

  /** Of the journal: a batch of this node is in the shared log. */
  stored(): void {
    this.#health.answered();
    this.#trimmer?.bound();
  }

  /** Of the journal: the shared log does not take a batch. */
  delayed(error: Error): void {
    this.#health.silent(error);
  }

  /** Of the journal: it has failed for good. */
  failed(error: Error): void {
    const { onEvent } = this.#parts;
    if (error instanceof DiskStalledError) onEvent({ kind: 'diskStalled', stalledMs: error.stalledMs });
    else if (error instanceof OvertakenError && this.#role === 'writer')
      onEvent({ kind: 'overtaken', error });
    this.#ends(error);
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    // It ends with the signal alone, whose reason is told by the others.
    const reports = sendReports(
      {
        ...this.#parts,
        writer: () => this.#reportedTo,
        report: () => ({
          ...this.#ownReport(),
          storeId: this.#parts.store.storeId,
          nonce: this.#head?.nonce ?? '',
        }),
      },
      signal,
    ).catch(() => undefined);
    try {
      const head = await this.#follow(signal);
      await this.#write(head, signal);
    } catch (error) {
      if (!signal.aborted) this.#ends(error as Error);
    }
    await reports;
  }

  /** Resolves with the head that this node has won. */
  async #follow(signal: AbortSignal): Promise<LogHead> {
    const { sharedLog, address, clock, journal } = this.#parts;
    for (;;) {
      const seen = await this.#untilVacant(signal);
      // The last batch may have come as the reading ended.
      if (journal.newestPlace.position !== seen.position) continue;
      checkHasPlace(seen, journal.newestPlace);
      try {
        const won = await sharedLog.takeOver(seen, address, { signal });
        if (won !== 'lost') return won;
        continue;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof SharedLogError) || !error.mayPass) throw error;
        this.#health.silent(error);
      }
      // Whether it has landed all the same is read in the log.
      await pause(clock, limits.retryMs, signal);
    }
  }

  /** Follows until the place of the writer is free, or seems to be. Nothing is read any more then. */
  async #untilVacant(signal: AbortSignal): Promise<LogHead> {
    const { sharedLog, clock, journal } = this.#parts;
    const end = new AbortController();
    const both = AbortSignal.any([signal, end.signal]);
    const follower = new LogFollower({
      sharedLog,
      clock,
      journal,
      onRecord: (record) => this.#accepted(record),
      onSilent: (error) => this.#health.silent(error),
    });
    const following = follower.run(both);
    const vacancy = this.#election.vacancy(both);
    try {
      return await Promise.race([vacancy, following]);
    } finally {
      end.abort();
      await Promise.allSettled([vacancy, following]);
    }
  }

  #accepted(record: LogRecord): void {
    const { journal, onEvent } = this.#parts;
    this.#heard(record.position);
    const { epoch, writerAddress } = journal.newestPlace;
    if (writerAddress === this.#writer) return;
    this.#writer = writerAddress;
    onEvent({ kind: 'writerChanged', epoch, writerAddress: this.writerAddress });
    if (writerAddress === '') this.#election.wake();
  }

  /** The last writer has handed over, to this node or to any. */
  get #isVacant(): boolean {
    const { epoch, writerAddress, successorAddress = '' } = this.#parts.journal.newestPlace;
    const isMeant =
      successorAddress === '' || successorAddress === parseNodeAddress(this.#parts.address).http;
    return epoch > 0 && writerAddress === '' && isMeant;
  }

  /** '': there is no writer, or none whose nonce is known. */
  get #reportedTo(): string {
    const isOfWriter = this.#head?.epoch === this.#parts.journal.newestPlace.epoch;
    return this.#role === 'writer' || !isOfWriter ? '' : this.writerAddress;
  }

  #heardHead(head: LogHead): void {
    // Answers may come out of order.
    if (head.epoch >= (this.#head?.epoch ?? 0)) this.#head = head;
    this.#heard(head.position);
  }

  #heard(position: number): void {
    this.#health.answered();
    this.#lag.heard(position);
  }

  /** Writes until the journal fails. */
  async #write(head: LogHead, signal: AbortSignal): Promise<void> {
    const { journal, store, address, clock, sharedLog, sharedLogBytesMax, onEvent } = this.#parts;
    const onStalled = (stalledMs: number): void => journal.stop(new DiskStalledError(stalledMs));
    const disk = watchDisk({ clock, journal, onStalled }, signal);
    await Promise.race([journal.lead(head, address), disk]);
    signal.throwIfAborted();
    this.#writer = address;
    this.#role = 'writer';
    this.#takeoverCount++;
    store.seam.becomeWriter(() => this.readBarrier());
    onEvent({ kind: 'tookOver', epoch: head.epoch, position: head.position });
    const trimmer = (this.#trimmer = new Trimmer({
      sharedLog,
      clock,
      bytesMax: sharedLogBytesMax,
      head: () => journal.head ?? head,
      others: this.#others,
      ownReport: () => this.#ownReport(),
      announce: () => journal.announce(),
      refuseWith: (error) => journal.refuseWith(error),
      onEvent,
    }));
    const parts = { journal, clock, heartbeat: () => store.seam.heartbeat() };
    const beats = beat({ ...parts, onStalled: (error) => this.#health.silent(error) }, signal);
    await Promise.race([beats, disk, trimmer.run(signal)]);
  }

  #ownReport(): NodeReport {
    const { address, journal, snapshotPosition } = this.#parts;
    return {
      address: parseNodeAddress(address).http,
      position: journal.place.position,
      snapshotPosition: snapshotPosition(),
    };
  }

  #ends(error: Error): void {
    this.#end.abort(error);
    this.#reads.fail(error);
    if (this.#role === 'writer') this.#writer = '';
    this.#role = 'follower';
    this.#resolveEnded(error);
  }

  async #close(): Promise<void> {
    const { journal, sharedLog, clock } = this.#parts;
    if (this.#role === 'writer' && journal.isLeading) {
      const late = new AbortController();
      await Promise.race([this.handOver(), pause(clock, limits.closeMsMax, late.signal)]).catch(
        () => undefined,
      );
      late.abort();
    }
    const closed = new StoreError('closed', 'the node is closed');
    this.#end.abort(closed);
    this.#reads.fail(closed);
    sharedLog.close();
    await this.#running;
  }
}

function noNodeError(address: string): StoreError {
  return new StoreError(
    'invalidArgument',
    `nonce: the report of the node at ${address} has not that of the writer, which all know that read the shared log of this cluster`,
  );
}
