/** Events from one writer to many watchers: how many a second, and how long one takes. */
import type { CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { keyOf, Values } from './data.ts';
import { quantile } from './statistics.ts';
import { underWay } from './under-way.ts';

/** Where watchers and the writer meet. */
export interface FanOutTarget {
  /** Stands before the names of the figures. */
  readonly name: string;
  put(key: string, value: Uint8Array): Promise<unknown>;
  /** Resolves once every later put of `key` will be told; `onEvents` gets how many events came at once. */
  watch(key: string, onEvents: (count: number) => void): Promise<Watch>;
}

export interface Watch {
  stop(): Promise<void>;
}

const WATCHER_COUNTS = [1, 100, 1000];
const PUTS_UNDER_WAY = 64;
/** Events of one repetition; with few watchers on one key the puts are what bounds it. */
const EVENT_COUNT = 40_000;
const PUT_COUNT_MAX = 5000;
const LATENCY_EVENT_COUNT = 20_000;
const LATENCY_PUT_COUNT_MAX = 200;

export async function measureFanOut(context: CaseContext, target: FanOutTarget): Promise<void> {
  for (const watcherCount of WATCHER_COUNTS) {
    for (const keys of ['one key', 'a key each'] as const) {
      // One watcher has one key either way.
      if (watcherCount === 1 && keys === 'a key each') continue;
      await measure(context, target, watcherCount, keys);
    }
  }
}

async function measure(
  context: CaseContext,
  target: FanOutTarget,
  watcherCount: number,
  keys: 'one key' | 'a key each',
): Promise<void> {
  const fanOut = new FanOut(target, keys === 'one key' ? 1 : watcherCount, watcherCount);
  await fanOut.open();
  const eventsPerPut = keys === 'one key' ? watcherCount : 1;
  const putCount = operationCount(context, Math.min(PUT_COUNT_MAX, EVENT_COUNT / eventsPerPut));
  const latencyPutCount = operationCount(
    context,
    Math.min(LATENCY_PUT_COUNT_MAX, LATENCY_EVENT_COUNT / eventsPerPut),
  );
  const rates: number[] = [];
  const medians: number[] = [];
  const tails: number[] = [];
  for (let repetition = 0; repetition <= context.repetitions; repetition++) {
    globalThis.gc?.();
    const rate = await fanOut.eventRate(putCount, putCount * eventsPerPut);
    const latencies = await fanOut.latenciesMs(latencyPutCount, eventsPerPut);
    // The first time compiles the code.
    if (repetition === 0) continue;
    rates.push(rate);
    medians.push(quantile(latencies, 0.5));
    tails.push(quantile(latencies, 0.99));
  }
  await fanOut.close();
  const name = `${target.name}, ${watcherCount} watchers, ${keys}`;
  context.report({ name: `${name}: ${PUTS_UNDER_WAY} puts under way`, unit: 'events/s', samples: rates });
  context.report({ name: `${name}: one put to event, median`, unit: 'ms', samples: medians });
  context.report({ name: `${name}: one put to event, p99`, unit: 'ms', samples: tails });
}

class FanOut {
  readonly #target: FanOutTarget;
  readonly #keyCount: number;
  readonly #watcherCount: number;
  readonly #values = new Values();
  readonly #watches: Watch[] = [];
  /** Events that have not come yet, and who waits for them. */
  #missingCount = 0;
  #onAll: () => void = () => undefined;
  #putMs = 0;
  #latenciesMs: number[] | undefined;

  constructor(target: FanOutTarget, keyCount: number, watcherCount: number) {
    this.#target = target;
    this.#keyCount = keyCount;
    this.#watcherCount = watcherCount;
  }

  async open(): Promise<void> {
    await underWay(PUTS_UNDER_WAY, this.#watcherCount, async (index) => {
      const key = keyOf(index % this.#keyCount);
      this.#watches.push(await this.#target.watch(key, (count) => this.#came(count)));
    });
  }

  async eventRate(putCount: number, eventCount: number): Promise<number> {
    const startMs = performance.now();
    const all = this.#expect(eventCount);
    await underWay(PUTS_UNDER_WAY, putCount, (index) => this.#put(index));
    await all;
    return eventCount / ((performance.now() - startMs) / 1000);
  }

  /** From the call of a put to each of its events; the next put waits for all of them. */
  async latenciesMs(putCount: number, eventsPerPut: number): Promise<number[]> {
    const latencies: number[] = [];
    this.#latenciesMs = latencies;
    for (let index = 0; index < putCount; index++) {
      const all = this.#expect(eventsPerPut);
      this.#putMs = performance.now();
      await Promise.all([this.#put(index), all]);
    }
    this.#latenciesMs = undefined;
    return latencies;
  }

  async close(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.stop()));
  }

  #put(index: number): Promise<unknown> {
    return this.#target.put(keyOf(index % this.#keyCount), this.#values.of(index));
  }

  #expect(eventCount: number): Promise<void> {
    this.#missingCount = eventCount;
    return new Promise((resolve) => (this.#onAll = resolve));
  }

  #came(count: number): void {
    if (this.#latenciesMs !== undefined) {
      const latencyMs = performance.now() - this.#putMs;
      for (let index = 0; index < count; index++) this.#latenciesMs.push(latencyMs);
    }
    this.#missingCount -= count;
    if (this.#missingCount === 0) this.#onAll();
  }
}
