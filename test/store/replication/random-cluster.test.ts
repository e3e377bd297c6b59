/**
 * Stores that follow a writer under writes of all kinds: after each step all have the same state, at old revisions too, and the same
 * is told to watches. They are closed, killed and opened again, and take over from each other.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { SeededRandom } from '../../support/random.ts';
import { messageText, Watching } from '../model/readable.ts';
import { writeSomething } from './random-writes.ts';
import { expectSame, linesOf, unsweptCount } from './same-state.ts';
import { SharedBatches } from './shared-batches.ts';
import { TestNode } from './test-node.ts';

const SEEDS = [1, 2, 3, 4];
const STEPS = 220;
const LIMITS = {
  historyRevisionsMax: 400,
  snapshotLogBytes: 20_000,
  segmentBytes: 8192,
  logRetentionBytes: 30_000,
};
const ALL_TYPES = ['put', 'delete', 'touch'] as const;

/** What a watch of a node has been told, with no gap when the node is opened again. */
class Told {
  readonly #node: TestNode;
  #watching: Watching | undefined;
  texts: string[] = [];

  constructor(node: TestNode) {
    this.#node = node;
  }

  begin(fromRevision: number): void {
    this.texts = [];
    this.#watching = new Watching(this.#node.kv, {
      startRevision: fromRevision,
      eventTypes: [...ALL_TYPES],
      returnPrevious: true,
    });
  }

  /** Reads up to the revision, which must have an event. */
  async readTo(revision: number): Promise<void> {
    if (this.#watching === undefined) throw new Error('no watch was begun');
    for (;;) {
      const message = await this.#watching.next();
      if (message.kind !== 'events') continue;
      this.texts.push(messageText(message));
      if (message.revision === revision && !message.moreFragments) return;
    }
  }

  async stop(): Promise<void> {
    await this.#watching?.stop();
    this.#watching = undefined;
  }
}

class RandomCluster {
  readonly shared = new SharedBatches();
  readonly #random: SeededRandom;
  readonly #nodes: TestNode[] = [];
  readonly #told = new Map<TestNode, Told>();
  #writer: TestNode | undefined;
  #markCount = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  async open(): Promise<void> {
    for (const [index, nowMs] of [1_000_000, 90_000_000, 500_000].entries()) {
      const options = { name: `node-${index}`, seed: this.#random.below(1000), limits: LIMITS, nowMs };
      this.#nodes.push(await TestNode.open(this.shared, options));
    }
    const [first] = this.#nodes;
    if (first === undefined) throw new Error('there is a node');
    this.#writer = first;
    await first.lead();
    for (const node of this.#nodes) this.#told.set(node, new Told(node));
    await this.#beginWatches();
  }

  get #leader(): TestNode {
    if (this.#writer === undefined) throw new Error('there is a writer');
    return this.#writer;
  }

  get #followers(): readonly TestNode[] {
    return this.#nodes.filter((node) => node !== this.#writer);
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      await this.#step();
      if (step % 10 === 9) await this.check();
    }
    await this.check();
    await this.#checkSwept();
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const dice = random.below(100);
    const follower = random.pick(this.#followers);
    if (dice < 76) await writeSomething(this.#leader.kv, random);
    else if (dice < 84) await this.#leader.clock.pass(random.pick([10, 400, 1500]));
    else if (dice < 87) await follower.clock.pass(random.pick([10, 5000]));
    else if (dice < 91) await this.#followers[0]?.follow();
    else if (dice < 92) await this.#compact();
    else if (dice < 93) await follower.store.snapshot();
    else if (dice < 94) await this.#leader.store.snapshot();
    else if (dice < 96) await this.#reopen(follower, () => follower.reopen());
    else if (dice < 98)
      await this.#reopen(follower, () => follower.crash(random.pick(['endProcess', 'losePower'])));
    else await this.#takeOver(follower);
  }

  async #compact(): Promise<void> {
    // It ends watches that are behind.
    await this.check();
    const { store, kv } = this.#leader;
    const { oldestRevision } = store.status();
    await kv.compact(this.#random.between(Math.max(oldestRevision, 1), store.visibleRevision));
    await this.check();
    const { oldestRevision: oldest } = store.status();
    for (const node of this.#followers)
      await passUntil(node, () => node.store.status().oldestRevision >= oldest);
  }

  async #reopen(node: TestNode, open: () => Promise<void>): Promise<void> {
    await this.check();
    await this.#told.get(node)?.stop();
    await open();
    await node.follow();
    await this.#beginWatches();
  }

  /** The writer is not told: it finds out. */
  async #takeOver(next: TestNode): Promise<void> {
    await this.check();
    const before = this.#leader;
    await next.lead();
    this.#writer = next;
    const refused = await before.kv.put('lost', 'x').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'storageFailed' });
    expect(before.events.at(-1)).toMatchObject({ kind: 'overtaken' });
    await this.#told.get(before)?.stop();
    await before.close().catch(() => undefined);
    before.clock.dropTimers();
    await before.open();
    await this.check(false);
    await this.#beginWatches();
  }

  async #beginWatches(): Promise<void> {
    const { revision } = await this.#leader.kv.put('mark', `${this.#markCount++}`);
    for (const node of this.#followers) await node.follow();
    for (const told of this.#told.values()) {
      await told.stop();
      told.begin(revision);
    }
    for (const told of this.#told.values()) await told.readTo(revision);
  }

  async check(isWatched = true): Promise<void> {
    const { kv, store } = this.#leader;
    const { revision } = await kv.put('mark', `${this.#markCount++}`);
    for (const node of this.#followers) {
      await node.follow();
      await expectSame(store, node.store);
      // The newest record is that of the mark: time stands there.
      const instantMs = instantOf(node);
      expect(instantMs).toBe(instantOf(this.#leader));
      expect(linesOf(node.store, revision, instantMs)).toEqual(linesOf(store, revision, instantMs));
    }
    if (!isWatched) return;
    const texts: string[][] = [];
    for (const told of this.#told.values()) {
      await told.readTo(revision);
      texts.push(told.texts);
    }
    for (const other of texts.slice(1)) expect(other).toEqual(texts[0]);
    await this.#checkOldWatches(revision);
  }

  async #checkOldWatches(revision: number): Promise<void> {
    const startRevision = this.#random.between(Math.max(revision - 30, 1), revision);
    const texts: string[][] = [];
    for (const node of this.#nodes) {
      // Segments that are not needed go meanwhile.
      if (startRevision < node.store.status().oldestWatchRevision) continue;
      const watching = new Watching(node.kv, { startRevision, eventTypes: [...ALL_TYPES] });
      texts.push(await watching.textsBefore('synced'));
      await watching.stop();
    }
    for (const other of texts.slice(1)) expect(other).toEqual(texts[0]);
  }

  /** Once history has passed them, no elements are left that no key has, here or there. */
  async #checkSwept(): Promise<void> {
    const { kv, clock } = this.#leader;
    // What is still to expire leaves more of them.
    await clock.pass(20_000);
    for (let index = 0; index <= LIMITS.historyRevisionsMax; index++) await kv.put('mark', `${index}`);
    for (const node of this.#followers) await node.follow();
    for (const node of this.#nodes) {
      await passUntil(node, () => unsweptCount(node.store) === 0);
    }
  }

  async close(): Promise<void> {
    for (const told of this.#told.values()) await told.stop();
    for (const node of this.#nodes) await node.close().catch(() => undefined);
  }
}

/** A snapshot that is being written, which takes time of its own, holds up what is to be dropped. */
async function passUntil(node: TestNode, isReached: () => boolean): Promise<void> {
  while (!isReached()) await node.clock.pass(1000);
}

/** The time of its reads. */
function instantOf({ store }: TestNode): number {
  return store.readVisible((view) => view.instantMs);
}

describe.each(SEEDS)('with seed %i', (seed) => {
  let cluster: RandomCluster | undefined;
  afterEach(async () => await cluster?.close());

  test('all nodes come to the same state, and tell the same', { timeout: 60_000 }, async () => {
    cluster = new RandomCluster(seed);
    await cluster.open();
    await cluster.run();
  });
});
