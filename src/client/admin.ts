/** For operators. */
import type { Client } from '@connectrpc/connect';
import type { AdminService } from '../../gen/kelp/v1/admin_pb.ts';
import { named } from '../arguments/check.ts';
import { count } from '../arguments/requests.ts';
import { noOptions } from '../arguments/shape.ts';
import { optionsByCall, refuse } from './arguments.ts';
import { type Caller, timeoutMsOf, withLongDeadline } from './calls/caller.ts';
import { toInt64, toMilliseconds, toNumber } from './messages/scalar.ts';
import type { CallOptions, Status } from './messages/types.ts';

export class Admin {
  readonly #rpc: Client<typeof AdminService>;
  readonly #caller: Caller;

  /** @internal */
  constructor(rpc: Client<typeof AdminService>, caller: Caller) {
    this.#rpc = rpc;
    this.#caller = caller;
  }

  /** How the store does. */
  async status(options: CallOptions = noOptions): Promise<Status> {
    refuse(optionsByCall['admin.status'](options));
    const reply = await this.#caller.read(options, (call) => this.#rpc.status({}, call));
    return {
      version: reply.version,
      storeId: reply.storeId,
      revision: toNumber(reply.revision),
      incarnation: reply.incarnation,
      oldestRevision: toNumber(reply.oldestRevision),
      oldestWatchRevision: toNumber(reply.oldestWatchRevision),
      keyCount: toNumber(reply.keyCount),
      leaseCount: toNumber(reply.leaseCount),
      dataBytes: toNumber(reply.dataBytes),
      residentBytes: toNumber(reply.residentBytes),
      memoryBytes: toNumber(reply.memoryBytes),
      memoryBytesMax: toNumber(reply.memoryBytesMax),
      logBytes: toNumber(reply.logBytes),
      segmentCount: reply.segmentCount,
      snapshotBytes: toNumber(reply.snapshotBytes),
      snapshotCount: reply.snapshotCount,
      snapshotRevision: toNumber(reply.snapshotRevision),
      watcherCount: reply.watcherCount,
      uptimeMs: toMilliseconds(reply.uptime),
    };
  }

  /** Writes a snapshot and resolves when it is on disk; its deadline is 10 minutes. Rejects with `snapshotFailed`. */
  async snapshot(
    options: CallOptions = noOptions,
  ): Promise<{ readonly revision: number; readonly bytes: number }> {
    refuse(optionsByCall['admin.snapshot'](options));
    const reply = await this.#caller.write(withLongDeadline(options), (call) => this.#rpc.snapshot({}, call));
    return { revision: toNumber(reply.revision), bytes: toNumber(reply.bytes) };
  }

  /**
   * The whole state at one revision as the bytes of a snapshot file, which `kelp restore` takes. It is made as it is
   * read, so it is to be read without long pauses. Without a deadline unless one is given. The loop throws
   * `limitReached` when it is read too slowly or too many are read; what came by then is no backup.
   */
  async *backup(options: CallOptions = noOptions): AsyncGenerator<Uint8Array, void, undefined> {
    refuse(optionsByCall['admin.backup'](options));
    const { signal, deadlineMs } = options;
    const connection = new AbortController();
    const signals = [connection.signal, this.#caller.closed, ...(signal ? [signal] : [])];
    const call = {
      signal: AbortSignal.any(signals),
      ...(deadlineMs && { timeoutMs: timeoutMsOf(deadlineMs) }),
    };
    try {
      for await (const { data } of this.#rpc.backup({}, call)) yield data;
    } catch (reason) {
      throw this.#caller.errorOf(reason, false, signal);
    } finally {
      // Connect's streams know no `return`: leaving the loop would let the server go on sending.
      connection.abort();
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
    const request = { revision: toInt64(revision) };
    const reply = await this.#caller.write(withLongDeadline(options), (call) =>
      this.#rpc.compact(request, call),
    );
    return { oldestRevision: toNumber(reply.oldestRevision) };
  }
}
