/**
 * Opens a node of a cluster: its store, and what keeps that in step with the shared log. A node whose next batch is no longer in the shared
 * log first gets a snapshot from another one, and opens that; so does one whose disk is damaged, unless the shared log has all.
 */
import type { Clock, Random } from '../clock.ts';
import { systemClock, systemRandom } from '../clock.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { isStoreError, StoreError } from '../errors.ts';
import { cluster as limits, defaults } from '../limits.ts';
import { openUncheckedStore } from '../kv/open-store.ts';
import type { KvStore } from '../kv/kv-store.ts';
import type { SharedLog } from '../shared-log/shared-log.ts';
import { dataDirectory } from '../store/directory/data-directory.ts';
import type { OperatorEvent } from '../store/operator-event.ts';
import type { StoreOptions } from '../store/store-options.ts';
import type { ClusterEvent } from './cluster-event.ts';
import { ReplicatedJournal } from './journal/replicated-journal.ts';
import { replaceableDamage } from './late/damaged-state.ts';
import { type FetchOptions, fetchState } from './late/fetch-state.ts';
import { firstPositionBehind, firstPositionBeyond } from './late/find-writer.ts';
import { clearReset, dropState, type NodeDirectory } from './late/replace-state.ts';
import { newestReadablePlace, newestSnapshotPosition } from './late/snapshot-places.ts';
import type { ClusterNode, Peers } from './node.ts';
import { RunningNode } from './running-node.ts';

export interface NodeOptions {
  /** `dataDir` is a folder, and the engine `memory`. */
  readonly store: StoreOptions;
  /** Was made (`SharedLog.init`), and belongs to this node from now on: its `close`, or a failure to open, closes it. */
  readonly sharedLog: SharedLog;
  readonly peers: Peers;
  /** Where this node is reached by clients and by the other nodes: see `node-address.ts`. */
  readonly address: string;
  /** Default: `limits.cluster.failoverAfterMs`. */
  readonly failoverAfterMs?: number;
  /** What the shared log may hold; default: `limits.cluster.sharedLogBytesMax`. */
  readonly sharedLogBytesMax?: number;
  readonly onEvent?: (event: ClusterEvent) => void;
}

export interface OpenedNode {
  readonly store: KvStore;
  readonly node: ClusterNode;
}

/**
 * Waits until the shared log answers, and until a snapshot is there if one is needed. Rejects with what `openStore` does, with a
 * `SharedLogError` when the shared log is not what it must be, and with the signal's reason.
 */
export async function openNode(options: NodeOptions, signal: AbortSignal): Promise<OpenedNode> {
  try {
    return await new Opening(options).open(signal);
  } catch (error) {
    options.sharedLog.close();
    throw error;
  }
}

class Opening {
  readonly #options: NodeOptions;
  readonly #directory: NodeDirectory;
  readonly #random: Random;
  #node: RunningNode | undefined;
  #snapshotPosition = 0;
  #hasHealed = false;

  constructor(options: NodeOptions) {
    this.#options = options;
    const { clock = systemClock, random = systemRandom, disk = nodeDisk, dataDir } = options.store;
    if (dataDir === null)
      throw new StoreError('invalidArgument', 'a node of a cluster has a data directory; give one');
    this.#random = random;
    this.#directory = { disk, clock, dataDir, onEvent: (event) => this.#storeEvent(event) };
  }

  async open(signal: AbortSignal): Promise<OpenedNode> {
    const { sharedLog } = this.#options;
    await clearReset(this.#directory);
    for (;;) {
      const { storeId } = await sharedLog.head({ signal });
      let opened;
      try {
        opened = await this.#openStore(storeId);
      } catch (error) {
        await this.#heal(error, storeId, signal);
        continue;
      }
      const first = await this.#orClosed(
        opened,
        firstPositionBehind(sharedLog, opened.journal.newestPlace, signal),
      );
      if (first === undefined) return await this.#orClosed(opened, this.#begin(opened));
      this.#event({
        kind: 'missedTrim',
        position: opened.journal.newestPlace.position,
        firstPosition: first,
      });
      await opened.store.close({ snapshotMsMax: 0 });
      await this.#fetch(storeId, { firstPosition: first }, signal);
    }
  }

  async #openStore(storeId: Uint8Array): Promise<{ store: KvStore; journal: ReplicatedJournal }> {
    const { store: given, sharedLog } = this.#options;
    let journal: ReplicatedJournal | undefined;
    const store: KvStore = await openUncheckedStore({
      ...given,
      onEvent: (event) => this.#storeEvent(event),
      replication: {
        storeId,
        openJournal: ({ cache, place, onDurable, onFailure }) => {
          journal = new ReplicatedJournal({
            owner: {
              apply: (buffer, start, end, sequence) => store.seam.apply(buffer, start, end, sequence),
              durable: onDurable,
              fail: (error) => {
                onFailure(error);
                this.#node?.failed(error);
              },
            },
            cache,
            sharedLog,
            clock: this.#clock,
            place,
            unflushedBytesMax: given.limits?.unflushedBytesMax ?? defaults.unflushedBytesMax,
            onPlace: (newest) => this.#node?.placed(newest),
            onStored: () => this.#node?.stored(),
            onDelayed: (error) => this.#node?.delayed(error),
          });
          return journal;
        },
      },
    });
    if (journal === undefined) throw new Error('a store of a cluster has a journal');
    return { store, journal };
  }

  async #begin({ store, journal }: { store: KvStore; journal: ReplicatedJournal }): Promise<OpenedNode> {
    const { sharedLog, peers, address, failoverAfterMs, sharedLogBytesMax } = this.#options;
    const { disk, dataDir } = this.#directory;
    this.#snapshotPosition = await newestSnapshotPosition(disk, dataDirectory(dataDir).snapshots);
    const node = new RunningNode({
      store,
      journal,
      sharedLog,
      peers,
      clock: this.#clock,
      random: this.#random,
      address,
      failoverAfterMs: failoverAfterMs ?? limits.failoverAfterMs,
      sharedLogBytesMax: sharedLogBytesMax ?? limits.sharedLogBytesMax,
      snapshotPosition: () => this.#snapshotPosition,
      onEvent: (event) => this.#event(event),
    });
    this.#node = node;
    node.start();
    return { store, node };
  }

  /** What is damaged here is had again, once: what is damaged then is not for others to mend. Rejects with what can't be mended. */
  async #heal(error: unknown, storeId: Uint8Array, signal: AbortSignal): Promise<void> {
    const { disk, dataDir } = this.#directory;
    const damage = this.#hasHealed ? undefined : await replaceableDamage(error, disk, dataDir, storeId);
    if (damage === undefined) throw error;
    this.#hasHealed = true;
    this.#event({ kind: 'stateDamaged', error: damage.error });
    await this.#checkSameLog(damage.error, signal);
    const firstPosition = await firstPositionBeyond(this.#options.sharedLog, 1, signal);
    const { path: damagedPath } = damage;
    // Else the log has all that ever was.
    if (firstPosition === undefined) return await dropState(this.#directory, damagedPath);
    const why = await this.#fetch(storeId, { firstPosition, damagedPath, msMax: limits.healMsMax }, signal);
    if (why !== undefined) throw unmendedError(damage.error, why);
  }

  /** A log that was put back to an older state would give something else, and the directory may be all that is left of what it has. */
  async #checkSameLog(damage: StoreError<'damaged'>, signal: AbortSignal): Promise<void> {
    const { disk, dataDir } = this.#directory;
    const place = await newestReadablePlace(disk, dataDirectory(dataDir).snapshots);
    if (place === undefined) return;
    try {
      await firstPositionBehind(this.#options.sharedLog, place, signal);
    } catch (error) {
      if (!isStoreError(error, 'damaged')) throw error;
      const text = `${damage.message} It is not had again from the shared log: ${error.message}`;
      throw new StoreError('damaged', text, { cause: damage });
    }
  }

  /** Puts a snapshot of another node in place of what is there. @returns why not; `undefined`: it is there. */
  #fetch(storeId: Uint8Array, options: FetchOptions, signal: AbortSignal): Promise<string | undefined> {
    const { sharedLog, peers, address } = this.#options;
    const onEvent = (event: ClusterEvent): void => this.#event(event);
    return fetchState(
      { directory: this.#directory, sharedLog, peers, address, storeId, onEvent },
      options,
      signal,
    );
  }

  async #orClosed<Result>({ store }: { readonly store: KvStore }, work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      // What stopped the opening is what the caller needs to know.
      await store.close({ snapshotMsMax: 0 }).catch(() => undefined);
      throw error;
    }
  }

  get #clock(): Clock {
    return this.#directory.clock;
  }

  #storeEvent(event: OperatorEvent): void {
    if (event.kind === 'snapshotWritten') void this.#lookForSnapshot();
    this.#options.store.onEvent?.(event);
  }

  async #lookForSnapshot(): Promise<void> {
    const { disk, dataDir } = this.#directory;
    try {
      this.#snapshotPosition = await newestSnapshotPosition(disk, dataDirectory(dataDir).snapshots);
    } catch {
      // The one before covers less: so less is trimmed until the next is written.
    }
  }

  #event(event: ClusterEvent): void {
    this.#options.onEvent?.(event);
  }
}

function unmendedError(damage: StoreError<'damaged'>, why: string): StoreError<'damaged'> {
  return new StoreError(
    'damaged',
    `${damage.message} This node would have got its state from another one, and none gave a snapshot: ${why}. Start another node that ` +
      `has the state of the cluster, and then this one again`,
    { cause: damage },
  );
}
