/**
 * Writes revisions of an etcd, each whole and in its order, in one transaction: one revision, or several that came while the one before
 * was written.
 *
 * A transaction has 10,000 operations at most, and a revision of etcd may delete any number of keys (a range, or the keys of a
 * lease). Where they are more, keys that lie beside each other are deleted as ranges that hold nothing else.
 */
import type { Key } from '../../api.ts';
import { canonicalKey } from '../../arguments/key.ts';
import type { Clock } from '../../clock.ts';
import { fixed } from '../../limits.ts';
import type { EtcdEvent, EtcdRevision } from '../contract/etcd-source.ts';
import type { FollowTarget, FollowedOperation } from '../contract/stores.ts';
import { TransferError, messageOf, storeCodeOf } from '../contract/transfer-error.ts';
import type { LeasedKeys } from './leased-keys.ts';

export class RevisionWriter {
  readonly #target: FollowTarget;
  readonly #leased: LeasedKeys;
  readonly #clock: Clock;
  /** The newest that is in, with all before it. */
  revision: number;
  /** Of the last transaction, here. */
  storeRevision = 0;
  revisionCount = 0;
  changeCount = 0;

  constructor(target: FollowTarget, leased: LeasedKeys, revision: number, clock: Clock) {
    this.#target = target;
    this.#leased = leased;
    this.#clock = clock;
    this.revision = revision;
  }

  /** The leases of what is put are to be known. */
  async write(revisions: readonly EtcdRevision[]): Promise<void> {
    const last = revisions.at(-1);
    if (last === undefined) return;
    const events = revisions.flatMap((revision) => revision.events);
    if (events.length > 0) {
      const lastByKey = lastEvents(events);
      await this.#writeAtOnce(lastByKey, revisions);
      for (const { key, put } of lastByKey) this.#leased.set(key, put?.leaseId ?? 0n);
    }
    this.revision = Math.max(this.revision, last.revision);
    this.revisionCount += revisions.filter((revision) => revision.events.length > 0).length;
    this.changeCount += events.length;
  }

  async #writeAtOnce(events: readonly EtcdEvent[], revisions: readonly EtcdRevision[]): Promise<void> {
    try {
      const success =
        events.length > fixed.txnOperationsMax
          ? await this.#shortened(events)
          : events.map((event) => this.#operationOf(event));
      const { revision } = await this.#target.txn({ compares: [], success });
      this.storeRevision = revision;
    } catch (error) {
      if (!['limitReached', 'invalidArgument'].includes(storeCodeOf(error))) throw error;
      throw refusedError(error, events, revisions);
    }
  }

  #operationOf({ key: bytes, put }: EtcdEvent): FollowedOperation {
    const key = canonicalKey(bytes);
    if (put === undefined) return { kind: 'delete', key };
    const { value, leaseId } = put;
    if (leaseId === 0n) return { kind: 'put', key, value };
    const endMs = this.#leased.endMs(leaseId);
    return { kind: 'put', key, value, ttlMs: ttlOf(endMs - this.#clock.nowMs()) };
  }

  async #shortened(events: readonly EtcdEvent[]): Promise<readonly FollowedOperation[]> {
    const puts = events.filter(({ put }) => put !== undefined).map((event) => this.#operationOf(event));
    const deleted = events.filter(({ put }) => put === undefined).map(({ key }) => key);
    deleted.sort((a, b) => Buffer.compare(a, b));
    return [...puts, ...(await this.#deletesOf(deleted))];
  }

  /** @param keys in their order. */
  async #deletesOf(keys: readonly Uint8Array[]): Promise<FollowedOperation[]> {
    const [first] = keys;
    const last = keys.at(-1);
    if (first === undefined || last === undefined) return [];
    if (keys.length === 1) return [{ kind: 'delete', key: canonicalKey(first) }];
    if (keys.length <= fixed.existsKeysMax) {
      const range = { start: canonicalKey(first), end: behind(last) };
      const { exists } = await this.#target.exists(keys.map(canonicalKey));
      const { count } = await this.#target.count(range);
      // Nothing else lies among them.
      if (count === exists.filter(Boolean).length) return [{ kind: 'deleteRange', range }];
    }
    const half = Math.ceil(keys.length / 2);
    return [...(await this.#deletesOf(keys.slice(0, half))), ...(await this.#deletesOf(keys.slice(half)))];
  }
}

/** One for each key, in the order in which they came last. */
function lastEvents(events: readonly EtcdEvent[]): readonly EtcdEvent[] {
  const byKey = new Map<string, EtcdEvent>();
  for (const event of events) {
    const name = Buffer.from(event.key).toString('latin1');
    byKey.delete(name);
    byKey.set(name, event);
  }
  return byKey.size === events.length ? events : [...byKey.values()];
}

/** What is over lives so long that the deletion, which is on its way, finds it. */
function ttlOf(leftMs: number): number {
  return leftMs <= 0 ? OVER_TTL_MS : Math.min(leftMs, fixed.ttlMsMax);
}

const OVER_TTL_MS = 60_000;

function behind(key: Uint8Array): Key {
  return canonicalKey(Buffer.concat([key, Buffer.alloc(1)]));
}

function refusedError(
  error: unknown,
  events: readonly EtcdEvent[],
  revisions: readonly EtcdRevision[],
): TransferError {
  const [first, last] = [revisions[0]?.revision, revisions.at(-1)?.revision];
  const which = first === last ? `revision ${last}` : `revisions ${first} to ${last}`;
  const longKey = events.find(({ key }) => key.length > fixed.keyBytesMax);
  const longest = events.reduce((most, event) => (bytesOf(event) > bytesOf(most) ? event : most));
  const shown = shownKey((longKey ?? longest).key);
  const text =
    longKey !== undefined
      ? `its key ${shown} has ${longKey.key.length} bytes`
      : `it changes ${events.length} keys, and its longest value is that of ${shown}, ${bytesOf(longest)} bytes`;
  return new TransferError('failed', `${which} of etcd can't be written: ${messageOf(error)}; ${text}`, {
    cause: error,
  });
}

function bytesOf({ put }: EtcdEvent): number {
  return put?.value.length ?? 0;
}

function shownKey(bytes: Uint8Array): string {
  const key = canonicalKey(bytes.subarray(0, SHOWN_BYTES));
  const text = typeof key === 'string' ? JSON.stringify(key) : `0x${Buffer.from(key).toString('hex')}`;
  return bytes.length > SHOWN_BYTES ? `${text}...` : text;
}

const SHOWN_BYTES = 100;
