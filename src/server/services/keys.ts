/**
 * The calls of `kelp.v1.KvService` on keys that are named one by one: methods of their own, and operations of a pipeline.
 *
 * Behind writes of the same pipeline a read is `isNewest`: it sees the newest state, and waits until that is durable.
 */
import type * as codec from '../../../gen/kelp/v1/kv_codec.ts';
import type { Admit, Entry, GetResult, Key } from '../../api.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import type { Call } from '../calls/calls.ts';
import { entryBytes, entryShape, optionalEntry } from './reply-entries.ts';
import {
  condition,
  given,
  keyOf,
  keysOf,
  milliseconds,
  timeToLiveMs,
  wholeNumber,
} from './request-fields.ts';

/** What a reply is charged to before it is made. */
export type ReplyAccount = Pick<Call, 'chargeReply'>;

/** The key of a request for one. */
function keyIn({ key, keyBytes }: { readonly key: string; readonly keyBytes: Uint8Array }): Key {
  return keyOf('key', key, keyBytes);
}

/** What is read goes out at once, and needs no promise. */
export function get(
  store: KvStore,
  request: codec.GetRequestShape,
  call: ReplyAccount,
  isNewest = false,
): codec.GetResponseShape | Promise<codec.GetResponseShape> {
  const key = keyIn(request);
  const revision = wholeNumber('revision', request.revision);
  if (request.refreshTtl) return getRefreshing(store, key, revision, call);
  if (isNewest && revision === 0) return getNewest(store, key, call);
  const result = store.getVisible(key, revision);
  if (result.entry !== undefined) call.chargeReply(entryBytes(result.entry));
  return getResponse(result);
}

async function getRefreshing(
  store: KvStore,
  key: Key,
  revision: number,
  call: ReplyAccount,
): Promise<codec.GetResponseShape> {
  const admit = (result: Entry | undefined): void => call.chargeReply(entryBytes(result));
  return getResponse(await store.get(key, { revision, refreshTtl: true, admit }));
}

async function getNewest(store: KvStore, key: Key, call: ReplyAccount): Promise<codec.GetResponseShape> {
  const admit = (result: Entry | undefined): void => call.chargeReply(entryBytes(result));
  return getResponse(await store.getNewest(key, { admit }));
}

function getResponse({ entry, revision }: GetResult): codec.GetResponseShape {
  return { entry: optionalEntry(entry), revision };
}

export async function put(
  store: KvStore,
  request: codec.PutRequestShape,
  call: ReplyAccount,
): Promise<codec.PutResponseShape> {
  const { revision, previous } = await store.put(keyIn(request), request.value, {
    leaseId: wholeNumber('lease_id', request.leaseId),
    returnPrevious: request.returnPrevious,
    ...given({
      ttlMs: timeToLiveMs('ttl', request.ttl),
      condition: condition(request.condition),
      admit: admitPrevious(request, call),
    }),
  });
  return { revision, previous: optionalEntry(previous) };
}

export async function deleteKey(
  store: KvStore,
  request: codec.DeleteRequestShape,
  call: ReplyAccount,
): Promise<codec.DeleteResponseShape> {
  const { revision, deleted, previous } = await store.delete(keyIn(request), {
    returnPrevious: request.returnPrevious,
    ...given({ condition: condition(request.condition), admit: admitPrevious(request, call) }),
  });
  return { revision, deleted, previous: optionalEntry(previous) };
}

/** A reply without an entry takes nothing that is worth counting. */
function admitPrevious(
  { returnPrevious }: { readonly returnPrevious: boolean },
  call: ReplyAccount,
): Admit<Entry | undefined> | undefined {
  return returnPrevious ? (previous) => call.chargeReply(entryBytes(previous)) : undefined;
}

export function exists(
  store: KvStore,
  request: codec.ExistsRequestShape,
  _: unknown,
  isNewest = false,
): codec.ExistsResponseShape | Promise<codec.ExistsResponseShape> {
  const keys = keysOf(request.keys, request.keysBytes);
  return isNewest ? store.existsNewest(keys) : store.existsVisible(keys);
}

export async function increment(
  store: KvStore,
  request: codec.IncrementRequestShape,
): Promise<codec.IncrementResponseShape> {
  const ttlMs = timeToLiveMs('ttl', request.ttl);
  return store.increment(keyIn(request), request.delta, given({ ttlMs }));
}

export async function touch(
  store: KvStore,
  request: codec.TouchRequestShape,
): Promise<codec.TouchResponseShape> {
  const ttlMs = milliseconds('ttl', request.ttl);
  const { revision, entry } = await store.touch(keyIn(request), given({ ttlMs }));
  return { revision, entry: entryShape(entry) };
}
