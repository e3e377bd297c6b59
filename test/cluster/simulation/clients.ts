/**
 * Clients of a simulated cluster. Each goes to any node, gives up after a while, and goes to another. What they were told is held
 * against the truth:
 *
 * - What was acknowledged lies in the shared log by then, as it was asked for.
 * - What was refused lies there never.
 * - A read behind a barrier sees all that was acknowledged, or was seen by such a read, before it was asked.
 * - A watch goes on from node to node, and gets each event once, in order.
 */
import { StoreError, isStoreError } from '../../../src/errors.ts';
import type { NamedKey, WatchMessage } from '../../../src/api.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import type { SimulatedNode } from './simulated-node.ts';
import { text } from './checks.ts';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
/** A client that has no answer by then goes elsewhere. */
const PATIENCE_MS = 3_000;
const REST_MS_MAX = 60;

/** Nothing has changed. */
const refusals: ReadonlySet<string> = new Set([
  'notWriter',
  'readOnly',
  'limitReached',
  'closed',
  'leaseNotFound',
]);

export class Clients {
  /** Values that lie in the log never. */
  readonly refused = new Set<string>();
  ackedCount = 0;
  readCount = 0;
  watchedCount = 0;
  /** The next revision that the watch has not seen. */
  nextRevision = 1;
  readonly #cluster: SimulatedCluster;
  /** What a read that is asked now must show. */
  #floorRevision = 0;
  #valueCount = 0;
  #isOver = false;
  #incarnation = '';

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  start(writerCount: number): void {
    for (let index = 0; index < writerCount; index++) this.#begin(() => this.#write());
    this.#begin(() => this.#read());
    this.#begin(() => this.#read());
    this.#begin(() => this.#watch());
  }

  /** Whether a write of late was refused since the shared log is too long. */
  isRefused = false;

  /** Whether the watch has had all events. */
  get hasSeenAll(): boolean {
    return this.#nextEvent(fixedMax) === undefined;
  }

  /** No call is begun any more but those of the watch. */
  stopWriting(): void {
    this.#isOver = true;
  }

  checkRefused(): void {
    const { truth } = this.#cluster.world;
    for (let revision = 1; revision <= truth.revision; revision++) {
      for (const { value } of truth.changesOf(revision)) {
        if (value !== undefined && this.refused.has(value))
          throw new Error(`${value} was refused, and is revision ${revision}`);
      }
    }
  }

  #begin(run: () => Promise<void>): void {
    run().catch(this.#cluster.world.fail);
  }

  async #write(): Promise<void> {
    const { world, random } = this.#cluster;
    while (!this.#isOver) {
      await world.time.sleep(random.below(REST_MS_MAX));
      const node = random.chance(0.9) ? this.#cluster.writer : random.pick(this.#cluster.nodes);
      const store = node?.store;
      if (node === undefined || store === undefined) continue;
      const value = `v${++this.#valueCount}`;
      const key = random.pick(KEYS);
      try {
        const drawn = random.below(12);
        const call =
          drawn === 0
            ? store.delete(key).then(({ revision, deleted }) => (deleted ? revision : undefined))
            : drawn === 1
              ? store.put(key, value, { ttlMs: random.between(50, 4000) }).then(({ revision }) => revision)
              : store.put(key, value.repeat(random.chance(0.05) ? 200 : 1)).then(({ revision }) => revision);
        const revision = await this.#answer(node, call);
        if (revision === undefined) continue;
        this.ackedCount++;
        this.isRefused = false;
        this.#acked(node, key, drawn === 0 ? undefined : value, revision);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (error.code === 'limitReached') this.isRefused = true;
        if (refusals.has(error.code)) this.refused.add(value);
        else if (error.code !== 'storageFailed') throw error;
      }
    }
  }

  #acked(node: SimulatedNode, key: string, value: string | undefined, revision: number): void {
    const { world } = this.#cluster;
    world.checked(() => {
      const change = world.truth.changesOf(revision).find((each) => each.key === key);
      if (change === undefined || !(change.value ?? '').startsWith(value ?? ''))
        throw new Error(
          `${node.name} acknowledged ${key}=${value} as revision ${revision}, which has ${change?.value}`,
        );
    });
    this.#floorRevision = Math.max(this.#floorRevision, revision);
  }

  async #read(): Promise<void> {
    const { world, random } = this.#cluster;
    while (!this.#isOver) {
      await world.time.sleep(random.below(REST_MS_MAX));
      const node = random.pick(this.#cluster.nodes);
      const { opened } = node;
      if (opened === undefined || !node.process.isRunning) continue;
      const floor = this.#floorRevision;
      const end = new AbortController();
      const timer = node.process.clock.setTimer(PATIENCE_MS, () =>
        end.abort(new StoreError('closed', 'late')),
      );
      try {
        const isHeard = await this.#answer(
          node,
          opened.node.readBarrier(end.signal).then(() => true),
        );
        if (isHeard !== true) continue;
        const { visibleRevision } = opened.store.seam;
        this.readCount++;
        if (visibleRevision < floor)
          world.fail(
            `${node.name} reads revision ${visibleRevision} behind a barrier, and ${floor} was known`,
          );
        this.#floorRevision = Math.max(this.#floorRevision, visibleRevision);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
      } finally {
        timer.cancel();
      }
    }
  }

  /** @returns `undefined`: there is no answer, be it that the node has died. */
  #answer<Result>(node: SimulatedNode, call: Promise<Result>): Promise<Result | undefined> {
    const { time } = this.#cluster.world;
    call.catch(() => undefined);
    return Promise.race([call, time.sleep(PATIENCE_MS + 500), node.died]) as Promise<Result | undefined>;
  }

  async #watch(): Promise<void> {
    const { world, random, nodes } = this.#cluster;
    for (;;) {
      await world.time.sleep(random.between(1, 100));
      const node = random.pick(nodes);
      const store = node.store;
      if (store === undefined) continue;
      const end = new AbortController();
      const leave = world.time.sleep(random.between(200, 4000));
      try {
        const { nextRevision: startRevision } = this;
        if (startRevision > store.seam.visibleRevision + 1) continue;
        const watch = store.watch({ startRevision, incarnation: this.#incarnation, signal: end.signal });
        for (;;) {
          const next = await Promise.race([watch.next(), leave, node.died]);
          if (typeof next !== 'object' || next.done === true) break;
          this.#see(node, next.value);
        }
      } catch (error) {
        if (isStoreError(error, 'revisionCompacted')) this.#missed();
        else if (!(error instanceof StoreError) || error.code === 'historyDiffers') throw error;
      } finally {
        end.abort();
      }
    }
  }

  #see(node: SimulatedNode, message: WatchMessage): void {
    const { truth } = this.#cluster.world;
    if (message.kind === 'current') return;
    const expected = this.#nextEvent(message.kind === 'events' ? fixedMax : message.revision);
    if (message.kind !== 'events') {
      if (expected !== undefined)
        throw new Error(
          `the watch at ${node.name} has passed over revision ${expected}, and is at ${message.revision}`,
        );
      this.nextRevision = message.revision + 1;
      if (message.incarnation !== '') this.#incarnation = message.incarnation;
      return;
    }
    if (message.revision !== expected)
      throw new Error(
        `the watch at ${node.name} gets revision ${message.revision} where ${expected} comes next`,
      );
    const events = message.events.map((event) =>
      event.type === 'delete'
        ? `delete ${keyText(event)}=`
        : `${event.type} ${keyText(event.entry)}=${text(event.entry.value)}`,
    );
    const changes = truth
      .changesOf(message.revision)
      .map(({ type, key, value }) => `${type} ${key}=${value ?? ''}`);
    if (events.sort().join() !== changes.sort().join())
      throw new Error(
        `the watch at ${node.name} gets ${events.join()} as revision ${message.revision}, which is ${changes.join()}`,
      );
    this.watchedCount++;
    this.nextRevision = message.revision + 1;
    this.#incarnation = message.incarnation;
  }

  /** The next revision that a watch has to be told of, up to that one. */
  #nextEvent(revisionMax: number): number | undefined {
    const { truth } = this.#cluster.world;
    for (let revision = this.nextRevision; revision <= Math.min(truth.revision, revisionMax); revision++) {
      if (truth.changesOf(revision).some(({ type }) => type !== 'touch')) return revision;
    }
    return undefined;
  }

  /** A node that began with a snapshot has no older events. Where all nodes have none, the watch begins anew. */
  #missed(): void {
    const stores = this.#cluster.nodes.map(({ store }) => store);
    const oldest = stores.map((store) => store?.seam.status().oldestWatchRevision ?? 0);
    if (oldest.some((revision) => revision < this.nextRevision)) return;
    this.nextRevision = Math.min(...oldest) + 1;
    this.#incarnation = '';
  }
}

const fixedMax = Number.MAX_SAFE_INTEGER;

function keyText({ key }: NamedKey): string {
  return typeof key === 'string' ? key : text(key);
}
