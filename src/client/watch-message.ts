/** Requests and messages of a watch, in their plain form and from and to that of the protocol. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Event as EventMessage, WatchRequestSchema } from '../../gen/kelp/v1/watch_pb.ts';
import { DeleteReason as ReasonNumber, EventType as TypeNumber } from '../../gen/kelp/v1/watch_pb.ts';
import type { EventType } from '../arguments/requests.ts';
import { Entry, toEntry } from './entry.ts';
import type { KelpError } from './error.ts';
import { incompleteReply } from './reply.ts';
import { toRange } from './request.ts';
import { toDuration, toInt64, toNumber } from './scalar.ts';
import type { KeyRange } from './types.ts';

export type { EventType } from '../arguments/requests.ts';

export type DeleteReason = 'requested' | 'expired' | 'leaseExpired' | 'leaseRevoked';

export interface WatchRequest {
  /** Left out or empty: all keys. A key in several ranges gives one event. */
  readonly ranges?: readonly KeyRange[];
  /** The first revision to send, inclusive; 0 (default): only what comes from now on. */
  readonly startRevision?: number;
  /**
   * The store that `startRevision` belongs to, as `synced` told it: with another one the watch throws `otherStore`. Left
   * out: that of the first connection. Over its reconnections a watch never goes on with another store unsaid.
   */
  readonly storeId?: string;
  /**
   * The incarnation that wrote the revision before `startRevision`, as the messages of a watch told it (or a page, or
   * `status`): where another one wrote it, the watch throws `historyDiffers`, since what lies before is not what was seen.
   * Left out: that is not looked at. Over its reconnections a watch never goes on in another history unsaid.
   */
  readonly incarnation?: string;
  /** The present entries first. Not with `startRevision`. */
  readonly includeCurrent?: boolean;
  /** Left out or empty: `put` and `delete`. */
  readonly eventTypes?: readonly EventType[];
  /** Entries come with an empty value. */
  readonly keysOnly?: boolean;
  /** Each event carries the entry as it was before. */
  readonly returnPrevious?: boolean;
  /** How often `progress` comes while there is no event. Default 10000, at least 100. */
  readonly progressIntervalMs?: number;
  /**
   * The keys and values that the events of one revision may hold, since they are handed out together. Default 256 MiB;
   * with more the watch ends with `limitReached`.
   */
  readonly revisionBytesMax?: number;
  /** Aborting it ends the watch; the loop ends without an error. */
  readonly signal?: AbortSignal;
  /**
   * When the watch can't go on where it broke off (the revision is compacted, or the server has another store by now,
   * say a restored backup, or another history of the same one), begin again with the present entries: first comes `restarted`, then `current` and so on.
   * Default false: such a watch ends, with `compacted` or an error.
   */
  readonly restartWhenLost?: boolean;
  /** Called when the connection broke and the watch will try to go on: once, however many tries it takes; for logs. */
  readonly onInterrupted?: (error: KelpError) => void;
  /** Called once the server sends again. */
  readonly onResumed?: () => void;
}

/**
 * What a watch says. First `current` (if asked for, any number), then `synced` once, then the rest. `incarnation` is the
 * one that wrote `revision`: another watch goes on behind that with both, and with the store's id.
 */
export type WatchMessage =
  /** Some of the present entries, in key order within each range. */
  | {
      readonly kind: 'current';
      readonly entries: Entry[];
      readonly revision: number;
      readonly incarnation: string;
    }
  /** Everything up to `revision` of this store has been sent; what follows is live. */
  | {
      readonly kind: 'synced';
      readonly revision: number;
      readonly incarnation: string;
      readonly storeId: string;
    }
  /** All events of one revision. */
  | {
      readonly kind: 'events';
      readonly revision: number;
      readonly incarnation: string;
      readonly commitTimeMs: number;
      readonly events: WatchEvent[];
    }
  /** Everything up to `revision` has been sent; there was nothing for a while. */
  | { readonly kind: 'progress'; readonly revision: number; readonly incarnation: string }
  /**
   * What has been sent so far is void: the present entries come anew. `interrupted` when the connection broke before
   * `synced`, `lost` as `restartWhenLost` says.
   */
  | { readonly kind: 'restarted'; readonly reason: 'interrupted' | 'lost' }
  /** The last message: the events from `requestedRevision` on are not kept any more. */
  | {
      readonly kind: 'compacted';
      readonly requestedRevision: number;
      readonly oldestRevision: number;
      readonly newestRevision: number;
    };

export type WatchEvent =
  /** The entry of a touch has an empty value. */
  | {
      readonly type: 'put' | 'touch';
      readonly entry: Entry;
      readonly previous: Entry | undefined;
      /** The put took the place of an entry whose time to live had ended: its end has no event, and there is no previous entry. */
      readonly replacedExpired?: true;
    }
  | {
      readonly type: 'delete';
      readonly key: string;
      /** The revision of the delete. */
      readonly modRevision: number;
      readonly reason: DeleteReason;
      readonly previous: Entry | undefined;
    };

const numberByType: Record<EventType, TypeNumber> = {
  put: TypeNumber.PUT,
  delete: TypeNumber.DELETE,
  touch: TypeNumber.TOUCH,
};

const reasonByNumber = new Map<ReasonNumber, DeleteReason>([
  [ReasonNumber.REQUESTED, 'requested'],
  [ReasonNumber.EXPIRED, 'expired'],
  [ReasonNumber.LEASE_EXPIRED, 'leaseExpired'],
  [ReasonNumber.LEASE_REVOKED, 'leaseRevoked'],
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

export function toWatchRequest(
  request: WatchRequest,
  start: WatchStart,
): MessageInitShape<typeof WatchRequestSchema> {
  return {
    ranges: (request.ranges ?? []).map(toRange),
    startRevision: toInt64(start.startRevision),
    storeId: start.storeId,
    incarnation: start.incarnation,
    includeCurrent: start.includeCurrent,
    eventTypes: (request.eventTypes ?? []).map((type) => numberByType[type]),
    keysOnly: request.keysOnly ?? false,
    returnPrevious: request.returnPrevious ?? false,
    ...(request.progressIntervalMs !== undefined && {
      progressInterval: toDuration(request.progressIntervalMs),
    }),
  };
}

export function toEvent({ type, entry, previous, deleteReason, replacedExpired }: EventMessage): WatchEvent {
  if (entry === undefined) throw incompleteReply('the entry of an event');
  switch (type) {
    case TypeNumber.PUT:
      return {
        type: 'put',
        entry: new Entry(entry),
        previous: toEntry(previous),
        ...(replacedExpired ? { replacedExpired } : {}),
      };
    case TypeNumber.TOUCH:
      return { type: 'touch', entry: new Entry(entry), previous: toEntry(previous) };
    case TypeNumber.DELETE: {
      const reason = reasonByNumber.get(deleteReason);
      if (reason === undefined) throw incompleteReply('a known reason of a delete');
      const modRevision = toNumber(entry.modRevision);
      return { type: 'delete', key: entry.key, modRevision, reason, previous: toEntry(previous) };
    }
    default:
      throw incompleteReply('a known type of an event');
  }
}

/** The bytes that an event holds in memory, roughly: those of its keys and values. */
export function eventBytes({ entry, previous }: EventMessage): number {
  const entryBytes = entry === undefined ? 0 : entry.key.length + entry.value.length;
  return previous === undefined ? entryBytes : entryBytes + previous.key.length + previous.value.length;
}

export function toTimeMs(time: Parameters<typeof timestampMs>[0] | undefined): number {
  return time === undefined ? 0 : timestampMs(time);
}
