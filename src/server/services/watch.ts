/**
 * `kelp.v1.WatchService` over the store.
 *
 * A stream takes memory for a message before the store makes it, and gives it back when the next one is asked for, which is
 * when this one is written. So streams that are not read hold nothing beyond what all calls may hold together, however many
 * there are.
 */
import { emptyEntry } from '../../../gen/kelp/v1/types_codec.ts';
import * as codec from '../../../gen/kelp/v1/watch_codec.ts';
import {
  DeleteReason as DeleteReasonNumber,
  EventType as EventTypeNumber,
  WatchService,
} from '../../../gen/kelp/v1/watch_pb.ts';
import { StoreError, isStoreError } from '../../errors.ts';
import type { DeleteReason, EventType, WatchEvent, WatchMessage, WatchRequest } from '../../api.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import type { Call } from '../calls/calls.ts';
import { stoppingError } from '../calls/call-error.ts';
import { type MethodsOf, serverStream } from './method.ts';
import {
  entriesBytes,
  entryBytes,
  keyFieldsBytes,
  entryShape,
  optionalEntry,
  timestampShape,
} from './reply-entries.ts';
import { given, keyRange, milliseconds, wholeNumber } from './request-fields.ts';

export const watchMethods: MethodsOf<typeof WatchService> = {
  watch: serverStream(
    WatchService.method.watch,
    {
      read: codec.readWatchRequest,
      sizeOf: codec.sizeOfWatchResponse,
      prepend: codec.prependWatchResponse,
    },
    (store, request, call, signal) => new WatchResponses(store, watchRequest(request, signal), call),
  ),
};

/** What is sent for the messages of a watch. No generator: one that waits keeps the message that it has handed out. */
class WatchResponses implements AsyncIterableIterator<codec.WatchResponseShape> {
  readonly #storeId: string;
  readonly #call: Call;
  readonly #signal: AbortSignal;
  readonly #messages: AsyncIterableIterator<WatchMessage>;
  #isFirst = true;
  #incarnation = '';
  /** The revision to begin at when the stream breaks before what was handed out last is written, and behind it. */
  #resumeRevision: number;
  #revisionBehind: number;

  constructor(
    store: KvStore,
    request: WatchRequest & { readonly startRevision: number; readonly signal: AbortSignal },
    call: Call,
  ) {
    this.#storeId = store.storeId;
    this.#call = call;
    this.#signal = request.signal;
    this.#messages = store.watch({ ...request, admit: (bytes) => call.holdForMessages(bytes) });
    this.#resumeRevision = this.#revisionBehind = request.startRevision;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Asked for more: what was handed out before is written. */
  async next(): Promise<IteratorResult<codec.WatchResponseShape>> {
    this.#resumeRevision = this.#revisionBehind;
    try {
      const { done, value } = await this.#messages.next();
      if (done !== true) return { done: false, value: this.#response(value) };
    } catch (error) {
      // A store that closes ends its watches; when it is not the server that stops it, the signal tells nothing.
      if (isStoreError(error, 'closed')) throw stoppingError(this.#resumeRevision);
      throw error;
    }
    // The client gone, its deadline passed, or the server stopping.
    if (this.#call.isEndedByServer) throw stoppingError(this.#resumeRevision);
    this.#signal.throwIfAborted();
    return DONE;
  }

  async return(): Promise<IteratorResult<codec.WatchResponseShape>> {
    await this.#messages.return?.();
    return DONE;
  }

  #response(message: WatchMessage): codec.WatchResponseShape {
    this.#call.checkMessage(messageBytes(message));
    this.#revisionBehind = resumeAfter(message) ?? this.#revisionBehind;
    const { incarnation } = message;
    const isFirst = this.#isFirst;
    const isTold = !isFirst && incarnation === this.#incarnation;
    this.#isFirst = false;
    this.#incarnation = incarnation;
    return {
      message: watchMessage(message),
      storeId: isFirst ? this.#storeId : '',
      incarnation: isTold ? '' : incarnation,
    };
  }
}

const DONE: IteratorResult<codec.WatchResponseShape> = { done: true, value: undefined };

function watchRequest(
  message: codec.WatchRequestShape,
  signal: AbortSignal,
): WatchRequest & { readonly startRevision: number; readonly signal: AbortSignal } {
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

function eventType(type: number): EventType {
  switch (type) {
    case EventTypeNumber.PUT:
      return 'put';
    case EventTypeNumber.DELETE:
      return 'delete';
    case EventTypeNumber.TOUCH:
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

function watchMessage(message: WatchMessage): codec.WatchResponseShape['message'] {
  const { revision } = message;
  switch (message.kind) {
    case 'current':
      return { case: 'current', value: { entries: message.entries.map(entryShape), revision } };
    case 'events': {
      const { commitTimeMs, moreFragments } = message;
      const events = message.events.map(eventShape);
      return {
        case: 'events',
        value: { revision, commitTime: timestampShape(commitTimeMs), events, moreFragments },
      };
    }
    case 'synced':
    case 'progress':
      return { case: message.kind, value: { revision } };
  }
}

/** What a message takes, at most. */
function messageBytes(message: WatchMessage): number {
  if (message.kind === 'current') return entriesBytes(message.entries);
  if (message.kind !== 'events') return 0;
  return message.events.reduce((bytes, event) => bytes + eventBytes(event), 0);
}

function eventBytes(event: WatchEvent): number {
  const present = event.type === 'delete' ? keyFieldsBytes(event) : entryBytes(event.entry);
  return present + entryBytes(event.previous) + EVENT_BYTES;
}

/** What an event takes besides its entries. */
const EVENT_BYTES = 16;

const reasonByName: Readonly<Record<DeleteReason, DeleteReasonNumber>> = {
  requested: DeleteReasonNumber.REQUESTED,
  expired: DeleteReasonNumber.EXPIRED,
  leaseExpired: DeleteReasonNumber.LEASE_EXPIRED,
  leaseRevoked: DeleteReasonNumber.LEASE_REVOKED,
};

function eventShape(event: WatchEvent): codec.EventShape {
  const previous = optionalEntry(event.previous);
  if (event.type === 'delete') {
    const { key, keyBytes = NO_BYTES, modRevision, reason } = event;
    return {
      type: EventTypeNumber.DELETE,
      entry: { ...emptyEntry(), key, keyBytes, modRevision },
      previous,
      deleteReason: reasonByName[reason],
      replacedExpired: false,
    };
  }
  return {
    type: event.type === 'put' ? EventTypeNumber.PUT : EventTypeNumber.TOUCH,
    entry: entryShape(event.entry),
    previous,
    deleteReason: DeleteReasonNumber.UNSPECIFIED,
    replacedExpired: event.replacedExpired === true,
  };
}
