/** An etcd and a store for tests of an import from one to the other: each says what it is told to. */
import type { Key } from '../../src/api.ts';
import type {
  EtcdEntry,
  EtcdFailureKind,
  EtcdRevision,
  EtcdSource,
} from '../../src/transfer/contract/etcd-source.ts';
import type { FollowTarget, FollowedBatch } from '../../src/transfer/contract/stores.ts';

export function failure(kind: EtcdFailureKind, message: string = kind): Error {
  return Object.assign(new Error(message), { kind });
}

export function entry(key: string, value = key, leaseId = 0n): EtcdEntry {
  return { key: Buffer.from(key), value: Buffer.from(value), leaseId };
}

export function revision(number: number, ...changes: readonly (EtcdEntry | string)[]): EtcdRevision {
  return {
    revision: number,
    events: changes.map((change) =>
      typeof change === 'string'
        ? { key: Buffer.from(change), put: undefined }
        : { key: change.key, put: change },
    ),
  };
}

export class FakeEtcd implements EtcdSource {
  readonly hasAllKeys = true;
  entries: EtcdEntry[] = [];
  revision = 10;
  /** What is left of leases; those that are not there have ended. */
  readonly leftMs = new Map<bigint, number>();
  /** Called before each call is answered. */
  before: (call: string, limit: number) => void = () => undefined;
  /** Handed out by a watch, which goes on then. */
  revisions: EtcdRevision[] = [];

  async page({ after, limit }: { readonly after?: Uint8Array | undefined; readonly limit: number }) {
    this.before('page', limit);
    const from =
      after === undefined ? 0 : 1 + this.entries.findIndex(({ key }) => Buffer.compare(key, after) === 0);
    const entries = this.entries.slice(from, from + limit);
    const hasMore = from + limit < this.entries.length;
    return { entries, hasMore, keyCount: this.entries.length - from, revision: this.revision };
  }

  async get(key: Uint8Array): Promise<EtcdEntry | undefined> {
    this.before('get', 1);
    return this.entries.find((each) => Buffer.compare(each.key, key) === 0);
  }

  async leaseLeftMs(leaseId: bigint): Promise<number | undefined> {
    this.before('lease', 1);
    return this.leftMs.get(leaseId);
  }

  async *watch(from: number, signal: AbortSignal): AsyncGenerator<EtcdRevision, never, undefined> {
    this.before('watch', from);
    yield* this.revisions.filter((each) => each.revision >= from);
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason as Error));
    if (signal.aborted) reject(signal.reason as Error);
    return promise;
  }
}

export class FakeStore implements FollowTarget {
  readonly values = new Map<Key, string>();
  readonly ttlMs = new Map<Key, number>();
  touchedCount = 0;

  async txn({ success }: FollowedBatch) {
    for (const operation of success) {
      if (operation.kind === 'deleteRange') throw new Error('not expected');
      const { key } = operation;
      this.ttlMs.delete(key);
      if (operation.kind === 'delete') this.values.delete(key);
      else {
        this.values.set(key, Buffer.from(operation.value as Uint8Array).toString());
        if (operation.ttlMs !== undefined) this.ttlMs.set(key, operation.ttlMs);
      }
    }
    return { succeeded: true, revision: 1 };
  }

  async touch(key: Key, { ttlMs }: { readonly ttlMs: number }) {
    if (!this.values.has(key)) throw Object.assign(new Error('no such key'), { code: 'keyNotFound' });
    this.touchedCount++;
    this.ttlMs.set(key, ttlMs);
  }

  async count() {
    return { count: this.values.size, revision: 1 };
  }

  async exists(keys: readonly Key[]) {
    return { exists: keys.map((key) => this.values.has(key)), revision: 1 };
  }
}
