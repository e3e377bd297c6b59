/**
 * Messages of the store's watches as etcd's replies carry them: events are encoded once for all watches that want the same.
 *
 * A key that goes away, by whatever end, is a DELETE. A change of a time to live is no event in etcd, where a key has none of its own.
 */
import {
  emptyWatchResponse,
  prependWatchResponse,
  sizeOfWatchResponse,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import {
  emptyKeyValue,
  type EventShape,
  type KeyValueShape,
} from '../../../../gen/etcd/api/mvccpb/kv_codec.ts';
import { Event_EventType as EventType } from '../../../../gen/etcd/api/mvccpb/kv_pb.ts';
import type { Entry, NamedKey, WatchEvent, WatchMessage } from '../../../api.ts';
import type { WatchForm } from '../../../store/watch/messages/pulled-watch.ts';
import { toEtcd } from '../revisions.ts';

/** What a stream is handed of one message. */
export interface WatchItem {
  readonly kind: WatchMessage['kind'];
  /** Ours. */
  readonly revision: number;
  /** More events of the revision follow. */
  readonly hasMore: boolean;
  /** The part of a response that has the events. */
  readonly events: Buffer;
}

const NO_EVENTS = Buffer.alloc(0);

export const encodedEvents: WatchForm<WatchItem> = {
  isShared: true,
  make(message) {
    const { kind, revision } = message;
    if (kind !== 'events') return { kind, revision, hasMore: false, events: NO_EVENTS };
    const response = { ...emptyWatchResponse(), events: message.events.map(eventShape) };
    const events = Buffer.allocUnsafeSlow(sizeOfWatchResponse(response));
    prependWatchResponse(response, events, events.length);
    return { kind, revision, hasMore: message.moreFragments, events };
  },
};

function eventShape(event: WatchEvent): EventShape {
  const prevKv = event.previous && keyValueShape(event.previous);
  if (event.type === 'delete') {
    const kv = { ...emptyKeyValue(), key: bytesOf(event), modRevision: toEtcd(event.modRevision) };
    return { type: EventType.DELETE, kv, prevKv };
  }
  return { type: EventType.PUT, kv: keyValueShape(event.entry), prevKv };
}

function keyValueShape(entry: Entry): KeyValueShape {
  const { value, createRevision, modRevision, version, leaseId } = entry;
  return {
    key: bytesOf(entry),
    createRevision: toEtcd(createRevision),
    modRevision: toEtcd(modRevision),
    version,
    value,
    lease: leaseId,
  };
}

function bytesOf({ key, keyBytes }: NamedKey): Uint8Array {
  return keyBytes ?? Buffer.from(key);
}
