/** Changes as the log has them (effects), and back: what a log record did to keys and to leases. */
import type {
  EffectShape,
  LeaseEffectShape,
  PutEffectShape,
  TouchEffectShape,
} from '../../../gen/kelp/storage/v1/log_codec.ts';
import { DeleteReason as DeleteReasonNumber } from '../../../gen/kelp/v1/watch_pb.ts';
import type { Change, Version } from '../../engine/version.ts';
import { assert } from '../../errors.ts';
import type { PlannedChange } from '../views/planned-change.ts';
import type { SweepMark } from '../collections/sweeper.ts';
import { fromIncarnation } from '../history/incarnations.ts';
import type { DeleteReason } from '../../api.ts';

const reasonNumber: Readonly<Record<DeleteReason, number>> = {
  requested: DeleteReasonNumber.REQUESTED,
  expired: DeleteReasonNumber.EXPIRED,
  leaseExpired: DeleteReasonNumber.LEASE_EXPIRED,
  leaseRevoked: DeleteReasonNumber.LEASE_REVOKED,
  evicted: DeleteReasonNumber.EVICTED,
};

const reasonByNumber = new Map<number, DeleteReason>(
  Object.entries(reasonNumber).map(([reason, number]) => [number, reason as DeleteReason]),
);

/** Whether the number of a log record stands for a reason. */
export function isDeleteReason(number: number): boolean {
  return reasonByNumber.has(number);
}

export function toDeleteReason(number: number): DeleteReason {
  const reason = reasonByNumber.get(number);
  assert(reason !== undefined, `${number} is no reason of a delete`);
  return reason;
}

/** The effects of one record, one record after the other, without an object for each change. */
export class EffectRow {
  /** Of the record that is being put together, once it is sealed. */
  readonly effects: EffectShape[] = [];
  readonly #spares: ChangeEffect[] = [];
  #count = 0;
  #sparesUsed = 0;

  begin(): void {
    this.#count = 0;
    this.#release();
  }

  push(effect: EffectShape): void {
    this.effects[this.#count++] = effect;
  }

  pushChange(change: PlannedChange): void {
    const spare = (this.#spares[this.#sparesUsed++] ??= { effect: { case: 'put', value: NOTHING } });
    const { effect } = spare;
    effect.case = change.type;
    if (change.type === 'delete') {
      assert(change.reason !== undefined, 'a delete has a reason');
      effect.value = { key: change.key, reason: reasonNumber[change.reason] };
    } else {
      effect.value = change;
    }
    this.push(spare as EffectShape);
  }

  /** All effects of the record are there. */
  seal(): void {
    // An array that is emptied gives its memory back, and takes it again for the next record.
    if (this.effects.length > this.#count) this.effects.length = this.#count;
  }

  /** The record is written: keys and values are let go of. */
  end(): void {
    this.#release();
  }

  #release(): void {
    for (let index = 0; index < this.#sparesUsed; index++) {
      const spare = this.#spares[index];
      if (spare !== undefined) spare.effect.value = NOTHING;
    }
    this.#sparesUsed = 0;
    if (this.#spares.length <= SPARES_MAX) return;
    this.#spares.length = SPARES_MAX;
    this.effects.length = 0;
  }
}

/** An effect that can be another one later: the case says which of the shapes the value has. */
interface ChangeEffect {
  readonly effect: { case: PlannedChange['type']; value: object };
}

const NOTHING = {};
const SPARES_MAX = 1024;

export function leaseEffect({ leaseId, ttlMs, deadlineMs, owner }: LeaseEffectShape): EffectShape {
  return { effect: { case: 'lease', value: { leaseId, ttlMs, deadlineMs, owner } } };
}

export function leaseEndEffect(leaseId: number): EffectShape {
  return { effect: { case: 'leaseEnd', value: { leaseId } } };
}

export function compactEffect(oldestRevision: number): EffectShape {
  return { effect: { case: 'compact', value: { oldestRevision } } };
}

export function incarnationEffect(id: string): EffectShape {
  return { effect: { case: 'incarnation', value: { id: fromIncarnation(id) } } };
}

export function collectionIdsEffect(end: number): EffectShape {
  return { effect: { case: 'collectionIds', value: { end } } };
}

export function sweptEffect({ collectionId, revision }: SweepMark): EffectShape {
  return { effect: { case: 'swept', value: { collectionId, revision } } };
}

/** The change that a put made at `revision`. */
export function putChange(effect: PutEffectShape, revision: number): Change {
  return {
    key: effect.key,
    revision,
    deleted: false,
    value: effect.value,
    kind: effect.kind,
    collectionId: effect.collectionId,
    createRevision: effect.createRevision,
    modRevision: revision,
    version: effect.version,
    leaseId: effect.leaseId,
    ttlMs: effect.ttlMs,
    expireTimeMs: effect.expireTimeMs,
  };
}

/** The change that a touch made at `revision` to what was there before. */
export function touchChange(effect: TouchEffectShape, revision: number, before: Version): Change {
  return {
    key: effect.key,
    revision,
    deleted: false,
    value: before.value,
    kind: effect.kind,
    collectionId: effect.collectionId,
    createRevision: effect.createRevision,
    modRevision: effect.modRevision,
    version: effect.version,
    leaseId: effect.leaseId,
    ttlMs: effect.ttlMs,
    expireTimeMs: effect.expireTimeMs,
  };
}
