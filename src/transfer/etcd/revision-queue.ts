/**
 * The revisions of an etcd that were read and are not written yet, in their order. Who reads waits while they are many or long; who
 * writes takes as many at once as fit into a transaction, each of them whole.
 */
import { transfer as limits } from '../../limits.ts';
import type { EtcdRevision } from '../contract/etcd-source.ts';

export class RevisionQueue {
  #revisions: EtcdRevision[] = [];
  #bytes = 0;
  #error: unknown;
  #isFailed = false;
  #isClosed = false;
  #wakeWriter: (() => void) | undefined;
  #wakeReader: (() => void) | undefined;

  get hasAny(): boolean {
    return this.#revisions.length > 0;
  }

  /** Resolves when there is room again. */
  put(revision: EtcdRevision): Promise<void> | undefined {
    this.#revisions.push(revision);
    this.#bytes += bytesOf(revision);
    this.#wakeWriter?.();
    if (this.#hasRoom || this.#isClosed) return undefined;
    return new Promise((resolve) => (this.#wakeReader = resolve));
  }

  /** There will be no more; what has come is still taken. */
  fail(error: unknown): void {
    this.#isFailed = true;
    this.#error = error;
    this.#wakeWriter?.();
  }

  /** Nothing is taken any more, and nothing waits for it. */
  close(): void {
    this.#isClosed = true;
    this.#wakeReader?.();
  }

  /** Calls back once when there is something to take, or to throw. @returns what takes that back. */
  onReady(callback: () => void): () => void {
    this.#wakeWriter = callback;
    if (this.hasAny || this.#isFailed) callback();
    return () => (this.#wakeWriter = undefined);
  }

  /**
   * The next revisions that go into one transaction: none changes a key that another one changes, unless so many wait that they are
   * to go fast. Throws what was the end of them, once all are taken.
   */
  take(): readonly EtcdRevision[] {
    if (!this.hasAny && this.#isFailed) throw this.#error;
    const isBehind = this.#revisions.length > limits.etcdBehindRevisionsMax;
    const keys = new Set<string>();
    let bytes = 0;
    let changes = 0;
    let count = 0;
    for (const revision of this.#revisions) {
      const names = revision.events.map(({ key }) => Buffer.from(key).toString('latin1'));
      const isFull =
        changes + names.length > limits.batchKeysMax || bytes + bytesOf(revision) > limits.batchBytesMax;
      if (count > 0 && (isFull || (!isBehind && names.some((name) => keys.has(name))))) break;
      for (const name of names) keys.add(name);
      bytes += bytesOf(revision);
      changes += names.length;
      count++;
    }
    const taken = this.#revisions.slice(0, count);
    this.#revisions = this.#revisions.slice(count);
    this.#bytes -= bytes;
    if (this.#hasRoom) {
      this.#wakeReader?.();
      this.#wakeReader = undefined;
    }
    return taken;
  }

  get #hasRoom(): boolean {
    return this.#revisions.length < limits.etcdQueueRevisionsMax && this.#bytes < limits.etcdQueueBytesMax;
  }
}

/** A deleted key counts, too. */
function bytesOf({ events }: EtcdRevision): number {
  return events.reduce((bytes, { key, put }) => bytes + key.length + (put?.value.length ?? 0), 0);
}
