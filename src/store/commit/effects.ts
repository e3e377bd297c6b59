/** Changes as the log has them (effects), and back: what a log record did to keys and to leases. */
import type {
  EffectShape,
  PutEffectShape,
  TouchEffectShape,
} from '../../../gen/kelp/storage/v1/log_codec.ts';
import { DeleteReason as DeleteReasonNumber } from '../../../gen/kelp/v1/watch_pb.ts';
import type { Change, Version } from '../../engine/version.ts';
import { assert } from '../../errors.ts';
import type { PlannedChange } from '../views/draft.ts';
import { fromIncarnation } from '../history/incarnations.ts';
import type { DeleteReason } from '../../api.ts';

const NO_BYTES = new Uint8Array(0);

const reasonNumber: Readonly<Record<DeleteReason, number>> = {
  requested: DeleteReasonNumber.REQUESTED,
  expired: DeleteReasonNumber.EXPIRED,
  leaseExpired: DeleteReasonNumber.LEASE_EXPIRED,
  leaseRevoked: DeleteReasonNumber.LEASE_REVOKED,
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

export function toEffect(change: PlannedChange): EffectShape {
  switch (change.type) {
    case 'put':
      return { effect: { case: 'put', value: change } };
    case 'touch':
      return { effect: { case: 'touch', value: change } };
    case 'delete':
      assert(change.reason !== undefined, 'a delete has a reason');
      return { effect: { case: 'delete', value: { key: change.key, reason: reasonNumber[change.reason] } } };
  }
}

export function leaseEffect(leaseId: number, ttlMs: number, deadlineMs: number): EffectShape {
  return { effect: { case: 'lease', value: { leaseId, ttlMs, deadlineMs } } };
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

/** The change that a put made at `revision`. */
export function putChange(effect: PutEffectShape, revision: number): Change {
  return {
    key: effect.key,
    revision,
    deleted: false,
    value: effect.value,
    kind: effect.kind,
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
    kind: before.kind,
    createRevision: effect.createRevision,
    modRevision: effect.modRevision,
    version: effect.version,
    leaseId: effect.leaseId,
    ttlMs: effect.ttlMs,
    expireTimeMs: effect.expireTimeMs,
  };
}

/** A deletion of `key` at `revision`. */
export function deletion(key: Uint8Array, revision: number): Change {
  return {
    key,
    revision,
    deleted: true,
    value: NO_BYTES,
    kind: 0,
    createRevision: 0,
    modRevision: 0,
    version: 0,
    leaseId: 0,
    ttlMs: 0,
    expireTimeMs: 0,
  };
}
