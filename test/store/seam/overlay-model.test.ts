/** Random transactions, with many writes of a key, against a plain model: what they see, what they leave, what is told. */
import { describe, expect, it } from 'vitest';
import type { WatchEvent } from '../../../src/api.ts';
import { fixed } from '../../../src/limits.ts';
import type { Version } from '../../../src/engine/version.ts';
import { keyAfter } from '../../../src/store/views/keys.ts';
import type { ReadView, Savepoint, View } from '../../../src/store/views/view.ts';
import { SeededRandom } from '../../support/random.ts';
import {
  type DraftModel,
  type ModelChange,
  type ModelEntry,
  type ModelRange,
  StoreModel,
} from './draft-model.ts';
import { ALL, bytesOf, SeamHarness, textOf } from './seam-harness.ts';

const TRANSACTIONS = 24;
const OPERATIONS_MAX = 120;
const KEYS = 2500;
const DAY_MS = 24 * 60 * 60 * 1000;
const LEASE_IDS = 12;

describe('random transactions see, leave and tell what the model does', () => {
  it.each([1, 2, 3, 4])('seed %i', { timeout: 120_000 }, async (seed) => {
    const run = await RandomRun.begin(seed);
    for (let index = 0; index < TRANSACTIONS; index++) {
      await run.transaction();
      if (index % 8 === 7) await run.expire();
      if (index % 12 === 11) await run.reopen();
    }
  });
});

type ModelSavepoint = ReturnType<DraftModel['savepoint']>;

class RandomRun {
  readonly #harness: SeamHarness;
  readonly #random: SeededRandom;
  readonly #model = new StoreModel();
  readonly #keys: string[];
  /** Of the present life of the store. */
  #committed: ModelChange[][] = [];
  #visible: [revision: number, changes: ModelChange[]][] = [];
  #watch: AsyncIterator<WatchEvent[]> | undefined;

  private constructor(harness: SeamHarness, seed: number) {
    this.#harness = harness;
    this.#random = new SeededRandom(seed);
    this.#keys = Array.from({ length: KEYS }, () => this.#key());
  }

  static async begin(seed: number): Promise<RandomRun> {
    const harness = await SeamHarness.open({ seed });
    const run = new RandomRun(harness, seed);
    await run.#listen();
    // A thousand keys and more, some of them deleted again, with leases and deadlines; a third of these is overdue soon.
    await run.#decide((view, draft) => {
      for (let leaseId = 1; leaseId <= LEASE_IDS / 2; leaseId++) run.#grant(view, draft, leaseId);
      for (let index = 0; index < KEYS; index++) run.#put(view, draft);
    });
    await run.#decide((view, draft) => {
      for (let index = 0; index < KEYS / 4; index++) run.#delete(view, draft);
    });
    return run;
  }

  async transaction(): Promise<void> {
    const random = this.#random;
    // Deadlines pass, and no timer runs.
    if (random.chance(0.7)) this.#harness.clock.jump(random.below(2000));
    const count = 1 + random.below(OPERATIONS_MAX);
    await this.#decide((view, draft) => {
      const savepoints: [Savepoint, ModelSavepoint][] = [];
      for (let index = 0; index < count; index++) this.#operation(view, draft, savepoints);
    });
  }

  /** The store's own removal of what is overdue. */
  async expire(): Promise<void> {
    const { clock } = this.#harness;
    await clock.pass(2 * fixed.expiryCheckMsMax);
    await this.#harness.durable();
    const before = this.#model.revision;
    const keys = this.#model.expire(clock.nowMs());
    const told = keys.map((key) => [
      { key, type: 'delete', reason: 'expired', replacedExpired: false } as const,
    ]);
    expect(this.#committed.splice(0)).toEqual(told);
    await this.#checkTold(told, before);
    await this.#checkState();
  }

  async reopen(): Promise<void> {
    await this.#harness.reopen();
    await this.#checkState();
    await this.#listen();
  }

  async #listen(): Promise<void> {
    const { store } = this.#harness;
    this.#committed = [];
    this.#visible = [];
    store.onCommitted((changes) =>
      this.#committed.push(
        changes.map(({ key, type, reason, replacedExpired }) => ({
          key: textOf(key),
          type,
          reason,
          replacedExpired,
        })),
      ),
    );
    store.onVisible((revision, changes) =>
      this.#visible.push([
        revision,
        changes.map(({ key, type, reason, replacedExpired }) => ({ key, type, reason, replacedExpired })),
      ]),
    );
    const watch = store.watch({ eventTypes: ['put', 'touch', 'delete'] });
    expect(await watch.next()).toMatchObject({ value: { kind: 'synced' } });
    this.#watch = (async function* transactions() {
      let events: WatchEvent[] = [];
      for await (const message of watch) {
        if (message.kind !== 'events') continue;
        events.push(...message.events);
        if (message.moreFragments) continue;
        yield events;
        events = [];
      }
    })();
  }

  async #decide(run: (view: View, draft: DraftModel) => void): Promise<void> {
    const { store, clock } = this.#harness;
    const model = this.#model;
    const draft = model.begin(clock.nowMs());
    const before = model.revision;
    const decision = store.decide((view) => run(view, draft));
    expect(decision.hasChanged).toBe(draft.hasChanged);
    const { changes } = draft;
    expect(this.#committed.splice(0)).toEqual(draft.hasChanged ? [changes] : []);
    draft.commit();
    await this.#harness.durable();
    await this.#checkTold(changes.length === 0 ? [] : [changes], before);
    await this.#checkState();
  }

  async #checkTold(told: readonly (readonly ModelChange[])[], before: number): Promise<void> {
    expect(this.#visible.splice(0)).toEqual(told.map((changes, index) => [before + index + 1, changes]));
    for (const changes of told) {
      const { value } = (await this.#watch?.next()) ?? {};
      const events = (value as WatchEvent[]).map((event) => ({
        key: event.type === 'delete' ? event.key : event.entry.key,
        type: event.type,
        reason: event.type === 'delete' ? event.reason : undefined,
        replacedExpired: event.type === 'put' && event.replacedExpired === true,
      }));
      expect(events).toEqual(changes);
    }
  }

  async #checkState(): Promise<void> {
    const { store, clock } = this.#harness;
    const model = this.#model;
    expect(store.visibleRevision).toBe(model.revision);
    const draft = model.begin(clock.nowMs());
    expect(store.readVisible((view) => listOf(view, ALL, false))).toEqual(
      draft.list({ start: '', end: undefined }),
    );
    const leases = await store.readLeases((table) =>
      table
        .list(0, 100)
        .map(({ leaseId, ttlMs, owner, keys }) => ({ leaseId, ttlMs, owner, keys: [...keys].sort() })),
    );
    expect(leases).toEqual(
      [...model.leases]
        .map(([leaseId, ttlMs]) => ({
          leaseId,
          ttlMs,
          owner: ownerOf(ttlMs),
          keys: model.keysOfLease(leaseId),
        }))
        .sort((a, b) => a.leaseId - b.leaseId),
    );
  }

  #operation(view: View, draft: DraftModel, savepoints: [Savepoint, ModelSavepoint][]): void {
    const random = this.#random;
    const dice = random.below(100);
    if (dice < 25) this.#put(view, draft);
    else if (dice < 38) this.#delete(view, draft);
    else if (dice < 44) {
      const key = this.#anyKey();
      const ttlMs = random.chance(0.3) ? 0 : 1 + random.below(DAY_MS);
      const touched = draft.touch(key, ttlMs);
      expect(entryOf(view.touch(bytesOf(key), ttlMs))).toEqual(touched);
    } else if (dice < 47) this.#deleteRange(view, draft);
    else if (dice < 52) savepoints.push([view.savepoint(), draft.savepoint()]);
    else if (dice < 55 && savepoints.length > 0) {
      const index = random.below(savepoints.length);
      const [savepoint, copy] = savepoints[index]!;
      savepoints.length = index + 1;
      view.rollBack(savepoint);
      draft.rollBack(copy);
    } else if (dice < 59) this.#changeLease(view, draft);
    else if (dice < 70) {
      const key = this.#anyKey();
      const entry = draft.read(key);
      expect(entryOf(view.read(bytesOf(key)))).toEqual(entry);
      expect(metaOf(view.readMeta(bytesOf(key)))).toEqual(entry && { ...entry, value: '' });
    } else if (dice < 82) this.#scan(view, draft);
    else this.#ask(view, draft);
    expect(view.replyRevision).toBe(draft.replyRevision);
  }

  #put(view: View, draft: DraftModel): void {
    const random = this.#random;
    const key = this.#anyKey();
    const value = textOf(random.bytes(random.chance(0.1) ? 300 : random.below(6)));
    const leaseIds = [0, 0, ...draft.leases.keys()];
    const leaseId = random.pick(leaseIds);
    const options = {
      leaseId,
      kind: random.below(3),
      // Overdue soon, late, never; or by a deadline of its own.
      ttlMs: random.pick([0, 0, 1 + random.below(10_000), DAY_MS]),
      ...(random.chance(0.1) && { expireTimeMs: view.instantMs + 1 + random.below(5000) }),
    };
    const expected = draft.put(key, value, options);
    expect(entryOf(view.put(bytesOf(key), bytesOf(value), options))).toEqual(expected);
  }

  #delete(view: View, draft: DraftModel): void {
    const key = this.#anyKey();
    const reason = this.#random.pick(['requested', 'expired'] as const);
    const deleted = draft.delete(key, reason);
    const meta = metaOf(view.delete(bytesOf(key), reason));
    expect(meta && { ...meta, value: '' }).toEqual(deleted && { ...deleted, value: '' });
  }

  #deleteRange(view: View, draft: DraftModel): void {
    const random = this.#random;
    const range = this.#range();
    const keysMax = random.pick([1, 7, Infinity]);
    const all = draft.list(range).map(([key]) => key);
    const deleted = all.slice(0, keysMax);
    for (const key of deleted) draft.delete(key, 'requested');
    const { count, nextKey } = view.deleteRange(engineRange(range), { keysMax, bytesMax: Infinity });
    expect(count).toBe(deleted.length);
    if (deleted.length < all.length) {
      expect(nextKey && textOf(nextKey) <= all[deleted.length]!).toBe(true);
      expect(nextKey && textOf(nextKey) > deleted.at(-1)!).toBe(true);
    }
    if (keysMax === Infinity) expect(nextKey).toBeUndefined();
  }

  #changeLease(view: View, draft: DraftModel): void {
    const random = this.#random;
    const leaseId = 1 + random.below(LEASE_IDS);
    if (!draft.leases.has(leaseId)) {
      expect(view.lease(leaseId)).toBeUndefined();
      if (draft.canGrant(leaseId)) this.#grant(view, draft, leaseId);
    } else if (random.chance(0.6)) {
      draft.renewLease();
      view.renewLease(leaseId);
      const ttlMs = draft.leases.get(leaseId);
      expect(view.lease(leaseId)).toEqual({ leaseId, ttlMs, remainingMs: ttlMs, owner: ownerOf(ttlMs) });
    } else {
      const count = draft.endLease(leaseId, 'leaseRevoked');
      expect(view.endLease(leaseId, 'leaseRevoked')).toBe(count);
      expect(view.lease(leaseId)).toBeUndefined();
    }
  }

  #grant(view: View, draft: DraftModel, leaseId: number): void {
    const ttlMs = DAY_MS * (1 + this.#random.below(100));
    draft.grantLease(leaseId, ttlMs);
    view.grantLease(leaseId, ttlMs, ownerOf(ttlMs));
    expect(view.lease(leaseId)).toEqual({ leaseId, ttlMs, remainingMs: ttlMs, owner: ownerOf(ttlMs) });
  }

  /** Piece by piece, each ended by its visitor or by a small budget. */
  #scan(view: View, draft: DraftModel): void {
    const random = this.#random;
    const reverse = random.chance(0.5);
    const range = this.#range();
    const expected = draft.list(range);
    if (reverse) expected.reverse();
    const seen: [string, ModelEntry][] = [];
    let { start, end } = engineRange(range);
    let last: Uint8Array | undefined;
    for (;;) {
      const visits = random.pick([1, 2, 5, 50, fixed.requestVisitsMax]);
      const entriesMax = random.pick([1, 3, 40, Infinity]);
      let entries = 0;
      view.budget.begin(visits);
      const next = view.scan({ start, end }, reverse, (shown) => {
        seen.push([textOf(shown.key), entryOf(shown)!]);
        return ++entries < entriesMax;
      });
      expect(entries).toBeLessThanOrEqual(Math.min(entriesMax, visits + 1));
      if (next === undefined) break;
      // Each piece goes on.
      if (last !== undefined) expect(Buffer.compare(next, last) * (reverse ? -1 : 1)).toBeGreaterThan(0);
      last = next;
      if (reverse) end = keyAfter(next);
      else start = next;
    }
    view.budget.begin();
    expect(seen).toEqual(expected);
  }

  #ask(view: View, draft: DraftModel): void {
    const random = this.#random;
    const range = this.#range();
    const keys = draft.list(range).map(([key]) => key);
    const asked = engineRange(range);
    expect(view.count(asked)).toBe(keys.length);
    for (const index of [0, random.below(keys.length + 1), Math.max(0, keys.length - 1), keys.length]) {
      const selected = view.select(asked, index);
      expect(selected && textOf(selected)).toBe(keys[index]);
    }
    const key = this.#anyKey();
    expect(view.rank(asked, bytesOf(key))).toBe(keys.filter((each) => each < key).length);
  }

  /** Often one of few, so that keys are written many times. */
  #anyKey(): string {
    const random = this.#random;
    return this.#keys[random.below(random.chance(0.5) ? 20 : KEYS)]!;
  }

  #range(): ModelRange {
    const random = this.#random;
    if (random.chance(0.15)) return { start: '', end: undefined };
    const [start = '', end = ''] = [this.#anyKey(), random.chance(0.3) ? this.#anyKey() : this.#key()].sort();
    if (start === end || random.chance(0.1)) return { start, end: undefined };
    return { start, end };
  }

  #key(): string {
    const random = this.#random;
    const prefix = random.chance(0.2) ? 'a long prefix that many of the keys have: ' : '';
    const length = random.between(1, 5);
    return (
      prefix + Array.from({ length }, () => random.pick(['\0', 'a', 'b', 'c', '0', '1', '\x7f'])).join('')
    );
  }
}

function engineRange({ start, end }: ModelRange): { start: Uint8Array; end: Uint8Array | undefined } {
  return { start: bytesOf(start), end: end === undefined ? undefined : bytesOf(end) };
}

function listOf(view: ReadView, range: typeof ALL, reverse: boolean): [string, ModelEntry][] {
  const entries: [string, ModelEntry][] = [];
  const next = view.scan(range, reverse, (shown) => {
    entries.push([textOf(shown.key), entryOf(shown)!]);
    return true;
  });
  expect(next).toBeUndefined();
  return entries;
}

function entryOf(version: Version | undefined): ModelEntry | undefined {
  return version && { ...metaOf(version)!, value: textOf(version.value) };
}

/** Without the value, which may or may not have been read. */
/** The owner that a lease is granted, told by its time to live. */
function ownerOf(ttlMs = 0): string {
  return `user ${ttlMs}`;
}

function metaOf(version: Version | undefined): ModelEntry | undefined {
  if (version === undefined) return undefined;
  const { kind, createRevision, modRevision, revision, leaseId, ttlMs, expireTimeMs } = version;
  return {
    value: '',
    kind,
    createRevision,
    modRevision,
    version: version.version,
    revision,
    leaseId,
    ttlMs,
    expireTimeMs,
  };
}
