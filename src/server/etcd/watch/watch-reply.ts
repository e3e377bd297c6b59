/** Replies of a stream of watches: what is of one watch alone, and events that were encoded once for all that want them. */
import type {
  ResponseHeaderShape,
  WatchResponseShape,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import * as codec from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import type { EventShape } from '../../../../gen/etcd/api/mvccpb/kv_codec.ts';
import type { Codecs } from '../../services/method.ts';

const NO_EVENTS: EventShape[] = [];
const NO_PARTS: readonly Buffer[] = [];

type Head = Partial<Omit<WatchResponseShape, 'events' | 'header' | 'watchId'>>;

/** It has the members of a response, as which it is written in JSON. */
export class WatchReply implements WatchResponseShape {
  readonly header: ResponseHeaderShape;
  readonly watchId: number;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  readonly fragment: boolean;
  /** Events as they are written: parts of a response that follow each other. */
  readonly parts: readonly Buffer[];

  constructor(header: ResponseHeaderShape, watchId: number, head: Head, parts = NO_PARTS) {
    this.header = header;
    this.watchId = watchId;
    this.created = head.created ?? false;
    this.canceled = head.canceled ?? false;
    this.compactRevision = head.compactRevision ?? 0;
    this.cancelReason = head.cancelReason ?? '';
    this.fragment = head.fragment ?? false;
    this.parts = parts;
  }

  get events(): EventShape[] {
    return this.parts.flatMap((part) => codec.readWatchResponse(part, 0, part.length).events);
  }

  /** All but the events. */
  get head(): WatchResponseShape {
    const { header, watchId, created, canceled, compactRevision, cancelReason, fragment } = this;
    return {
      header,
      watchId,
      created,
      canceled,
      compactRevision,
      cancelReason,
      fragment,
      events: NO_EVENTS,
    };
  }
}

export const watchCodecs: Codecs<codec.WatchRequestShape, WatchReply> = {
  read: codec.readWatchRequest,
  sizeOf({ head, parts }) {
    return parts.reduce((bytes, part) => bytes + part.length, codec.sizeOfWatchResponse(head));
  },
  prepend({ head, parts }, buffer, end) {
    let start = end;
    for (let index = parts.length - 1; index >= 0; index--) {
      const part = parts[index];
      if (part === undefined) continue;
      start -= part.length;
      part.copy(buffer, start);
    }
    return codec.prependWatchResponse(head, buffer, start);
  },
};
