/**
 * Watchers in a thread of their own, so that what they do with events does not show in the latency that a writer sees in
 * its thread. It carries out one order after the other and answers each with the tallies of all watchers.
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { ErrorDetailSchema } from '../../gen/kelp/v1/errors_pb.ts';
import { readWatchResponse, type WatchResponseShape } from '../../gen/kelp/v1/watch_codec.ts';
import { GrpcCaller } from './grpc-caller.ts';
import { WATCH_PATH, watchRequest } from './kelp-requests.ts';
import { underWay } from './under-way.ts';

export interface WatchPlace {
  /** The key that it watches; empty: all keys. */
  readonly key: string;
  /** The number of its connection, from 0 on. */
  readonly connection: number;
}

export interface WatchThreadData {
  readonly address: string;
  readonly places: readonly WatchPlace[];
}

export type WatchOrder =
  | { readonly kind: 'open' }
  /** Stops to read, or goes on: flow control keeps what is not read in the server. */
  | { readonly kind: 'pause' | 'resume'; readonly watchers: readonly number[] }
  /** Answered when every watcher has got so many events in all, by number of watcher, or has ended, or is overdue. */
  | { readonly kind: 'await'; readonly eventCounts: readonly number[] };

export interface WatchTally {
  eventCount: number;
  ending: WatchEnding | undefined;
}

/** How the server ended a watch. */
export interface WatchEnding {
  /** Of gRPC. */
  readonly status: number;
  /** Where a new watch goes on; `undefined` when the server did not say. */
  readonly resumeRevision: number | undefined;
}

const OPENED_AT_ONCE = 64;
/** Longer than any load takes to arrive; what is missing then is lost. */
const OVERDUE_MS = 120_000;

type WatchStream = ClientReadableStream<WatchResponseShape>;

class WatchThread {
  readonly #data: WatchThreadData;
  readonly #streams: WatchStream[] = [];
  readonly #tallies: WatchTally[];
  /** What is awaited, by watcher. */
  #awaited: readonly number[] = [];
  #missingCount = 0;
  #onAll: () => void = () => undefined;

  constructor(data: WatchThreadData) {
    this.#data = data;
    this.#tallies = data.places.map(() => ({ eventCount: 0, ending: undefined }));
  }

  async carryOut(order: WatchOrder): Promise<readonly WatchTally[]> {
    if (order.kind === 'open') await this.#open();
    else if (order.kind === 'await') await this.#await(order.eventCounts);
    else for (const watcher of order.watchers) this.#streams[watcher]?.[order.kind]();
    return this.#tallies;
  }

  async #open(): Promise<void> {
    const { address, places } = this.#data;
    const connectionCount = 1 + Math.max(...places.map(({ connection }) => connection));
    const callers = Array.from({ length: connectionCount }, () => new GrpcCaller(address));
    for (const caller of callers) await caller.connect();
    await underWay(OPENED_AT_ONCE, places.length, async (watcher) => {
      const { key = '', connection = 0 } = places[watcher] ?? {};
      const stream = callers[connection]?.stream(WATCH_PATH, watchRequest(key), readResponse);
      if (stream !== undefined) await this.#follow(stream, watcher);
    });
  }

  /** Resolves when every later change will come. */
  #follow(stream: WatchStream, watcher: number): Promise<void> {
    this.#streams[watcher] = stream;
    return new Promise((resolve) => {
      stream.on('data', ({ message }: WatchResponseShape) => {
        if (message.case === 'synced') resolve();
        else if (message.case === 'events') this.#came(watcher, message.value.events.length);
      });
      stream.once('error', (error: ServiceError) => {
        resolve();
        this.#ended(watcher, toEnding(error));
      });
    });
  }

  async #await(eventCounts: readonly number[]): Promise<void> {
    this.#awaited = eventCounts;
    this.#missingCount = eventCounts.reduce((sum, _, watcher) => sum + this.#missingOf(watcher), 0);
    if (this.#missingCount === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, OVERDUE_MS);
      this.#onAll = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** What the watcher has not got yet and still may. */
  #missingOf(watcher: number): number {
    const { eventCount = 0, ending } = this.#tallies[watcher] ?? {};
    return ending === undefined ? Math.max(0, (this.#awaited[watcher] ?? 0) - eventCount) : 0;
  }

  #came(watcher: number, eventCount: number): void {
    const tally = this.#tallies[watcher];
    if (tally !== undefined) this.#change(watcher, () => (tally.eventCount += eventCount));
  }

  #ended(watcher: number, ending: WatchEnding): void {
    const tally = this.#tallies[watcher];
    if (tally !== undefined) this.#change(watcher, () => (tally.ending = ending));
  }

  #change(watcher: number, change: () => void): void {
    const before = this.#missingOf(watcher);
    change();
    if (before === 0) return;
    this.#missingCount += this.#missingOf(watcher) - before;
    if (this.#missingCount === 0) this.#onAll();
  }
}

function readResponse(bytes: Buffer): WatchResponseShape {
  return readWatchResponse(bytes, 0, bytes.length);
}

function toEnding({ code, metadata }: ServiceError): WatchEnding {
  const name = 'grpc-status-details-bin';
  const [details] = metadata.get(name);
  const headers = new Headers(Buffer.isBuffer(details) ? { [name]: details.toString('base64') } : {});
  const info = findTrailerError(headers)?.findDetails(ErrorDetailSchema)[0]?.info;
  const resumeRevision = info?.case === 'watchEnded' ? Number(info.value.resumeRevision) : undefined;
  return { status: code, resumeRevision };
}

if (!isMainThread) {
  const thread = new WatchThread(workerData as WatchThreadData);
  parentPort?.on('message', (order: WatchOrder) => {
    void thread.carryOut(order).then((tallies) => parentPort?.postMessage(tallies, []));
  });
}
