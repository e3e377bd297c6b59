/** The store beside its model: random calls, the same answers, the same history and the same events. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeapEngine } from '../../engine/contract/heap-engine.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { StoreError } from '../../../src/errors.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Entry, OperationResult, Store, WatchEvent } from '../../../src/api.ts';
import { plain, Watching } from './readable.ts';
import { steps, type Call, type Step } from './random-calls.ts';
import { verifyIntegrity } from '../../engine/memory/integrity.ts';
import { MirrorEngine } from '../../engine/contract/mirror-engine.ts';
import { answered, KEYS, ModelError, StoreModel, type ModelEvent } from './store-model.ts';
import { MemoryHarness } from './store-harness.ts';

const engines: readonly [string, () => Engine][] = [
  ['MemoryEngine', () => new MemoryEngine()],
  ['MemoryEngine beside HeapEngine', () => new MirrorEngine(new MemoryEngine(), new HeapEngine())],
];

describe.each(engines)('a store over %s', (_name, makeEngine) => {
  it('answers as its model does, and its watches tell the same story', { timeout: 180_000 }, async () => {
    const property = fc.asyncProperty(steps, fc.nat(), async (row, seed) => {
      let newest: Engine | undefined;
      const makeAndKeep = (): Engine => (newest = makeEngine());
      const run = await SideBySide.open(makeAndKeep, seed);
      try {
        for (const step of row) await run.step(step);
        await run.checkHistory();
        if (newest !== undefined) verifyIntegrity(newest);
      } finally {
        await run.end();
      }
    });
    await fc.assert(property, { numRuns: 200 });
  });
});

/** A store and its model, which are asked the same. */
class SideBySide {
  readonly #harness: MemoryHarness;
  readonly #model: StoreModel;
  #watching: Watching;
  /** By revision, from 1: what the watch said. */
  readonly #seen: unknown[][] = [];

  private constructor(harness: MemoryHarness) {
    this.#harness = harness;
    this.#model = new StoreModel(harness.clock.nowMs());
    this.#watching = this.#watch();
  }

  static async open(makeEngine: () => Engine, seed: number): Promise<SideBySide> {
    return new SideBySide(await MemoryHarness.open({ makeEngine, seed, limits: { segmentBytes: 4096 } }));
  }

  async step(step: Step): Promise<void> {
    if ('call' in step) await this.#call(step);
    else if (step.step === 'advance') await this.#advance(step.ms);
    else if (step.step === 'snapshot') await this.#harness.store.snapshot();
    else if (step.step === 'jump') await this.#jump(step.ms, step.calls);
    else await this.#restart(step);
    await this.#readWatch();
    const { revision, keyCount, leaseCount, oldestRevision } = await this.#harness.store.status();
    expect({ revision, keyCount, leaseCount, oldestRevision }).toEqual({
      revision: this.#model.revision,
      keyCount: this.#model.keyCount,
      leaseCount: this.#model.leases.size,
      oldestRevision: this.#model.oldestRevision,
    });
  }

  /** All that can be read of the past, and all that a watch can tell of it. */
  async checkHistory(): Promise<void> {
    const { store } = this.#harness;
    const { oldestWatchRevision } = await store.status();
    for (
      let revision = Math.max(1, this.#model.oldestRevision);
      revision <= this.#model.revision;
      revision++
    ) {
      const { entries } = await store.scan({}, { revision });
      expect(entries.map(plain), `at revision ${revision}`).toEqual(this.#model.scan({}, revision, false));
    }
    const expected = this.#model.events.map((events) => events.map((event) => modelEvent(event, true)));
    expect(this.#seen).toEqual(expected);
    const fromLog = new Watching(store, {
      startRevision: oldestWatchRevision,
      eventTypes: ['put', 'delete', 'touch'],
    });
    const rest = this.#model.events.slice(oldestWatchRevision - 1);
    for (const [index, events] of rest.entries()) {
      const message = await fromLog.next();
      if (message.kind !== 'events') throw new Error(`a message of kind ${message.kind}`);
      expect(message.revision).toBe(oldestWatchRevision + index);
      expect(message.events.map(storeEvent)).toEqual(events.map((event) => modelEvent(event, false)));
    }
    expect(await fromLog.nextText()).toBe(`synced ${this.#model.revision}`);
  }

  async end(): Promise<void> {
    await this.#harness.end();
  }

  async #call(call: Call): Promise<void> {
    const { store } = this.#harness;
    // A compaction ends watches that are behind.
    if (call.call === 'compact') await this.#readWatch();
    const expected = await outcomeOf(async () => askModel(this.#model, call));
    const actual = await outcomeOf(() => askStore(store, call, this.#model));
    expect(
      actual,
      JSON.stringify(call, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
    ).toEqual(expected);
  }

  /** From deadline to deadline, so that the order of removals at each is all there is to know. */
  async #advance(ms: number): Promise<void> {
    for (let leftMs = ms; leftMs > 0;) {
      const stepMs = Math.min(leftMs, Math.max(1, this.#model.nextDeadlineMs()));
      this.#model.advance(stepMs);
      await this.#harness.advance(stepMs);
      leftMs -= stepMs;
      await this.#readWatch();
    }
  }

  async #jump(ms: number, calls: readonly Call[]): Promise<void> {
    this.#harness.clock.jump(ms);
    this.#model.nowMs += ms;
    for (const call of calls) await this.#call(call);
    // What is overdue by now is removed first of all by the next life.
    await this.#restart({ step: 'reopen', downMs: 0 });
  }

  async #restart(step: Extract<Step, { step: 'reopen' | 'crash' }>): Promise<void> {
    const harness = this.#harness;
    await this.#watching.stop();
    if (step.step === 'reopen') {
      await harness.reopen(step.downMs);
      this.#model.nowMs += step.downMs;
    } else {
      await harness.crash(step.how);
      await this.#takeLeaseClock();
    }
    // History may reach further back than before: the log still had it.
    const { oldestRevision } = await harness.store.status();
    expect(oldestRevision).toBeLessThanOrEqual(this.#model.oldestRevision);
    this.#model.oldestRevision = oldestRevision;
    this.#watching = this.#watch();
    this.#model.advance(0);
    await harness.advance(0);
  }

  /** After a crash a lease may have regained the time since the last note of the lease clock, no more. */
  async #takeLeaseClock(): Promise<void> {
    const { leases } = await this.#harness.store.listLeases();
    expect(leases.map(({ leaseId }) => leaseId)).toEqual(
      [...this.#model.leases.keys()].sort((a, b) => a - b),
    );
    for (const { leaseId, remainingMs, ttlMs } of leases) {
      const lease = this.#model.leases.get(leaseId);
      if (lease === undefined) continue;
      expect(remainingMs).toBeGreaterThanOrEqual(lease.remainingMs);
      expect(remainingMs).toBeLessThanOrEqual(Math.min(ttlMs, lease.remainingMs + 2000));
      lease.remainingMs = remainingMs;
    }
  }

  #watch(): Watching {
    return new Watching(this.#harness.store, {
      startRevision: this.#seen.length + 1,
      eventTypes: ['put', 'delete', 'touch'],
      returnPrevious: true,
    });
  }

  /** Reads the watch up to the newest revision. */
  async #readWatch(): Promise<void> {
    while (this.#seen.length < this.#model.revision) {
      const message = await this.#watching.next();
      if (message.kind !== 'events') continue;
      expect(message.revision).toBe(this.#seen.length + 1);
      expect(message.moreFragments).toBe(false);
      this.#seen.push(message.events.map(storeEvent));
    }
  }
}

interface Outcome {
  readonly answer?: unknown;
  readonly code?: string;
  readonly details?: unknown;
}

async function outcomeOf(ask: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { answer: await ask() };
  } catch (error) {
    if (error instanceof ModelError || error instanceof StoreError)
      return { code: error.code, details: error.details };
    throw error;
  }
}

function askModel(model: StoreModel, call: Call): unknown {
  switch (call.call) {
    case 'put':
      return model.put(call.key, call.value, call.options);
    case 'delete':
      return model.delete(call.key, call.condition, call.returnPrevious);
    case 'deleteRange':
      return model.deleteRange(call.range);
    case 'increment':
      return model.increment(call.key, call.delta, call.ttlMs ?? 0);
    case 'touch':
      return model.touch(call.key, call.ttlMs);
    case 'refresh':
      return model.refresh(call.key);
    case 'get':
      return model.get(call.key);
    case 'getAt':
      return model.get(call.key, revisionOf(model, call.part));
    case 'scan':
      return model.scan(call.range, revisionOf(model, call.part), call.reverse);
    case 'exists':
      return model.exists(KEYS);
    case 'txn':
      return model.txn(call.request);
    case 'grantLease':
      return model.grantLease(call.leaseId, call.ttlMs);
    case 'renewLease':
      return model.renewLease(call.leaseId);
    case 'revokeLease':
      return model.revokeLease(call.leaseId);
    case 'getLease':
      return model.getLease(call.leaseId);
    case 'compact':
      return model.compact(Math.max(1, revisionOf(model, call.part)));
  }
}

/** @param model only to turn parts into revisions; it has answered already, which may have taken no revision. */
async function askStore(store: Store, call: Call, model: StoreModel): Promise<unknown> {
  switch (call.call) {
    case 'put':
      return readable(await store.put(call.key, call.value, call.options));
    case 'delete': {
      const { key, condition, returnPrevious } = call;
      return readable(await store.delete(key, { returnPrevious, ...(condition && { condition }) }));
    }
    case 'deleteRange':
      return await store.deleteRange(call.range, { inParts: call.inParts });
    case 'increment':
      return await store.increment(
        call.key,
        call.delta,
        call.ttlMs === undefined ? {} : { ttlMs: call.ttlMs },
      );
    case 'touch':
      return readable(await store.touch(call.key, call.ttlMs === undefined ? {} : { ttlMs: call.ttlMs }));
    case 'refresh':
      return readable(await store.get(call.key, { refreshTtl: true }));
    case 'get':
      return readable(await store.get(call.key));
    case 'getAt':
      return readable(await store.get(call.key, { revision: revisionOf(model, call.part) }));
    case 'scan':
      return await scanAll(store, call, revisionOf(model, call.part));
    case 'exists':
      return (await store.exists(KEYS)).exists;
    case 'txn': {
      const { results, ...rest } = await store.txn(call.request);
      return { ...rest, results: results.map(readable) };
    }
    case 'grantLease':
      return await store.grantLease(call.ttlMs, call.leaseId);
    case 'renewLease':
      return await store.renewLease(call.leaseId);
    case 'revokeLease':
      return await store.revokeLease(call.leaseId);
    case 'getLease':
      return await store.getLease(call.leaseId, { includeKeys: true });
    case 'compact':
      return await store.compact(Math.max(1, revisionOf(model, call.part)));
  }
}

/** 0, the newest, stands for the newest now. */
function revisionOf(model: StoreModel, part: number): number {
  return part < 0.3 ? 0 : Math.round(part * model.revision);
}

async function scanAll(store: Store, call: Call & { call: 'scan' }, revision: number): Promise<unknown> {
  const { limit, reverse, range } = call;
  const entries: unknown[] = [];
  let pageToken = '';
  do {
    const page = await store.scan(range, { revision, reverse, limit, pageToken });
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    entries.push(...page.entries.map(plain));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  const count = await store.count(range, { revision });
  expect(count.count).toBe(entries.length);
  return entries;
}

/** An answer with its entries in plain form. */
function readable(
  answer: { entry?: Entry | undefined; previous?: Entry | undefined } | OperationResult,
): unknown {
  return {
    ...answer,
    ...('entry' in answer && { entry: plain(answer.entry) }),
    ...('previous' in answer && { previous: plain(answer.previous) }),
  };
}

/** An event of a watch in the form of `modelEvent`. */
function storeEvent(event: WatchEvent): unknown {
  const previous = plain(event.previous);
  if (event.type === 'delete') {
    const { type, key, reason } = event;
    return { type, key, reason, replacedExpired: false, entry: undefined, previous };
  }
  const { type, entry, replacedExpired = false } = event;
  return { type, key: entry.key, reason: undefined, replacedExpired, entry: plain(entry), previous };
}

function modelEvent(event: ModelEvent, withPrevious: boolean): unknown {
  const { type, key, reason, replacedExpired, entry, previous } = event;
  const value = type === 'touch' ? { value: '' } : {};
  return {
    type,
    key,
    reason,
    replacedExpired,
    entry: entry && { ...answered(entry), ...value },
    previous: withPrevious && previous !== undefined ? answered(previous) : undefined,
  };
}
