/** One key as it is at a revision, and the calls that read and change it. */
import { signal } from '@preact/signals';
import { type Entry, ValueType } from '../../../gen/kelp/v1/types_pb.ts';
import { EventType } from '../../../gen/kelp/v1/watch_pb.ts';
import { type Key, bytesOf, idOf, keyAfter, keyFields, rangeFields } from '../bytes/key-name.ts';
import { conflictingRevision, failureOf, isTooOld } from '../calls/failure.ts';
import { kv, watches } from '../calls/server.ts';
import { limits } from '../page/limits.ts';

export type { Entry };

export interface Found {
  /** `undefined`: there is no such key. */
  readonly entry: Entry | undefined;
  /** Of the store, when it was read. */
  readonly revision: bigint;
}

export async function readEntry(key: Key, signal?: AbortSignal, revision = 0n): Promise<Found> {
  const { entry, revision: readAt } = await kv.get(
    { ...keyFields(key), revision },
    signal === undefined ? {} : { signal },
  );
  if (entry !== undefined && revision === 0n) forgetDeletion(key);
  return { entry, revision: readAt };
}

export function isPlain(entry: Entry): boolean {
  return entry.type === ValueType.UNSPECIFIED;
}

/** In milliseconds since 1970; `undefined`: it lives until it is deleted. */
export function deadlineMs({ expireTime }: Entry): number | undefined {
  return expireTime === undefined ? undefined : Number(expireTime.seconds) * 1000 + expireTime.nanos / 1e6;
}

/** What is to be written. */
export interface Draft {
  readonly value: Uint8Array;
  /** How long it is to live from now on; `undefined`: until it is deleted. */
  readonly ttlMs: number | undefined;
  /** 0: none. */
  readonly leaseId: bigint;
}

export type Written =
  | { readonly kind: 'written'; readonly revision: bigint }
  | { readonly kind: 'conflict'; readonly found: Found };

/**
 * Writes a key if nothing has changed it since.
 * @param since its `mod_revision`; 0: it must be absent.
 * @returns what is there in its place. Rejects when it was refused for another reason.
 */
export async function writeEntry(
  key: Key,
  { value, ttlMs, leaseId }: Draft,
  since: bigint,
): Promise<Written> {
  try {
    const { revision } = await kv.put({
      ...keyFields(key),
      value,
      leaseId,
      ...(ttlMs === undefined
        ? {}
        : { ttl: { seconds: BigInt(Math.floor(ttlMs / 1000)), nanos: (ttlMs % 1000) * 1e6 } }),
      condition: { condition: { case: 'modRevisionEquals', value: since } },
    });
    return { kind: 'written', revision };
  } catch (error) {
    if (conflictingRevision(failureOf(error)) === undefined) throw error;
    return { kind: 'conflict', found: await readEntry(key) };
  }
}

/** The revisions that this page has deleted keys at, by their ids, the latest last, until they are seen to be there again. */
export const deletions = signal<ReadonlyMap<string, bigint>>(new Map());

const DELETIONS_MAX = 100;

/** As `writeEntry`. */
export async function deleteEntry(key: Key, since: bigint): Promise<Written> {
  try {
    const { revision, deleted } = await kv.delete({
      ...keyFields(key),
      condition: { condition: { case: 'modRevisionEquals', value: since } },
    });
    if (deleted) {
      const all = [...deletions.peek()].filter(([id]) => id !== idOf(key));
      deletions.value = new Map([...all, [idOf(key), revision] as const].slice(-DELETIONS_MAX));
    }
    return { kind: 'written', revision };
  } catch (error) {
    if (conflictingRevision(failureOf(error)) === undefined) throw error;
    return { kind: 'conflict', found: await readEntry(key) };
  }
}

function forgetDeletion(key: Key): void {
  if (!deletions.peek().has(idOf(key))) return;
  deletions.value = new Map([...deletions.peek()].filter(([id]) => id !== idOf(key)));
}

/** What a key that was deleted at a revision held, or that something has changed it since: the deletion is not its last change. */
export type Deletion = { readonly kind: 'last'; readonly before: Entry } | { readonly kind: 'changed' };

/**
 * Reads all that became of a key from the revision of its deletion on, so that what it held is known to be what it held last.
 * Rejects when that is not kept any more.
 */
export async function readDeletion(key: Key, revision: bigint, signal?: AbortSignal): Promise<Deletion> {
  const request = {
    ranges: [rangeFields({ start: bytesOf(key), end: keyAfter(key) })],
    startRevision: revision,
    returnPrevious: true,
  };
  const options = { timeoutMs: limits.callMs, ...(signal === undefined ? {} : { signal }) };
  let before: Entry | undefined;
  for await (const { message } of watches.watch(request, options)) {
    if (message.case === 'synced') break;
    if (message.case !== 'events') continue;
    for (const { type, previous } of message.value.events) {
      const isTheDeletion =
        before === undefined && message.value.revision === revision && type === EventType.DELETE;
      if (!isTheDeletion || previous === undefined) return { kind: 'changed' };
      before = previous;
    }
  }
  return before === undefined ? { kind: 'changed' } : { kind: 'last', before };
}

/** Writes what a key held before it was deleted at a revision, if nothing has changed it since; with its deadline, unless that has passed. */
export async function undoDeletion(key: Key, revision: bigint, nowMs: number): Promise<Written> {
  const deletion = await readDeletion(key, revision);
  if (deletion.kind === 'changed') return { kind: 'conflict', found: await readEntry(key) };
  const { before } = deletion;
  const deadline = deadlineMs(before);
  if (deadline !== undefined && deadline <= nowMs) throw new Error('its time to live has ended by now');
  const ttlMs = deadline === undefined ? undefined : Math.ceil(deadline - nowMs);
  const written = await writeEntry(key, { value: before.value, ttlMs, leaseId: before.leaseId }, 0n);
  if (written.kind === 'written') forgetDeletion(key);
  return written;
}

export interface Versions {
  /** The newest first. */
  readonly entries: readonly Entry[];
  /** Why there are no older ones, or `more`: they were not looked for. */
  readonly end: 'created' | 'compacted' | 'more';
}

/**
 * The versions of a key since it was created, as far as they can still be read: each is found by a read one revision before the next.
 * @param newest the last one that is known.
 */
export async function readVersions(key: Key, newest: Entry, signal: AbortSignal): Promise<Versions> {
  const entries: Entry[] = [];
  let last = newest;
  while (last.modRevision > last.createRevision) {
    if (entries.length >= limits.versionsAtOnce) return { entries, end: 'more' };
    try {
      const { entry } = await readEntry(key, signal, last.modRevision - 1n);
      if (entry === undefined) return { entries, end: 'created' };
      entries.push(entry);
      last = entry;
    } catch (error) {
      if (isTooOld(failureOf(error))) return { entries, end: 'compacted' };
      throw error;
    }
  }
  return { entries, end: 'created' };
}
