/**
 * The life of the store that a server serves. A store that is alone is opened once. That of a node of a cluster is closed and opened
 * again, as a follower, whenever the node says that it has ended: it was overtaken as the writer, has handed over, or has missed a part
 * of the shared log. The listener stays meanwhile.
 *
 *     opening --> served --> withdrawn --> closed --+
 *        ^                                          |
 *        +---- of a node that has ended ------------+
 *
 * - opening: calls are refused as `recovering`.
 * - served: there is a store.
 * - withdrawn: no call begins, streams and clients of Redis are ended, those under way have a moment to finish.
 * - closed: node and store have let go of shared log and data directory. Only then is the next one opened.
 *
 * All of it is one chain of steps, so that there never are two stores. `stop` ends it at the next border of a step, and `close` waits
 * for that.
 */
import type { Logger } from 'pino';
import type { Access } from '../access/access.ts';
import type { Clock } from '../clock.ts';
import type { ClusterView } from '../cluster/cluster-view.ts';
import type { ClusterNode } from '../cluster/node.ts';
import type { KvStore } from '../kv/kv-store.ts';
import { cluster as limits } from '../limits.ts';
import { recoveringError } from './calls/call-error.ts';
import type { ServerState } from './health/server-state.ts';

export interface Opened {
  readonly store: KvStore;
  /** `undefined`: the store is alone. */
  readonly node: ClusterNode | undefined;
}

export interface Served extends Opened {
  readonly access: Access;
}

export interface StoreLifeParts {
  /** @param signal aborted when the server stops: what waits for others ends. */
  readonly open: (signal: AbortSignal) => Promise<Opened>;
  /** Decides whether it may be served, before any call is. What it rejects with ends the opening. */
  readonly settle: (opened: Opened, signal: AbortSignal) => Promise<Access>;
  /** It is served from now on. */
  readonly onServed: (served: Served) => void;
  /** Ends all that stands on the store and goes on; resolves when that, and the calls under way, have had their time. */
  readonly withdraw: () => Promise<void>;
  readonly state: ServerState;
  readonly logger: Logger;
  readonly clock: Clock;
}

export class StoreLife {
  readonly #parts: StoreLifeParts;
  readonly #stopping = new AbortController();
  readonly #stopped: Promise<undefined>;
  #served: Served | undefined;
  /** The last one, also while it is withdrawn and closed: who clients are is known all the while. */
  #access: Access | undefined;
  /** The chain of steps. */
  #steps: Promise<void> = Promise.resolve();
  /** Whether nothing waits any more for a store that is being opened. */
  #isOver = false;

  constructor(parts: StoreLifeParts) {
    this.#parts = parts;
    const { signal } = this.#stopping;
    this.#stopped = new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined));
    });
  }

  /** `undefined`: it is being opened. */
  get store(): KvStore | undefined {
    return this.#served?.store;
  }

  /** `undefined` until the first store is open. */
  get access(): Access | undefined {
    return this.#access;
  }

  /** `undefined` while it is being opened, and where the store is alone. */
  get view(): ClusterView | undefined {
    return this.#served?.node;
  }

  /** `undefined`: the store is alone. Throws while it is being opened. */
  get node(): ClusterNode | undefined {
    if (this.#served === undefined) throw recoveringError();
    return this.#served.node;
  }

  /** Resolves when the store is served, or the server stops; rejects with why it can't be. */
  begin(): Promise<void> {
    const first = this.#openAndServe();
    this.#steps = first.then(
      () => this.#goOn(),
      () => undefined,
    );
    return first;
  }

  /** Nothing is opened from now on. */
  stop(): void {
    this.#stopping.abort();
    this.#served?.store.stopWaiting();
  }

  /** Of a node: lets another one take over, once the calls under way have had a moment. Never rejects. */
  async handOver(callsDone: Promise<unknown>): Promise<void> {
    const node = this.#served?.node;
    if (node === undefined) return;
    await Promise.race([callsDone, this.#pause(limits.stopGraceMs)]);
    await this.#closeNode(node);
  }

  /**
   * Closes what is open, and what is opened meanwhile.
   * @param late resolves when nothing may be waited for any more.
   * @param snapshotMsMax for a last snapshot; asked when it is known.
   */
  async close(late: Promise<unknown>, snapshotMsMax: () => number): Promise<void> {
    this.stop();
    await Promise.race([this.#steps, late]);
    this.#isOver = true;
    const served = this.#served;
    if (served === undefined) return;
    if (served.node !== undefined) await Promise.race([this.#closeNode(served.node), late]);
    await served.store.close({ snapshotMsMax: snapshotMsMax() });
  }

  async #openAndServe(): Promise<void> {
    const { open, settle, onServed, state } = this.#parts;
    const { signal } = this.#stopping;
    const opened = await open(signal);
    let access: Access;
    try {
      access = await settle(opened, signal);
    } catch (error) {
      // What has refused the start is what the caller needs to know.
      await this.#closeQuietly(opened);
      throw error;
    }
    if (this.#isOver) return this.#closeQuietly(opened);
    const served = { ...opened, access };
    this.#served = served;
    this.#access = access;
    void opened.store.failed.then(() => {
      if (this.#served === served) state.enter('readOnly');
    });
    state.enter('serving');
    if (state.phase !== 'stopping') onServed(served);
  }

  async #goOn(): Promise<void> {
    for (let node = this.#served?.node; node !== undefined; node = this.#served?.node) {
      const why = await Promise.race([node.ended, this.#stopped]);
      if (why === undefined || this.#isStopping) return;
      await this.#leave(why);
      await this.#openAgain();
    }
  }

  async #leave(why: Error): Promise<void> {
    const served = this.#served;
    if (served === undefined) return;
    const { state, logger, withdraw } = this.#parts;
    logger.info(
      { why: why.message },
      'this node goes on as a follower: its store is closed and opened again',
    );
    state.reopen();
    served.store.stopWaiting();
    await withdraw();
    this.#served = undefined;
    await this.#closeQuietly(served);
  }

  /** The server goes on, without a store, until one can be opened or it is stopped. */
  async #openAgain(): Promise<void> {
    const { logger } = this.#parts;
    while (!this.#isStopping) {
      try {
        return await this.#openAndServe();
      } catch (error) {
        if (this.#isStopping) return;
        logger.error({ err: error, retryMs: limits.reopenMs }, 'the store could not be opened again');
        await Promise.race([this.#pause(limits.reopenMs), this.#stopped]);
      }
    }
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #closeQuietly({ store, node }: Opened): Promise<void> {
    if (node !== undefined) await this.#closeNode(node);
    try {
      await store.close({ snapshotMsMax: 0 });
    } catch (error) {
      // What it had to say of its log it has said by `failed`.
      this.#parts.logger.debug({ err: error }, 'a store closed with an error');
    }
  }

  async #closeNode(node: ClusterNode): Promise<void> {
    try {
      await node.close();
    } catch (error) {
      this.#parts.logger.warn({ err: error }, 'the node could not let go of the shared log in order');
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#parts.clock.setTimer(ms, resolve));
  }
}
