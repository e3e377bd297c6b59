/**
 * How much memory the state of a store may take, and what happens near the limit.
 *
 * What counts: the memory that the engine uses (keys, values, every version that history keeps, indexes, holes between
 * them, what walks keep), and the lease table with the keys in it, by an estimate. What does not count has bounds of its own: the
 * log's buffer (`unflushedBytesMax`); the changes kept for watches, visible or not yet (`recentChangesMax` of them with
 * `recentKeyBytesMax` of keys, each twice: some 40 MiB of V8's heap at most, and nothing while no watch is open); what watches share
 * (`sharedWatchBytesMax`); the messages of calls (`callBytesMax` of the server). The rest of V8's own heap has none.
 *
 * A write that adds a version and would pass the limit is refused before anything has changed. Deletes, expiry and the
 * ends of leases go on, though each adds a copy of what it removes until history lets go of it: what they free is the way out; a
 * delete in parts waits for that. Users, roles and tokens are written as well: who fills a store is shut out of one that is full.
 * They are few (`accessRecordsMax`). So the engine may pass the limit by what these add, by what one transaction adds, by what a
 * recovery finds, and by the one slab of each kind that is being emptied, whose blocks are there twice until it is given back
 * (`slabs.ts`): 32 MiB of versions at most.
 *
 * When memory is scarce (near the limit, or too little for a write that came a short while ago), history is cut short and
 * the engine gives back what it would keep otherwise (`maintenance.ts`). A write that finds no room does some of that work
 * itself first. So writes are refused only once the newest state alone is too large, while something holds history back
 * that the text of the refusal names, or for as long as the work takes, which the text says then. What a checkpoint gives back is
 * waited for (`commit/room-gate.ts`), but not while checkpoints fail: then writes are refused at once, and told why. What keys give back
 * that a memory policy evicts (`eviction.ts`) is waited for, too.
 */
import type { Clock } from '../../clock.ts';
import type { Engine } from '../../engine/engine.ts';
import type { EngineName } from '../../engine-names.ts';
import { noRoomIn, NoRoomYetError, RetryLaterError, StoreError } from '../../errors.ts';
import { fixed, limitName } from '../../limits.ts';
import type { LeaseTable } from '../leases/lease-table.ts';
import type { OperatorEvent } from '../operator-event.ts';

const MIB = 1024 * 1024;

export interface MemoryLimitContext {
  readonly engine: Engine;
  readonly engineName: EngineName;
  readonly leases: LeaseTable;
  readonly clock: Clock;
  readonly bytesMax: number;
  /** Does some of the work that makes room for so many bytes. @returns whether there is more of it to do. */
  makeRoom(byteCount: number): boolean;
  /** Whether keys may be evicted, which makes room by and by. */
  isEvicting(): boolean;
  /** What keeps history, and with it memory, from being given up. */
  heldBy(): string | undefined;
  onEvent(event: OperatorEvent): void;
}

export class MemoryLimit {
  readonly bytesMax: number;
  /** Why the last checkpoint could not be written: until one can, none gives memory back. */
  checkpointFailure: Error | undefined;
  readonly #context: MemoryLimitContext;
  readonly #scarceBytes: number;
  readonly #pressedBytes: number;
  #toldMs = -Infinity;
  /** What may be used: `bytesMax`, or nothing. */
  #openBytesMax: number;
  /** What a write needs that was refused, and until when room is made for it. */
  #wantedBytes = 0;
  #wantedUntilMs = -Infinity;

  constructor(context: MemoryLimitContext) {
    const { bytesMax } = context;
    this.#context = context;
    this.bytesMax = bytesMax;
    this.#openBytesMax = bytesMax;
    const reserveBytes = Math.min(bytesMax * fixed.memoryReserveShare, fixed.memoryReserveBytesMax);
    this.#scarceBytes = bytesMax - reserveBytes;
    this.#pressedBytes = this.#scarceBytes - reserveBytes;
    if (this.usedBytes > bytesMax) this.tell();
  }

  get usedBytes(): number {
    return this.#context.engine.memoryBytes + this.#context.leases.memoryBytes;
  }

  /** Whether so little is left that history should be given up for it. */
  get isScarce(): boolean {
    return this.usedBytes > this.#scarceBytes || this.isFull;
  }

  /** Whether changes should come more slowly, if that gives a checkpoint time to make room: sooner than memory is scarce. */
  get isPressed(): boolean {
    return this.usedBytes > this.#pressedBytes;
  }

  /**
   * Whether they have outrun the disk: memory is pressed, and what they took of it is given back by a checkpoint that is under way. Before
   * one is, waiting would not help: it begins only when so much has changed.
   */
  get isOutrun(): boolean {
    const { durable } = this.#context.engine;
    return this.isPressed && this.#isCheckpointing && durable?.sealedRevision !== 0;
  }

  /** Whether a write of late found no room, and still would not. */
  get isFull(): boolean {
    if (this.#wantedBytes === 0 || this.hasRoom(this.#wantedBytes)) return false;
    if (this.#context.clock.monotonicMs() >= this.#wantedUntilMs) this.#wantedBytes = 0;
    return this.#wantedBytes > 0;
  }

  /** How many bytes have to go until memory is not scarce any more. */
  get surplusBytes(): number {
    const { usedBytes } = this;
    const wantedBytes = this.isFull ? this.#wantedBytes : 0;
    return Math.max(usedBytes - this.#scarceBytes, usedBytes + wantedBytes - this.bytesMax);
  }

  hasRoom(byteCount: number): boolean {
    return this.usedBytes + byteCount <= this.#openBytesMax;
  }

  /** Whether what is free is kept for writes that wait for more than that (`commit/room-gate.ts`). */
  get keepsRoom(): boolean {
    return this.#openBytesMax < 0;
  }

  set keepsRoom(keepsRoom: boolean) {
    this.#openBytesMax = keepsRoom ? -1 : this.bytesMax;
  }

  /** Less than 0: more than the limit is taken. */
  get freeBytes(): number {
    return this.bytesMax - this.usedBytes;
  }

  /**
   * A transaction is about to have put so many bytes of keys and values.
   * @throws StoreError `limitReached` when there is no room for them; a `NoRoomYetError` where a checkpoint makes some.
   */
  admit(byteCount: number): void {
    if (this.hasRoom(byteCount)) return;
    // Whatever is given back: neither is history given up for it, nor is a checkpoint waited for.
    if (byteCount > this.bytesMax)
      throw noRoomIn(
        'memory',
        new StoreError(
          'limitReached',
          `this write needs ${inMiB(byteCount)}, and ${limitName('memoryBytesMax')} allows ${inMiB(this.bytesMax)} of memory in all: put less at once, or raise the limit`,
        ),
      );
    if (byteCount <= this.freeBytes)
      throw new NoRoomYetError(
        `the store uses ${inMiB(this.usedBytes)} of the ${inMiB(this.bytesMax)} of memory that ${limitName('memoryBytesMax')} allows, and the rest is kept for writes that came before, and wait for more: try again in a moment`,
        fixed.busyRetryMs,
        byteCount,
      );
    this.#wantedBytes = byteCount;
    this.#wantedUntilMs = this.#context.clock.monotonicMs() + fixed.memoryWantedMs;
    const isMoreToDo = this.#context.makeRoom(byteCount);
    if (this.hasRoom(byteCount)) return;
    const isWriting = this.#isCheckpointing;
    const isEvicting = this.#context.isEvicting();
    const failure = this.#hasChanges ? this.checkpointFailure : undefined;
    const advice =
      failure !== undefined
        ? this.#failing(failure)
        : isWriting
          ? this.#writing()
          : isEvicting
            ? EVICTING
            : isMoreToDo
              ? GIVING_BACK
              : this.#advice();
    const message = `the store uses ${inMiB(this.usedBytes)} of the ${inMiB(this.bytesMax)} of memory that ${limitName('memoryBytesMax')} allows, and this write needs ${inMiB(byteCount)} more; ${advice}`;
    if (isWriting || isEvicting) throw new NoRoomYetError(message, fixed.busyRetryMs, byteCount);
    this.tell();
    const isPassing = isMoreToDo && failure === undefined;
    throw noRoomIn(
      'memory',
      isPassing ? new RetryLaterError(message, fixed.busyRetryMs) : new StoreError('limitReached', message),
    );
  }

  /** Whether memory is given back that is worth waiting for. */
  get isGivingBack(): boolean {
    return this.#isCheckpointing || this.#context.isEvicting();
  }

  /** Whether a checkpoint gives some back: one is under way, or begins as soon as a write waits for it. */
  get #isCheckpointing(): boolean {
    return this.#hasChanges && this.checkpointFailure === undefined;
  }

  /** Whether the engine has changes in memory that are worth a checkpoint. */
  get #hasChanges(): boolean {
    return this.#changedBytes >= fixed.checkpointBytesMin;
  }

  get #changedBytes(): number {
    const { sealedBytes = 0, unsealedBytes = 0 } = this.#context.engine.durable ?? {};
    return sealedBytes + unsealedBytes;
  }

  #writing(): string {
    return `the engine ${this.#context.engineName} has ${inMiB(this.#changedBytes)} of changes to write to its files, which is under way: try again in a moment`;
  }

  #failing({ message }: Error): string {
    const retryS = fixed.checkpointRetryMs / 1000;
    return `the engine ${this.#context.engineName} has ${inMiB(this.#changedBytes)} of changes to write to its files, and its checkpoints fail: ${message}; see to the disk. One is tried every ${retryS} seconds, and writes go on with the first that succeeds`;
  }

  #advice(): string {
    const holder = this.#context.heldBy();
    const { engine, engineName } = this.#context;
    if (holder !== undefined || engine.durable === undefined) return adviceFor(holder);
    return engineName === 'bitcask'
      ? 'with the engine bitcask all keys must fit into memory: raise the limit, or restore a backup for the engine lsm or btree (kelp restore --engine), of which only what is read and written last is in memory'
      : `the engine ${engineName} needs that for its indexes, and for leases: raise the limit`;
  }

  /** Tells the operator that writes are refused, but not of each. */
  tell(): void {
    const nowMs = this.#context.clock.monotonicMs();
    if (nowMs - this.#toldMs < fixed.memoryFullEventMs) return;
    this.#toldMs = nowMs;
    this.#context.onEvent({ kind: 'memoryFull', usedBytes: this.usedBytes, limitBytes: this.bytesMax });
  }
}

const GIVING_BACK =
  'the memory of what was deleted and overwritten is being given back: try again in a moment';

const EVICTING = 'keys that have a time to live are being evicted for it: try again in a moment';

function adviceFor(holder: string | undefined): string {
  return holder === undefined
    ? 'delete keys, which goes on and frees memory within seconds, or raise the limit'
    : `what was deleted and overwritten is kept for ${holder}: wait until that is done, or gives way within ${fixed.fullPinMs / 1000} seconds if it is slow, or raise the limit`;
}

function inMiB(byteCount: number): string {
  return `${(byteCount / MIB).toFixed(1)} MiB`;
}
