/**
 * Copies the keys of an etcd at one revision, which is that of the first page.
 *
 * A page is asked for while the one before is written. Pages grow and shrink with the entries, so that each comes to about as many
 * bytes; etcd looks through the index of all keys that are left for each, so they are not to be small.
 */
import { canonicalKey } from '../../arguments/key.ts';
import type { Clock } from '../../clock.ts';
import { transfer as limits } from '../../limits.ts';
import type { OnProgress } from '../../progress.ts';
import type { BatchWriter } from '../batches/batch-writer.ts';
import { type EtcdEntry, type EtcdSource, isEtcdFailure } from '../contract/etcd-source.ts';
import type { LeaseEnds } from './lease-ends.ts';
import { type Patience, patiently } from './patience.ts';

type Page = Awaited<ReturnType<EtcdSource['page']>>;

export interface ReadOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Etcd is not there, and will be tried again. */
  readonly onInterrupted: (error: unknown) => void;
}

/** The pages of all keys at a revision; 0: at the newest. */
export async function* pagesOf(
  source: EtcdSource,
  { revision: asked, keysOnly }: { readonly revision: number; readonly keysOnly: boolean },
  options: ReadOptions,
): AsyncGenerator<Page & { readonly revision: number }, void, undefined> {
  let limit: number = limits.etcdPageKeysFirst;
  const read = async (after: Uint8Array | undefined, revision: number): Promise<Page> => {
    for (;;) {
      try {
        const ask = (): Promise<Page> => source.page({ after, revision, limit, keysOnly }, options.signal);
        // What is not there in the beginning was perhaps never meant.
        return await (after === undefined ? ask() : patiently(ask, patienceOf(options)));
      } catch (error) {
        if (limit === 1 || !isEtcdFailure(error, 'tooLong')) throw error;
        limit = Math.ceil(limit / 4);
      }
    }
  };
  let page = await read(undefined, asked);
  const revision = asked === 0 ? page.revision : asked;
  for (;;) {
    const last = page.entries.at(-1);
    if (!page.hasMore || last === undefined) return yield { ...page, revision };
    limit = limitBehind(page.entries, limit);
    const next = read(last.key, revision);
    // It is looked at when this one is done with, or never.
    next.catch(() => undefined);
    yield { ...page, revision };
    page = await next;
  }
}

function patienceOf({ clock, signal, onInterrupted }: ReadOptions): Patience {
  return {
    clock,
    signal,
    triesMax: limits.etcdPageTries,
    mayPass: (error) => isEtcdFailure(error, 'unavailable'),
    onFailure: onInterrupted,
  };
}

function limitBehind(entries: readonly EtcdEntry[], limit: number): number {
  const bytes = bytesOf(entries);
  const fitting = Math.floor((limits.etcdPageBytes * entries.length) / Math.max(1, bytes));
  return Math.max(1, Math.min(fitting, 4 * limit, limits.etcdPageKeysMax));
}

/** Where entries go. */
export interface Copied {
  /** When a key of a lease ends that was asked for. */
  readonly endMsOf: (leaseId: bigint) => number;
  /** Called when the entries of a page are handed to the writer. */
  readonly onPage: (entries: readonly EtcdEntry[], revision: number) => Promise<void>;
  readonly onProgress: OnProgress;
}

/** @returns the revision that all entries are of. */
export async function copyAll(
  source: EtcdSource,
  writer: BatchWriter,
  leases: LeaseEnds,
  { endMsOf, onPage, onProgress }: Copied,
  options: ReadOptions,
): Promise<number> {
  const { signal } = options;
  let copiedRevision = 0;
  let totalKeys = 0;
  let doneKeys = 0;
  let doneBytes = 0;
  for await (const { entries, revision, keyCount } of pagesOf(
    source,
    { revision: 0, keysOnly: false },
    options,
  )) {
    copiedRevision = revision;
    if (totalKeys === 0) totalKeys = keyCount;
    const leaseIds = entries.map(({ leaseId }) => leaseId);
    await patiently(() => leases.learn(leaseIds, signal), patienceOf(options));
    for (const { key, value, leaseId } of entries) {
      signal.throwIfAborted();
      const expireTimeMs = leaseId === 0n ? 0 : endMsOf(leaseId);
      await writer.add({ key: canonicalKey(key), value, expireTimeMs, isLeased: false, isCollection: false });
    }
    await onPage(entries, revision);
    doneKeys += entries.length;
    doneBytes += bytesOf(entries);
    onProgress({
      work: `copying revision ${revision} of etcd`,
      doneBytes,
      totalBytes: 0,
      doneKeys,
      totalKeys,
    });
  }
  signal.throwIfAborted();
  await writer.flush();
  return copiedRevision;
}

function bytesOf(entries: readonly EtcdEntry[]): number {
  return entries.reduce((bytes, { key, value }) => bytes + key.length + value.length, 0);
}
