/**
 * `kelp.v1.WatchService` over the store.
 *
 * Messages are encoded as the store makes them, once for all watches that want the same, and pushed: a live watch costs its
 * cursor and its stream, and an event a copy to the socket. Only what names the store and its incarnation differs between
 * streams; it stands behind the rest and is added where it is due.
 *
 * A stream takes memory for a message before the store makes it, and gives it back when the next one is asked for, which is
 * when this one is written. So streams that are not read hold nothing beyond what all calls may hold together, however many
 * there are. A message that several of them hold is charged to each.
 */
import { emptyEntry } from '../../../../gen/kelp/v1/types_codec.ts';
import * as codec from '../../../../gen/kelp/v1/watch_codec.ts';
import {
  DeleteReason as DeleteReasonNumber,
  EventType as EventTypeNumber,
  WatchService,
} from '../../../../gen/kelp/v1/watch_pb.ts';
import { given } from '../../../arguments/shape.ts';
import { StoreError } from '../../../errors.ts';
import type {
  DeleteReason,
  ElementChanges,
  EventType,
  WatchEvent,
  WatchMessage,
  WatchRequest,
} from '../../../api.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import type { PulledWatch, WatchForm, WatchReader } from '../../../store/watch/messages/pulled-watch.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import type { Call } from '../../calls/call.ts';
import { PREFIX_BYTES, writePrefix } from '../envelope.ts';
import { type MethodsOf, type PushedReplies, type ReplyOutlet, pushStream } from '../method.ts';
import { rangesNeed } from '../kv/needs.ts';
import { entryShape, optionalEntry, timestampShape } from '../reply-entries.ts';
import { keyRange, milliseconds, wholeNumber } from '../request-fields.ts';
import { messageBytes } from './bytes.ts';

export const watchMethods: MethodsOf<typeof WatchService> = {
  watch: pushStream(
    WatchService.method.watch,
    { read: codec.readWatchRequest },
    ({ ranges }) => rangesNeed(ranges.length === 0 ? [undefined] : ranges),
    (store, request, call, outlet) => new WatchReplies(store, watchRequest(request), call, outlet),
  ),
};

/** A message as it is sent, but for the fields that differ between streams. */
interface EncodedMessage {
  /** With its prefix. */
  readonly bytes: Buffer;
  /** What its keys and values take, at most. */
  readonly contentBytes: number;
  readonly incarnation: string;
  /** The revision to begin at when the stream breaks after it; `undefined`: as before it. */
  readonly resumeRevision: number | undefined;
}

const encodedForm: WatchForm<EncodedMessage> = {
  isShared: true,
  make(message) {
    const response = { message: watchMessage(message), storeId: '', incarnation: '' };
    return {
      bytes: encoded(response, NO_MESSAGE),
      contentBytes: messageBytes(message),
      incarnation: message.incarnation,
      resumeRevision: resumeAfter(message),
    };
  },
};

/** What is sent for one watch. */
class WatchReplies implements PushedReplies, WatchReader {
  readonly #storeId: string;
  readonly #call: Call;
  readonly #outlet: ReplyOutlet;
  readonly #watch: PulledWatch<EncodedMessage>;
  /** What was sent is not written yet; before the first `goOn` nothing may be sent. */
  #isHeldUp = true;
  #isStopped = false;
  #isFirst = true;
  #incarnation = '';
  /** The revision to begin at when the stream breaks behind what was sent, which is written by the time that this is told. */
  #resumeRevision: number;

  constructor(
    store: KvStore,
    request: WatchRequest & { readonly startRevision: number },
    call: Call,
    outlet: ReplyOutlet,
  ) {
    this.#storeId = store.storeId;
    this.#call = call;
    this.#outlet = outlet;
    this.#resumeRevision = request.startRevision;
    this.#watch = store.openWatch(request, encodedForm, this);
  }

  admit(bytes: number): boolean | Promise<boolean> {
    return this.#call.holdForMessages(bytes);
  }

  goOn(): void {
    this.#isHeldUp = false;
    this.ready();
  }

  ready(): void {
    if (this.#isHeldUp) return;
    try {
      while (this.#sendNext());
    } catch (error) {
      this.#watch.end();
      this.#outlet.finish(this.#call.watchEnd(error, this.#resumeRevision));
    }
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#watch.end();
    // What was sent is still written: the revision to go on from lies behind it.
    this.ready();
  }

  /** @returns whether to try another one. */
  #sendNext(): boolean {
    const message = this.#watch.take();
    if (message === undefined) {
      if (this.#watch.isOver) this.#finish();
      return false;
    }
    this.#call.checkMessage(message.contentBytes);
    this.#resumeRevision = message.resumeRevision ?? this.#resumeRevision;
    this.#isHeldUp = !this.#outlet.send(this.#bytesOf(message));
    return !this.#isHeldUp;
  }

  /** The client gone, its deadline passed, or the server stopping, or opening its store again. */
  #finish(): void {
    const { isEndedByServer, abortReason } = this.#call;
    this.#outlet.finish(isEndedByServer ? this.#call.serverEnd(this.#resumeRevision) : abortReason);
  }

  #bytesOf({ bytes, incarnation }: EncodedMessage): Buffer {
    const isFirst = this.#isFirst;
    if (!isFirst && incarnation === this.#incarnation) return bytes;
    this.#isFirst = false;
    this.#incarnation = incarnation;
    const storeId = isFirst ? this.#storeId : '';
    return encoded({ message: { case: undefined }, storeId, incarnation }, bytes);
  }
}

const NO_MESSAGE = Buffer.alloc(PREFIX_BYTES);

/** A message with its prefix: the fields of `response` behind those of a message that is encoded already. */
function encoded(response: codec.WatchResponseShape, before: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(before.length + codec.sizeOfWatchResponse(response));
  before.copy(bytes);
  codec.prependWatchResponse(response, bytes, bytes.length);
  writePrefix(bytes, 0, bytes.length - PREFIX_BYTES);
  return bytes;
}

function watchRequest(message: codec.WatchRequestShape): WatchRequest & { readonly startRevision: number } {
  const { storeId, incarnation, includeCurrent, keysOnly, returnPrevious, includeElements } = message;
  return {
    ranges: message.ranges.map(keyRange),
    startRevision: wholeNumber('start_revision', message.startRevision),
    storeId,
    incarnation,
    includeCurrent,
    eventTypes: message.eventTypes.map(eventType),
    keysOnly,
    returnPrevious,
    includeElements,
    ...given({ progressIntervalMs: milliseconds('progress_interval', message.progressInterval) }),
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

const reasonByName: Readonly<Record<DeleteReason, DeleteReasonNumber>> = {
  requested: DeleteReasonNumber.REQUESTED,
  expired: DeleteReasonNumber.EXPIRED,
  leaseExpired: DeleteReasonNumber.LEASE_EXPIRED,
  leaseRevoked: DeleteReasonNumber.LEASE_REVOKED,
  evicted: DeleteReasonNumber.EVICTED,
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
      elements: undefined,
    };
  }
  return {
    type: event.type === 'put' ? EventTypeNumber.PUT : EventTypeNumber.TOUCH,
    entry: entryShape(event.entry),
    previous,
    deleteReason: DeleteReasonNumber.UNSPECIFIED,
    replacedExpired: event.replacedExpired === true,
    elements: event.elements && elementsShape(event.elements),
  };
}

function elementsShape({ changes, isWhole, isLeftOut }: ElementChanges): codec.ElementChangesShape {
  return { changes: changes.map((change) => ({ ...change })), isWhole, isLeftOut };
}
