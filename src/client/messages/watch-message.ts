/** Requests and events of a watch, from and to the form of the protocol. */
import type { EntryShape } from '../../../gen/kelp/v1/types_codec.ts';
import type { EventShape, WatchRequestShape } from '../../../gen/kelp/v1/watch_codec.ts';
import { DeleteReason as ReasonNumber, EventType as TypeNumber } from '../../../gen/kelp/v1/watch_codec.ts';
import type { DeleteReason, EventType } from '../../api.ts';
import { Entry, toEntry } from './entry.ts';
import { incompleteReply } from '../errors/error.ts';
import { keyOf } from './reply.ts';
import { toRange } from './request.ts';
import { toDuration } from './scalar.ts';
import type { WatchEvent, WatchRequest } from './types.ts';

const numberByType: Record<EventType, number> = {
  put: TypeNumber.PUT,
  delete: TypeNumber.DELETE,
  touch: TypeNumber.TOUCH,
};

const reasonByNumber = new Map<number, DeleteReason>([
  [ReasonNumber.REQUESTED, 'requested'],
  [ReasonNumber.EXPIRED, 'expired'],
  [ReasonNumber.LEASE_EXPIRED, 'leaseExpired'],
  [ReasonNumber.LEASE_REVOKED, 'leaseRevoked'],
  [ReasonNumber.EVICTED, 'evicted'],
]);

/** Where a watch begins: at a revision, or with the present entries, or with what comes next. */
export interface WatchStart {
  /** Empty: with whatever store it is. */
  readonly storeId: string;
  readonly startRevision: number;
  /** That wrote the revision before; empty: not known. */
  readonly incarnation: string;
  readonly includeCurrent: boolean;
}

export function toWatchRequest(request: WatchRequest, start: WatchStart): WatchRequestShape {
  const { progressIntervalMs } = request;
  return {
    ranges: (request.ranges ?? []).map(toRange),
    startRevision: start.startRevision,
    storeId: start.storeId,
    incarnation: start.incarnation,
    includeCurrent: start.includeCurrent,
    eventTypes: (request.eventTypes ?? []).map((type) => numberByType[type]),
    keysOnly: request.keysOnly ?? false,
    returnPrevious: request.returnPrevious ?? false,
    includeElements: request.includeElements ?? false,
    progressInterval: progressIntervalMs === undefined ? undefined : toDuration(progressIntervalMs),
  };
}

export function toEvent(event: EventShape): WatchEvent {
  const { type, entry, previous, deleteReason, replacedExpired, elements } = event;
  if (entry === undefined) throw incompleteReply('the entry of an event');
  switch (type) {
    case TypeNumber.PUT:
      return {
        type: 'put',
        entry: new Entry(entry),
        previous: toEntry(previous),
        ...(replacedExpired ? { replacedExpired } : {}),
        ...(elements === undefined ? {} : { elements }),
      };
    case TypeNumber.TOUCH:
      return { type: 'touch', entry: new Entry(entry), previous: toEntry(previous) };
    case TypeNumber.DELETE: {
      const reason = reasonByNumber.get(deleteReason);
      if (reason === undefined) throw incompleteReply('a known reason of a delete');
      const modRevision = entry.modRevision;
      return { type: 'delete', ...keyOf(entry), modRevision, reason, previous: toEntry(previous) };
    }
    default:
      throw incompleteReply('a known type of an event');
  }
}

/** The bytes that an event holds in memory, roughly: those of its keys and values. */
export function eventBytes({ entry, previous, elements }: EventShape): number {
  const changes = elements?.changes ?? [];
  return changes.reduce(
    (bytes, { name, value }) => bytes + name.length + value.length,
    entryBytes(entry) + entryBytes(previous),
  );
}

function entryBytes(entry: EntryShape | undefined): number {
  return entry === undefined ? 0 : entry.key.length + entry.keyBytes.length + entry.value.length;
}
