/**
 * Opens a read replica: its store, and what keeps that in step with a running server. One whose next record is no longer in the server's
 * log, or of whose state that log does not tell whether it has come through it, first gets a snapshot of the server.
 *
 * A directory that holds something is opened also while the server does not answer, so that what is here can be read after a loss of
 * that server.
 */
import { systemClock } from '../../clock.ts';
import { nodeDisk } from '../../disk/node-disk.ts';
import { StoreError } from '../../errors.ts';
import { openUncheckedStore } from '../../kv/open-store.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { cluster as limits, defaults } from '../../limits.ts';
import { dataDirectory } from '../../store/directory/data-directory.ts';
import type { OperatorEvent } from '../../store/operator-event.ts';
import type { StoreHead } from '../../store/replication/record-feed.ts';
import type { StoreOptions } from '../../store/store-options.ts';
import type { ClusterEvent } from '../cluster-event.ts';
import { clearReset, replaceState, type NodeDirectory } from '../late/replace-state.ts';
import { newestSnapshotPosition } from '../late/snapshot-places.ts';
import type { OpenedNode } from '../open-node.ts';
import { pause } from '../waits/pause.ts';
import { type FollowedServer, FollowError, type FollowErrorCode } from './followed-server.ts';
import { ReplicaJournal } from './replica-journal.ts';
import { faultOf, RunningReplica } from './running-replica.ts';

export interface ReplicaOptions {
  /** `dataDir` is a folder, and the engine `memory`. */
  readonly store: StoreOptions;
  /** Belongs to this replica from now on: its `close`, or a failure to open, closes it. */
  readonly server: FollowedServer;
  /** Where this one is reached by clients. */
  readonly address: string;
  readonly onEvent?: (event: ClusterEvent) => void;
}

/**
 * Waits until the server answers if the directory is empty. Rejects with what `openStore` does; with `invalidArgument` when the server is
 * of another store, or behind what is here; and with the signal's reason.
 */
export async function openReplica(options: ReplicaOptions, signal: AbortSignal): Promise<OpenedNode> {
  try {
    return await new Opening(options, signal).open();
  } catch (error) {
    options.server.close();
    throw error;
  }
}

interface OpenedStore {
  readonly store: KvStore;
  readonly journal: ReplicaJournal;
}

class Opening {
  readonly #options: ReplicaOptions;
  readonly #signal: AbortSignal;
  readonly #directory: NodeDirectory;
  #replica: RunningReplica | undefined;
  #snapshotPosition = 0;
  /** Of the server, when a snapshot of it was put here; '': none was. */
  #fetchedLife = '';
  /** What the operator was told last of the server. */
  #toldCode: FollowErrorCode | undefined;

  constructor(options: ReplicaOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    const { clock = systemClock, disk = nodeDisk, dataDir } = options.store;
    if (dataDir === null)
      throw new StoreError('invalidArgument', 'a server that follows another has a data directory; give one');
    this.#directory = { disk, clock, dataDir, onEvent: (event) => this.#storeEvent(event) };
  }

  async open(): Promise<OpenedNode> {
    await clearReset(this.#directory);
    for (;;) {
      const head = await this.#head();
      const opened = await this.#openStore(head);
      const { journal } = opened;
      const revision = journal.lastRevision;
      try {
        await journal.begin(() => opened.store.seam.head);
        const fault = head && faultOf(head, journal.storeId, revision);
        if (fault !== undefined) throw this.#refused(fault);
        if (head === undefined || (await this.#isGiven(opened))) return await this.#begin(opened);
      } catch (error) {
        // What stopped the opening is what the caller needs to know.
        await opened.store.close({ snapshotMsMax: 0 }).catch(() => undefined);
        throw error;
      }
      this.#event({ kind: 'missedTrim', position: revision, firstPosition: head.oldestRevision });
      await opened.store.close({ snapshotMsMax: 0 });
      await this.#fetch(head);
    }
  }

  async #openStore(head: StoreHead | undefined): Promise<OpenedStore> {
    const { store: given, server } = this.#options;
    let journal: ReplicaJournal | undefined;
    const store: KvStore = await openUncheckedStore({
      ...given,
      onEvent: (event) => this.#storeEvent(event),
      replication: {
        follows: 'server',
        storeId: head?.storeId ?? (async () => (await this.#untilHead()).storeId),
        openJournal: ({ cache, onDurable, onFailure }) => {
          journal = new ReplicaJournal({
            owner: {
              apply: (buffer, start, end, sequence) => store.seam.apply(buffer, start, end, sequence),
              durable: onDurable,
              fail: (error) => {
                onFailure(error);
                this.#replica?.failed(error);
              },
            },
            cache,
            clock: this.#directory.clock,
            address: server.address,
            unflushedBytesMax: given.limits?.unflushedBytesMax ?? defaults.unflushedBytesMax,
            onPlace: () => this.#replica?.placed(),
          });
          return journal;
        },
      },
    });
    if (journal === undefined) throw new Error('a store that follows has a journal');
    return { store, journal };
  }

  async #begin({ store, journal }: OpenedStore): Promise<OpenedNode> {
    const { server, address } = this.#options;
    const { disk, dataDir, clock } = this.#directory;
    this.#snapshotPosition = await newestSnapshotPosition(disk, dataDirectory(dataDir).snapshots);
    const replica = new RunningReplica({
      store,
      journal,
      server,
      clock,
      address,
      life: this.#fetchedLife,
      toldCode: this.#toldCode,
      snapshotPosition: () => this.#snapshotPosition,
      onEvent: (event) => this.#event(event),
    });
    this.#replica = replica;
    replica.start();
    return { store, node: replica };
  }

  /** Puts a snapshot of the server in place of what is here. */
  async #fetch({ storeId, oldestRevision, life }: StoreHead): Promise<void> {
    const { server } = this.#options;
    const { address } = server;
    const wanted = {
      storeId,
      position: oldestRevision,
      name: `the snapshot of the server at ${address}`,
      serverAddress: address,
    };
    try {
      const fetched = await replaceState(this.#directory, wanted, server.snapshot(this.#signal));
      this.#fetchedLife = life;
      this.#event({ kind: 'snapshotFetched', address, ...fetched });
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#event({ kind: 'fetchFailed', address, error: error as Error });
      await clearReset(this.#directory);
      await pause(this.#directory.clock, limits.fetchRetryMs, this.#signal);
    }
  }

  /** Whether the server can give what comes next; also when it does not answer, since it may later. Rejects when it is not to be followed. */
  async #isGiven({ store, journal }: OpenedStore): Promise<boolean> {
    const { clock } = this.#directory;
    const end = new AbortController();
    const timer = clock.setTimer(limits.barrierMsMax, () =>
      end.abort(new FollowError('unavailable', 'it gives nothing')),
    );
    const after = journal.placeOf(store.seam.incarnationOf(journal.lastRevision), this.#fetchedLife);
    const from = { storeId: journal.storeId, after };
    const steps = this.#options.server.follow(from, AbortSignal.any([this.#signal, end.signal]));
    const iterator = steps[Symbol.asyncIterator]();
    try {
      await iterator.next();
      return true;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof FollowError)) throw error;
      if (error.code === 'otherStore' || error.code === 'wentBack') throw this.#refused(error);
      return error.code !== 'trimmed';
    } finally {
      timer.cancel();
      await iterator.return?.();
    }
  }

  #refused(fault: FollowError): StoreError {
    const text = `the server at ${this.#options.server.address} can not be followed: ${fault.message}`;
    return new StoreError('invalidArgument', text, { cause: fault });
  }

  /** `undefined`: the server does not answer now. */
  async #head(): Promise<StoreHead | undefined> {
    const { server } = this.#options;
    try {
      const head = await server.head({ signal: this.#signal, timeoutMs: limits.barrierMsMax });
      this.#toldCode = undefined;
      return head;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof FollowError)) throw error;
      const kind = error.code === 'unavailable' ? 'serverUnreachable' : 'serverRefused';
      if (this.#toldCode !== error.code) this.#event({ kind, address: server.address, error });
      this.#toldCode = error.code;
      return undefined;
    }
  }

  async #untilHead(): Promise<StoreHead> {
    for (;;) {
      const head = await this.#head();
      if (head !== undefined) return head;
      await pause(this.#directory.clock, limits.fetchRetryMs, this.#signal);
    }
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
      // What is told of it is older, until the next is written.
    }
  }

  #event(event: ClusterEvent): void {
    this.#options.onEvent?.(event);
  }
}
