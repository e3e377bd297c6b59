/** For operators. */
import type { StorageSizes } from '../api.ts';
import { named } from '../arguments/check.ts';
import { count } from '../arguments/count.ts';
import { noOptions } from '../arguments/shape.ts';
import { optionsByCall } from './arguments.ts';
import { refuse } from './errors/refuse.ts';
import { type Caller, timeoutMsOf, withLongDeadline } from './calls/caller.ts';
import { adminMethods } from './calls/method.ts';
import { toClusterStatus } from './cluster.ts';
import { mayPass } from './errors/kelp-error.ts';
import { toMilliseconds } from './messages/scalar.ts';
import type { Activity, CallOptions, Status } from './messages/types.ts';

export class Admin {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** How the store does. */
  async status(options: CallOptions = noOptions): Promise<Status> {
    refuse(optionsByCall['admin.status'](options));
    const reply = await this.#caller.read(adminMethods.status, {}, options);
    return {
      version: reply.version,
      storeId: reply.storeId,
      revision: reply.revision,
      incarnation: reply.incarnation,
      oldestRevision: reply.oldestRevision,
      oldestWatchRevision: reply.oldestWatchRevision,
      keyCount: reply.keyCount,
      leaseCount: reply.leaseCount,
      dataBytes: reply.dataBytes,
      compressedPlainBytes: reply.compressedPlainBytes,
      compressedStoredBytes: reply.compressedStoredBytes,
      residentBytes: reply.residentBytes,
      memoryBytes: reply.memoryBytes,
      memoryBytesMax: reply.memoryBytesMax,
      logBytes: reply.logBytes,
      segmentCount: reply.segmentCount,
      activeSegmentId: reply.activeSegmentId,
      oldestSegmentId: reply.oldestSegmentId,
      snapshotBytes: reply.snapshotBytes,
      snapshotCount: reply.snapshotCount,
      snapshotRevision: reply.snapshotRevision,
      watcherCount: reply.watcherCount,
      engine: reply.engine,
      storage: reply.storage,
      uptimeMs: toMilliseconds(reply.uptime),
      ...toClusterStatus(reply),
    };
  }

  /**
   * What is going on: calls by door and method, and where the busiest keys lie. Counts are since the server was started; rates are made
   * of the differences between two of these (`uptimeMs`).
   */
  async activity(options: CallOptions = noOptions): Promise<Activity> {
    refuse(optionsByCall['admin.activity'](options));
    const reply = await this.#caller.read(adminMethods.activity, {}, options);
    const { uptime, prefixWindow, prefixes, ...counts } = reply;
    return {
      ...counts,
      uptimeMs: toMilliseconds(uptime),
      prefixes: prefixes.map(({ prefix, prefixBytes, readCount, writeCount }) => ({
        prefix: prefixBytes.length === 0 ? prefix : new Uint8Array(prefixBytes),
        readCount,
        writeCount,
      })),
      prefixWindowMs: toMilliseconds(prefixWindow),
    };
  }

  /** Writes a snapshot and resolves when it is on disk; its deadline is 10 minutes. Rejects with `snapshotFailed`. */
  async snapshot(
    options: CallOptions = noOptions,
  ): Promise<{ readonly revision: number; readonly bytes: number }> {
    refuse(optionsByCall['admin.snapshot'](options));
    const reply = await this.#caller.write(adminMethods.snapshot, {}, withLongDeadline(options));
    return { revision: reply.revision, bytes: reply.bytes };
  }

  /**
   * The whole state at one revision as the bytes of a snapshot file, which `kelp restore` takes. It is made as it is
   * read, so it is to be read without long pauses. Without a deadline unless one is given. The loop throws
   * `limitReached` when it is read too slowly or too many are read; what came by then is no backup.
   */
  async *backup(options: CallOptions = noOptions): AsyncGenerator<Uint8Array, void, undefined> {
    refuse(optionsByCall['admin.backup'](options));
    const { signal, deadlineMs } = options;
    const caller = this.#caller;
    const ended = signal === undefined ? caller.closed : AbortSignal.any([caller.closed, signal]);
    const timeoutMs = deadlineMs === undefined ? undefined : timeoutMsOf(deadlineMs);
    const waitMs = deadlineMs ?? caller.deadlineMs;
    const route = caller.newRoute();
    for (let tries = 1; ; tries++) {
      await caller.authorized(waitMs, signal);
      const { generation } = caller;
      let hasBegun = false;
      try {
        const replies = caller.stream(adminMethods.backup, {}, timeoutMs, ended, route);
        for await (const { data } of replies) {
          hasBegun = true;
          yield data;
        }
        return;
      } catch (reason) {
        const error = caller.errorOf(reason, false, signal);
        if (!hasBegun && mayPass(error) && route?.goesElsewhere === true) continue;
        const mayBeRepeated = error.code === 'unauthenticated' && !hasBegun && tries === 1;
        if (!mayBeRepeated || !(await caller.reauthorized(generation, waitMs, signal))) throw error;
      }
    }
  }

  /**
   * Makes `revision` the oldest that can be read; its deadline is 10 minutes.
   * Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async compact(
    revision: number,
    options: CallOptions = noOptions,
  ): Promise<{ readonly oldestRevision: number }> {
    refuse(named('revision', count(revision)) ?? optionsByCall['admin.compact'](options));
    const { oldestRevision } = await this.#caller.write(
      adminMethods.compact,
      { revision },
      withLongDeadline(options),
    );
    return { oldestRevision };
  }

  /**
   * Merges what can be merged of the files of an engine on disk, and resolves when that is done; its deadline is 10 minutes, and the
   * merge goes on when it is over. With the engine `memory` there is nothing to merge.
   */
  async compactStorage(options: CallOptions = noOptions): Promise<StorageSizes> {
    refuse(optionsByCall['admin.compactStorage'](options));
    return await this.#caller.write(adminMethods.compactStorage, {}, withLongDeadline(options));
  }
}
