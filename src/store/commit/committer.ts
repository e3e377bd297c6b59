/**
 * The one place where a transaction becomes real: it takes the next revision, goes into the log's current batch, into the
 * engine and the lease table, and is queued to become visible.
 *
 * The log comes first: it may refuse (full buffer, failed disk), and then nothing has changed.
 *
 * The first transaction of a life of the store says so in its record, and is flushed before it is acknowledged or visible,
 * whatever the policy. So a place that was ever shown is in the log after a crash, or its life is known up to where it is.
 */
import {
  prependRecord,
  sizeOfRecord,
  type EffectShape,
  type RecordShape,
} from '../../../gen/kelp/storage/v1/log_codec.ts';
import type { Clock } from '../../clock.ts';
import type { Engine } from '../../engine/engine.ts';
import { assert } from '../../errors.ts';
import type { Log } from '../../wal/log.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { incarnationEffect, toEffect } from './effects.ts';
import type { PlannedChange } from '../views/draft.ts';
import type { Incarnations } from '../history/incarnations.ts';
import { toKeyText } from '../views/keys.ts';
import type { LeaseTable } from '../leases/lease-table.ts';
import type { StagedChanges, WatchHub } from '../watch/watch-hub.ts';

export interface CommitterContext {
  readonly log: Log;
  readonly engine: Engine;
  readonly leases: LeaseTable;
  readonly clock: Clock;
  readonly hub: WatchHub;
  readonly acknowledgements: Acknowledgements<StagedChanges>;
  readonly incarnations: Incarnations;
}

/** Where the store begins to write, and as which of its lives. */
export interface CommitterStart {
  readonly lastRevision: number;
  readonly lastTimeMs: number;
  readonly incarnation: string;
}

const NO_EFFECTS: readonly EffectShape[] = [];

export class Committer {
  readonly #context: CommitterContext;
  readonly #incarnation: string;
  #lastRevision: number;
  #lastTimeMs: number;
  /** Whether this life of the store has written a transaction. */
  #hasBegun = false;

  constructor(context: CommitterContext, { lastRevision, lastTimeMs, incarnation }: CommitterStart) {
    this.#context = context;
    this.#incarnation = incarnation;
    this.#lastRevision = lastRevision;
    this.#lastTimeMs = lastTimeMs;
  }

  /** The newest revision that was taken, visible or not. */
  get lastRevision(): number {
    return this.#lastRevision;
  }

  /**
   * Commits a transaction.
   * @param leaseEffects leases made or ended in it; the caller changes the lease table afterwards.
   * @returns its revision.
   */
  commit(changes: readonly PlannedChange[], leaseEffects = NO_EFFECTS): number {
    const { engine, leases, hub, acknowledgements } = this.#context;
    const revision = this.#lastRevision + 1;
    const effects: EffectShape[] = this.#hasBegun ? [] : [incarnationEffect(this.#incarnation)];
    for (const change of changes) effects.push(toEffect(change));
    for (const effect of leaseEffects) effects.push(effect);
    const timeMs = this.#timeMs();
    const sequence = this.#append(revision, timeMs, effects, leases.size > 0 || leaseEffects.length > 0);
    this.#lastRevision = revision;
    if (!this.#hasBegun) this.#begin(revision, sequence);
    for (const change of changes) {
      engine.apply(change);
      if (change.leaseId !== change.previousLeaseId) {
        leases.move(toKeyText(change.key), change.previousLeaseId, change.leaseId);
      }
    }
    acknowledgements.committed(sequence, revision, hub.stage(revision, timeMs, changes));
    return revision;
  }

  /** Writes a note: effects that take no revision, or only the lease clock. */
  note(effects = NO_EFFECTS): void {
    this.#append(0, this.#timeMs(), effects, this.#context.leases.size > 0);
  }

  #begin(firstRevision: number, sequence: number): void {
    const { log, incarnations } = this.#context;
    this.#hasBegun = true;
    log.requireFlush(sequence);
    incarnations.begin({ firstRevision, id: this.#incarnation });
  }

  #append(revision: number, timeMs: number, effects: readonly EffectShape[], hasClock: boolean): number {
    const { log, leases } = this.#context;
    const record: RecordShape = {
      revision,
      timeMs,
      leaseClockMs: hasClock ? leases.clockMs() : 0,
      effects: effects as EffectShape[],
    };
    const size = sizeOfRecord(record);
    const offset = log.reserve(size);
    const start = prependRecord(record, log.buffer, offset + size);
    assert(start === offset, 'a log record has the size that was reserved for it');
    return log.commit(revision);
  }

  /** The time of a record never goes back, even if the clock does. */
  #timeMs(): number {
    this.#lastTimeMs = Math.max(this.#lastTimeMs, this.#context.clock.nowMs());
    return this.#lastTimeMs;
  }
}
