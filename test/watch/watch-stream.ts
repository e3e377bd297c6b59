/**
 * A watch as a gRPC stream over bare HTTP/2, read when and as fast as a test wants. What is not asked for stays where
 * it is: flow control holds it back in the server. Any number of streams share a session.
 */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import { type ErrorDetail, ErrorDetailSchema } from '../../gen/kelp/v1/errors_pb.ts';
import { type EntryShape } from '../../gen/kelp/v1/types_codec.ts';
import { type EventShape, emptyWatchRequest, readWatchResponse } from '../../gen/kelp/v1/watch_codec.ts';
import {
  sizeOfWatchRequest,
  type WatchResponseShape,
  writeWatchRequest,
} from '../../gen/kelp/v1/watch_codec.ts';
import { DeleteReason, EventType } from '../../gen/kelp/v1/watch_pb.ts';
import { emptyKeyRange } from '../../gen/kelp/v1/types_codec.ts';
import type { Entry, KeyRange, WatchEvent, WatchMessage, WatchRequest } from '../../src/api.ts';
import { post } from '../support/bare-http2.ts';
import { textKey } from '../support/text-key.ts';

const PATH = '/kelp.v1.WatchService/Watch';
const PREFIX_BYTES = 5;
const CANCEL = 8;

/** How a stream ended. */
export interface WatchEnd {
  /** Of gRPC; `undefined` when the connection broke. */
  readonly status: number | undefined;
  readonly detail: ErrorDetail | undefined;
}

export class WatchStream {
  readonly #stream: ClientHttp2Stream;
  readonly #closed: Promise<void>;
  #trailers: IncomingHttpHeaders = {};
  #isClosed = false;
  #incarnation = '';
  #received: Buffer = Buffer.alloc(0);

  constructor(session: ClientHttp2Session, request: WatchRequest) {
    this.#stream = post(session, PATH, 'application/grpc');
    const takeHeaders = (headers: IncomingHttpHeaders): void => {
      this.#trailers = { ...this.#trailers, ...headers };
    };
    this.#stream.on('response', takeHeaders).on('trailers', takeHeaders);
    this.#closed = new Promise((resolve) =>
      this.#stream.once('close', () => {
        this.#isClosed = true;
        resolve();
      }),
    );
    this.#stream.end(encodeEnvelope(0, encodeRequest(request)));
  }

  /** The next message; `undefined` at the end. One call at a time. */
  async next(): Promise<WatchMessage | undefined> {
    for (;;) {
      const message = this.#takeMessage();
      if (message !== undefined) return message;
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk !== null) this.#received = Buffer.concat([this.#received, chunk]);
      else if (this.#isClosed || this.#stream.readableEnded) return undefined;
      else await this.#readable();
    }
  }

  /** Reads until it is synced, so that every later change will come. */
  async untilSynced(): Promise<void> {
    for (;;) {
      const message = await this.next();
      if (message === undefined) throw new Error(`the watch ended: ${JSON.stringify(this.#trailers)}`);
      if (message.kind === 'synced') return;
    }
  }

  /** To be asked for after `next` gave `undefined`. */
  async end(): Promise<WatchEnd> {
    await this.#closed;
    const code = this.#trailers['grpc-status'];
    const details = this.#trailers['grpc-status-details-bin'];
    const headers = new Headers(typeof details === 'string' ? { 'grpc-status-details-bin': details } : {});
    return {
      status: code === undefined ? undefined : Number(code),
      detail: findTrailerError(headers)?.findDetails(ErrorDetailSchema)[0],
    };
  }

  async cancel(): Promise<void> {
    this.#stream.close(CANCEL);
    // Else it waits for somebody to read what has come already.
    this.#stream.destroy();
    await this.#closed;
  }

  #readable(): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        for (const event of ['readable', 'end', 'close']) this.#stream.off(event, settle);
        resolve();
      };
      for (const event of ['readable', 'end', 'close']) this.#stream.on(event, settle);
    });
  }

  #takeMessage(): WatchMessage | undefined {
    const bytes = this.#received;
    if (bytes.length < PREFIX_BYTES) return undefined;
    const end = PREFIX_BYTES + bytes.readUInt32BE(1);
    if (bytes.length < end) return undefined;
    this.#received = bytes.subarray(end);
    const response = readWatchResponse(bytes, PREFIX_BYTES, end);
    // It stays until it is told anew.
    this.#incarnation = response.incarnation || this.#incarnation;
    return toMessage(response, this.#incarnation);
  }
}

const typeNumbers = { put: EventType.PUT, delete: EventType.DELETE, touch: EventType.TOUCH } as const;

function encodeRequest(request: WatchRequest): Buffer {
  const {
    startRevision = 0,
    incarnation = '',
    includeCurrent = false,
    keysOnly = false,
    returnPrevious = false,
  } = request;
  const message = {
    ...emptyWatchRequest(),
    ranges: (request.ranges ?? []).map(toRange),
    eventTypes: (request.eventTypes ?? []).map((type) => typeNumbers[type]),
    startRevision,
    incarnation,
    includeCurrent,
    keysOnly,
    returnPrevious,
  };
  const bytes = Buffer.alloc(sizeOfWatchRequest(message));
  writeWatchRequest(message, bytes, 0);
  return bytes;
}

function toRange({
  key = '',
  prefix = '',
  start = '',
  end = '',
}: KeyRange): ReturnType<typeof emptyKeyRange> {
  return {
    ...emptyKeyRange(),
    key: textKey(key),
    prefix: textKey(prefix),
    start: textKey(start),
    end: textKey(end),
  };
}

function toMessage({ message }: WatchResponseShape, incarnation: string): WatchMessage {
  switch (message.case) {
    case 'current':
      return {
        kind: 'current',
        entries: message.value.entries.map(toEntry),
        revision: message.value.revision,
        incarnation,
      };
    case 'events': {
      const { revision, commitTime, events, moreFragments } = message.value;
      const { seconds = 0, nanos = 0 } = commitTime ?? {};
      const commitTimeMs = seconds * 1000 + Math.floor(nanos / 1_000_000);
      const fields = { revision, incarnation, commitTimeMs, moreFragments };
      return { kind: 'events', ...fields, events: events.map(toEvent) };
    }
    case 'synced':
    case 'progress':
      return { kind: message.case, revision: message.value.revision, incarnation };
    case undefined:
      throw new Error('a message says nothing');
  }
}

function toEvent({ type, entry, previous, deleteReason }: EventShape): WatchEvent {
  if (entry === undefined) throw new Error('an event has no entry');
  const before = previous && toEntry(previous);
  if (type !== EventType.DELETE) {
    return { type: type === EventType.PUT ? 'put' : 'touch', entry: toEntry(entry), previous: before };
  }
  const reason = deleteReason === DeleteReason.REQUESTED ? 'requested' : 'expired';
  return { type: 'delete', key: entry.key, modRevision: entry.modRevision, reason, previous: before };
}

/** No entry of these tests has a deadline. */
function toEntry({ key, value, createRevision, modRevision, version, leaseId }: EntryShape): Entry {
  return { key, value, createRevision, modRevision, version, leaseId, expireTimeMs: 0 };
}
