/**
 * Measures what watchers that stop reading cost writers and memory, and what becomes of those watchers. Read the puts
 * beside slow watchers against those beside none and those beside watchers that all read: latencies and memory are to
 * stay alike, and no event may be lost or repeated.
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { status } from '@grpc/grpc-js';
import { type BenchCase, type CaseContext, operationCount } from '../bench-case.ts';
import { keyOf, Values } from '../load/data.ts';
import { GrpcCaller } from '../load/grpc-caller.ts';
import { PUT_PATH, putRequest } from '../load/kelp-requests.ts';
import { startKelp } from '../load/kelp-server.ts';
import { residentBytesOf } from '../load/process-figures.ts';
import { quantile } from '../load/statistics.ts';
import { underWay } from '../load/under-way.ts';
import type { WatchOrder, WatchPlace, WatchTally, WatchThreadData } from '../load/watch-thread.ts';

const READERS = 990;
const SLOW = 10;
const ALL = READERS + SLOW;
/** Each reader watches one of these keys, so that a put reaches 33 of them; the slow ones watch every key. */
const WATCHED_KEYS = 30;
const READER_CONNECTIONS = 5;
const VALUE_BYTES = 1024;

/** The steady load does not wait for its answers, so that a server that is late can not slow it down. */
const STEADY_INTERVAL_MS = 25;
const STEADY_PUTS = 100;

/** Two bursts are more than history keeps by default: a watch that has read none of them goes on from the log. */
const BURSTS = ['first', 'second'] as const;
const BURST_PUTS = 2500;
const BURST_VALUE_BYTES = 16_384;
const BURST_KEYS = 100;
const BURST_UNDER_WAY = 64;

export const servedWatchSlow: BenchCase = {
  async run(context) {
    const server = await startKelp(context, `${context.directory}/data`, 'never');
    const caller = new GrpcCaller(server.ready);
    const watchers = new Watchers(server.ready);
    try {
      await caller.connect();
      await measure(context, new Writer(caller), watchers, server.processId);
    } finally {
      await watchers.end();
      caller.close();
      await server.stop();
    }
  },
};

async function measure(
  context: CaseContext,
  writer: Writer,
  watchers: Watchers,
  processId: number,
): Promise<void> {
  const burstPuts = operationCount(context, BURST_PUTS);

  async function phase(name: string, run: (name: string) => Promise<void>): Promise<void> {
    const before = await residentBytesOf(processId);
    await run(name);
    const after = await residentBytesOf(processId);
    context.report({ name: `${name}: memory of the server before`, unit: 'MB', samples: [before / 1e6] });
    context.report({ name: `${name}: memory of the server after`, unit: 'MB', samples: [after / 1e6] });
  }

  async function steady(name: string): Promise<void> {
    const medians: number[] = [];
    const tails: number[] = [];
    for (let repetition = 0; repetition <= context.repetitions; repetition++) {
      const latencies = await writer.steadyLatenciesMs(operationCount(context, STEADY_PUTS));
      // The first time compiles the code.
      if (repetition === 0) continue;
      medians.push(quantile(latencies, 0.5));
      tails.push(quantile(latencies, 0.99));
    }
    context.report({ name: `${name}: put, median`, unit: 'ms', samples: medians });
    context.report({ name: `${name}: put, p99`, unit: 'ms', samples: tails });
  }

  async function bursts(about: string): Promise<void> {
    for (const time of BURSTS) {
      await phase(`${time} burst of ${burstPuts.toLocaleString('en')} puts, ${about}`, async (name) => {
        const rate = await writer.burstRate(burstPuts);
        context.report({ name: `${name}: puts`, unit: 'operations/s', samples: [rate] });
      });
    }
  }

  // History takes its share of memory with or without watchers: it is full from here on.
  await bursts('no watchers');
  await phase('no watchers', steady);
  await phase(`${ALL} watchers that read`, async (name) => {
    await watchers.open();
    writer.startCounting();
    await steady(name);
    requireAll(await watchers.awaitEvents(writer, ALL), writer, ALL);
  });
  const pausedAt = await watchers.order({ kind: 'pause', watchers: slowWatchers });
  await phase(`${ALL} watchers, ${SLOW} never read`, async (name) => {
    await steady(name);
    requireAll(await watchers.awaitEvents(writer, READERS), writer, READERS);
  });
  await bursts(`${SLOW} never read`);
  const tallies = await watchers.awaitEvents(writer, READERS);
  requireAll(tallies, writer, READERS);
  for (const watcher of slowWatchers) {
    if (tallies[watcher]?.eventCount !== pausedAt[watcher]?.eventCount)
      throw new Error(`watcher ${watcher} read although it was paused`);
  }
  await phase(`${SLOW} read on`, async (name) => {
    const startMs = performance.now();
    await watchers.order({ kind: 'resume', watchers: slowWatchers });
    await steady(name);
    reportSlow(context, await watchers.awaitEvents(writer, ALL), writer);
    const seconds = (performance.now() - startMs) / 1000;
    context.report({ name: `${name}: until they have caught up`, unit: 's', samples: [seconds] });
  });
  const received = tallies.slice(0, READERS).reduce((sum, { eventCount }) => sum + eventCount, 0);
  context.report({
    name: `events that the ${READERS} readers got, none missing`,
    unit: 'count',
    samples: [received],
  });
}

/** What a watcher ought to have got depends on it alone: losses and repeats show. */
function requireAll(tallies: readonly WatchTally[], writer: Writer, watcherCount: number): void {
  for (const [watcher, { eventCount, ending }] of tallies.slice(0, watcherCount).entries()) {
    const expected = writer.eventCountOf(watcher);
    if (eventCount === expected && ending === undefined) continue;
    const end = ending === undefined ? 'goes on' : `ended with ${ending.status}`;
    throw new Error(`watcher ${watcher} got ${eventCount} events of ${expected} and ${end}`);
  }
}

/** A watcher that was too slow gets all in the end, or is told where it goes on. */
function reportSlow(context: CaseContext, tallies: readonly WatchTally[], writer: Writer): void {
  requireAll(tallies, writer, READERS);
  const ended = tallies.slice(READERS).filter(({ ending }) => ending !== undefined);
  for (const { ending } of ended) {
    const isClear = ending?.status === status.RESOURCE_EXHAUSTED || ending?.status === status.OUT_OF_RANGE;
    if (!isClear || ending.resumeRevision === undefined)
      throw new Error(`a slow watcher ended with ${ending?.status} and ${ending?.resumeRevision}`);
  }
  const late = tallies.find(
    ({ eventCount, ending }, watcher) => ending === undefined && eventCount !== writer.eventCountOf(watcher),
  );
  if (late !== undefined) {
    const expected = writer.eventCountOf(READERS);
    throw new Error(`a slow watcher got ${late.eventCount} events of ${expected} and goes on`);
  }
  const counts = [
    ['got every event', SLOW - ended.length],
    ['ended with a revision to go on from', ended.length],
  ] as const;
  for (const [name, count] of counts) {
    context.report({ name: `slow watchers that ${name}`, unit: 'count', samples: [count] });
  }
}

const slowWatchers = Array.from({ length: SLOW }, (_, index) => READERS + index);

/** The slow ones have a connection of their own: its window closes for all its streams. */
const places = Array.from({ length: ALL }, (_, watcher): WatchPlace => {
  if (watcher >= READERS) return { key: '', connection: READER_CONNECTIONS };
  return { key: keyOf(watcher % WATCHED_KEYS), connection: watcher % READER_CONNECTIONS };
});

class Writer {
  readonly #caller: GrpcCaller;
  readonly #values = new Values(VALUE_BYTES);
  readonly #burstValues = new Values(BURST_VALUE_BYTES);
  /** Since the watchers are there: of each watched key, and of all keys. */
  #putCounts = Array.from({ length: WATCHED_KEYS }, () => 0);
  #allPutCount = 0;
  #nextKey = 0;

  constructor(caller: GrpcCaller) {
    this.#caller = caller;
  }

  /** From now on every put is an event. */
  startCounting(): void {
    this.#putCounts.fill(0);
    this.#allPutCount = 0;
  }

  eventCountOf(watcher: number): number {
    return watcher < READERS ? (this.#putCounts[watcher % WATCHED_KEYS] ?? 0) : this.#allPutCount;
  }

  /** Puts at a steady pace to the watched keys, each timed from its call to its answer. */
  async steadyLatenciesMs(putCount: number): Promise<number[]> {
    const startMs = performance.now();
    const latencies: Promise<number>[] = [];
    for (let index = 0; index < putCount; index++) {
      await delay(Math.max(0, startMs + index * STEADY_INTERVAL_MS - performance.now()));
      latencies.push(this.#timedPut());
    }
    return Promise.all(latencies);
  }

  /** Puts as fast as they go to keys that only the slow ones watch. */
  async burstRate(putCount: number): Promise<number> {
    const startMs = performance.now();
    await underWay(BURST_UNDER_WAY, putCount, (index) =>
      this.#put(WATCHED_KEYS + (index % BURST_KEYS), this.#burstValues),
    );
    return putCount / ((performance.now() - startMs) / 1000);
  }

  async #timedPut(): Promise<number> {
    const key = this.#nextKey++ % WATCHED_KEYS;
    this.#putCounts[key] = (this.#putCounts[key] ?? 0) + 1;
    const startMs = performance.now();
    await this.#put(key, this.#values);
    return performance.now() - startMs;
  }

  #put(key: number, values: Values): Promise<unknown> {
    const value = values.of(this.#allPutCount++);
    return this.#caller.call(PUT_PATH, putRequest(keyOf(key), value));
  }
}

/** All watchers, in a thread of theirs. */
class Watchers {
  readonly #worker: Worker;

  constructor(address: string) {
    this.#worker = new Worker(new URL('../load/watch-thread.ts', import.meta.url), {
      workerData: { address, places } satisfies WatchThreadData,
    });
  }

  async open(): Promise<void> {
    for (const { ending } of await this.order({ kind: 'open' })) {
      if (ending !== undefined) throw new Error(`a watch was refused with ${ending.status}`);
    }
  }

  /** Waits until the first `watcherCount` have got everything that was put. */
  awaitEvents(writer: Writer, watcherCount: number): Promise<readonly WatchTally[]> {
    const eventCounts = places.map((_, watcher) =>
      watcher < watcherCount ? writer.eventCountOf(watcher) : 0,
    );
    return this.order({ kind: 'await', eventCounts });
  }

  /** One order at a time. */
  async order(order: WatchOrder): Promise<readonly WatchTally[]> {
    const reply = once(this.#worker, 'message');
    this.#worker.postMessage(order, []);
    const [tallies] = (await reply) as [readonly WatchTally[]];
    return tallies;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
