/**
 * `kelp.v1.WatchService` over the store.
 *
 * A stream takes memory for a message before the store makes it, and gives it back when the next one is asked for, which is
 * when this one is written. So streams that are not read hold nothing beyond what all calls may hold together, however many
 * there are.
 */
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
import { type Call, callOf } from '../calls.ts';
import { shuttingDownError } from '../errors.ts';
import { entriesBytes, entryBytes, entryMessage, optionalEntry } from './reply-entries.ts';
import { given, keyRange, milliseconds, wholeNumber } from './request-fields.ts';

export function watchService(store: () => Store): ServiceImpl<typeof WatchService> {
  return {
    watch(message, context) {
      return new WatchResponses(store(), watchRequest(message, context.signal), callOf(context));
    },
  };
}

type Response = MessageInitShape<typeof WatchResponseSchema>;

/** What is sent for the messages of a watch. No generator: one that waits keeps the message that it has handed out. */
class WatchResponses implements AsyncIterableIterator<Response> {
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
    store: Store,
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
  async next(): Promise<IteratorResult<Response>> {
    this.#resumeRevision = this.#revisionBehind;
    try {
      const { done, value } = await this.#messages.next();
      if (done !== true) return { done: false, value: this.#response(value) };
    } catch (error) {
      // A store that closes ends its watches; when it is not the server that stops it, the signal tells nothing.
      if (isStoreError(error, 'closed')) throw shuttingDownError(this.#resumeRevision);
      throw error;
    }
    // The client gone, its deadline passed, or the server stopping.
    if (this.#call.isEndedByServer) throw shuttingDownError(this.#resumeRevision);
    this.#signal.throwIfAborted();
    return DONE;
  }

  async return(): Promise<IteratorResult<Response>> {
    await this.#messages.return?.();
    return DONE;
  }

  #response(message: WatchMessage): Response {
    this.#call.checkMessage(messageBytes(message));
    this.#revisionBehind = resumeAfter(message) ?? this.#revisionBehind;
    const response = watchResponse(message);
    const { incarnation } = message;
    const isFirst = this.#isFirst;
    if (!isFirst && incarnation === this.#incarnation) return response;
    this.#isFirst = false;
    this.#incarnation = incarnation;
    return { ...response, storeId: isFirst ? this.#storeId : '', incarnation };
  }
}

const DONE: IteratorResult<Response> = { done: true, value: undefined };

function watchRequest(
  message: WatchRequestMessage,
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

function watchResponse(message: WatchMessage): Response {
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
