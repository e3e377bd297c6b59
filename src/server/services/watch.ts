/** `kelp.v1.WatchService` over the store. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import {
  DeleteReason as DeleteReasonMessage,
  type EventSchema,
  EventType as EventTypeMessage,
  type WatchRequest as WatchRequestMessage,
  type WatchResponseSchema,
  type WatchService,
} from '../../../gen/kelp/v1/watch_pb.ts';
import { StoreError, isStoreError } from '../../errors.ts';
import type { DeleteReason, EventType, Store, WatchEvent, WatchMessage, WatchRequest } from '../../api.ts';
import { callOf } from '../calls.ts';
import { shuttingDownError } from '../errors.ts';
import { entriesBytes, entryBytes, entryMessage, optionalEntry } from './reply-entries.ts';
import { given, keyRange, milliseconds, wholeNumber } from './request-fields.ts';

export function watchService(store: () => Store): ServiceImpl<typeof WatchService> {
  return {
    async *watch(message, context) {
      const call = callOf(context);
      const { signal } = context;
      const request = watchRequest(message, signal);
      let resumeRevision = request.startRevision;
      const { storeId } = store();
      let isFirst = true;
      let incarnation = '';
      try {
        for await (const each of store().watch(request)) {
          if (!(await call.chargeMessage(messageBytes(each)))) break;
          const response = watchResponse(each);
          const isOther = each.incarnation !== incarnation;
          ({ incarnation } = each);
          yield isFirst || isOther ? { ...response, storeId: isFirst ? storeId : '', incarnation } : response;
          isFirst = false;
          // Asked for more: this one is written.
          call.releaseReply();
          resumeRevision = resumeAfter(each) ?? resumeRevision;
        }
      } catch (error) {
        // A store that closes ends its watches; when it is not the server that stops it, the signal tells nothing.
        if (isStoreError(error, 'closed')) throw shuttingDownError(resumeRevision);
        throw error;
      }
      // The client gone, its deadline passed, or the server stopping.
      if (call.isEndedByServer) throw shuttingDownError(resumeRevision);
      signal.throwIfAborted();
    },
  };
}

function watchRequest(
  message: WatchRequestMessage,
  signal: AbortSignal,
): WatchRequest & { startRevision: number } {
  const { storeId, incarnation, includeCurrent, keysOnly, returnPrevious } = message;
  return {
    ranges: message.ranges.map(keyRange),
    startRevision: wholeNumber('start_revision', message.startRevision),
    storeId,
    incarnation,
    includeCurrent,
    eventTypes: message.eventTypes.map(eventType),
    keysOnly,
    returnPrevious,
    ...given({ progressIntervalMs: milliseconds('progress_interval', message.progressInterval) }),
    signal,
  };
}

function eventType(type: EventTypeMessage): EventType {
  switch (type) {
    case EventTypeMessage.PUT:
      return 'put';
    case EventTypeMessage.DELETE:
      return 'delete';
    case EventTypeMessage.TOUCH:
      return 'touch';
    default:
      throw new StoreError('invalidArgument', `event_types has ${type}, which is no type of event`);
  }
}

/** The revision to begin at when the stream breaks after this message; `undefined`: as before it. */
function resumeAfter(message: WatchMessage): number | undefined {
  switch (message.kind) {
    case 'current':
      return undefined;
    case 'events':
      return message.moreFragments ? message.revision : message.revision + 1;
    case 'synced':
    case 'progress':
      return message.revision + 1;
  }
}

function watchResponse(message: WatchMessage): MessageInitShape<typeof WatchResponseSchema> {
  const revision = BigInt(message.revision);
  switch (message.kind) {
    case 'current': {
      const entries = message.entries.map(entryMessage);
      return { message: { case: 'current', value: { entries, revision } } };
    }
    case 'events': {
      const { commitTimeMs, moreFragments } = message;
      const events = message.events.map(eventMessage);
      const commitTime = timestampFromMs(commitTimeMs);
      return { message: { case: 'events', value: { revision, commitTime, events, moreFragments } } };
    }
    case 'synced':
    case 'progress':
      return { message: { case: message.kind, value: { revision } } };
  }
}

/** What a message takes, at most. */
function messageBytes(message: WatchMessage): number {
  if (message.kind === 'current') return entriesBytes(message.entries);
  if (message.kind !== 'events') return 0;
  return message.events.reduce((bytes, event) => bytes + eventBytes(event), 0);
}

function eventBytes(event: WatchEvent): number {
  const present = event.type === 'delete' ? 3 * event.key.length : entryBytes(event.entry);
  return present + entryBytes(event.previous) + EVENT_BYTES;
}

/** What an event takes besides its entries. */
const EVENT_BYTES = 16;

const reasonByName: Readonly<Record<DeleteReason, DeleteReasonMessage>> = {
  requested: DeleteReasonMessage.REQUESTED,
  expired: DeleteReasonMessage.EXPIRED,
  leaseExpired: DeleteReasonMessage.LEASE_EXPIRED,
  leaseRevoked: DeleteReasonMessage.LEASE_REVOKED,
};

function eventMessage(event: WatchEvent): MessageInitShape<typeof EventSchema> {
  const previous = optionalEntry('previous', event.previous);
  if (event.type === 'delete') {
    const { key, modRevision, reason } = event;
    return {
      type: EventTypeMessage.DELETE,
      entry: { key, modRevision: BigInt(modRevision) },
      deleteReason: reasonByName[reason],
      ...previous,
    };
  }
  const type = event.type === 'put' ? EventTypeMessage.PUT : EventTypeMessage.TOUCH;
  const replacedExpired = event.replacedExpired === true;
  return { type, entry: entryMessage(event.entry), ...previous, replacedExpired };
}
