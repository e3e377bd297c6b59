/**
 * The calls of `kelp.v1.KvService` on keys that are named one by one, in two forms: methods of their own, with a promise where
 * they wait for the log, and functions over a view of the newest state (`...In`), which a pipeline decides one behind the other.
 */
import type * as codec from '../../../../gen/kelp/v1/kv_codec.ts';
import type {
  Admit,
  DeleteOptions,
  DeleteResult,
  Entry,
  GetResult,
  Key,
  PutOptions,
  PutResult,
  TouchResult,
} from '../../../api.ts';
import { given } from '../../../arguments/shape.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import * as reads from '../../../kv/reads/reads.ts';
import * as writes from '../../../kv/writes/writes.ts';
import type { View } from '../../../store/views/view.ts';
import type { Call } from '../../calls/call.ts';
import { entryBytes, entryShape, optionalEntry } from '../reply-entries.ts';
import { condition, keyIn, keysOf, milliseconds, timeToLiveMs, wholeNumber } from '../request-fields.ts';

/** What a reply is charged to before it is made. */
export type ReplyAccount = Pick<Call, 'chargeReply'>;
/** That of a call by itself. */
type OwnAccount = Pick<Call, 'chargeReply' | 'releaseReply' | 'signal'>;

/** What one answer takes, yes or no. */
const ANSWER_BYTES = 8;

/** What is read goes out at once, and needs no promise, unless others have read much in this turn. */
export function get(
  store: KvStore,
  request: codec.GetRequestShape,
  call: OwnAccount,
): codec.GetResponseShape | Promise<codec.GetResponseShape> {
  const waits = request.refreshTtl || store.isResting;
  return waits ? getInTurn(store, request, call) : getVisible(store, request, call);
}

/** Without `refreshTtl`. */
export function getVisible(
  store: KvStore,
  request: codec.GetRequestShape,
  call: ReplyAccount,
): codec.GetResponseShape {
  const result = store.getVisible(keyIn(request), revisionIn(request));
  if (result.entry !== undefined) call.chargeReply(entryBytes(result.entry));
  return getResponse(result);
}

async function getInTurn(
  store: KvStore,
  request: codec.GetRequestShape,
  call: OwnAccount,
): Promise<codec.GetResponseShape> {
  const { refreshTtl } = request;
  const options = { revision: revisionIn(request), refreshTtl, admit: admitEntry(call) };
  return getResponse(await store.get(keyIn(request), options, call));
}

/** Without a revision, or with `refreshTtl`. */
export function getIn(
  view: View,
  request: codec.GetRequestShape,
  call: ReplyAccount,
): codec.GetResponseShape {
  const key = keyIn(request);
  const admit = admitEntry(call);
  if (!request.refreshTtl) return getResponse(reads.getNewest(view, key, { admit }));
  return getResponse(writes.getRefreshing(view, key, { revision: revisionIn(request), admit }));
}

function revisionIn({ revision }: codec.GetRequestShape): number {
  return wholeNumber('revision', revision);
}

function getResponse({ entry, revision }: GetResult): codec.GetResponseShape {
  return { entry: optionalEntry(entry), revision };
}

export async function put(
  store: KvStore,
  request: codec.PutRequestShape,
  call: OwnAccount,
): Promise<codec.PutResponseShape> {
  return putResponse(await store.put(keyIn(request), request.value, putOptions(request, call), call));
}

export function putIn(
  view: View,
  request: codec.PutRequestShape,
  call: ReplyAccount,
): codec.PutResponseShape {
  return putResponse(writes.put(view, keyIn(request), request.value, putOptions(request, call)));
}

const PLAIN_PUT: PutOptions = {};

function putOptions(request: codec.PutRequestShape, call: ReplyAccount): PutOptions {
  const { leaseId, returnPrevious } = request;
  // Most are plain.
  if (leaseId === 0 && !returnPrevious && request.ttl === undefined && request.condition === undefined) {
    return PLAIN_PUT;
  }
  return {
    leaseId: wholeNumber('lease_id', leaseId),
    returnPrevious,
    ...given({
      ttlMs: timeToLiveMs('ttl', request.ttl),
      condition: condition(request.condition),
      admit: admitPrevious(request, call),
    }),
  };
}

function putResponse({ revision, previous }: PutResult): codec.PutResponseShape {
  return { revision, previous: optionalEntry(previous) };
}

export async function deleteKey(
  store: KvStore,
  request: codec.DeleteRequestShape,
  call: ReplyAccount,
): Promise<codec.DeleteResponseShape> {
  return deleteResponse(await store.delete(keyIn(request), deleteOptions(request, call)));
}

export function deleteKeyIn(
  view: View,
  request: codec.DeleteRequestShape,
  call: ReplyAccount,
): codec.DeleteResponseShape {
  return deleteResponse(writes.deleteKey(view, keyIn(request), deleteOptions(request, call)));
}

function deleteOptions(request: codec.DeleteRequestShape, call: ReplyAccount): DeleteOptions {
  return {
    returnPrevious: request.returnPrevious,
    ...given({ condition: condition(request.condition), admit: admitPrevious(request, call) }),
  };
}

function deleteResponse({ revision, deleted, previous }: DeleteResult): codec.DeleteResponseShape {
  return { revision, deleted, previous: optionalEntry(previous) };
}

/** A reply without an entry takes nothing that is worth counting. */
function admitPrevious(
  { returnPrevious }: { readonly returnPrevious: boolean },
  call: ReplyAccount,
): Admit<Entry | undefined> | undefined {
  return returnPrevious ? admitEntry(call) : undefined;
}

function admitEntry(call: ReplyAccount): Admit<Entry | undefined> {
  return (entry) => call.chargeReply(entryBytes(entry));
}

/** As for `get`. */
export function existsInTurn(
  store: KvStore,
  request: codec.ExistsRequestShape,
  call: ReplyAccount,
): codec.ExistsResponseShape | Promise<codec.ExistsResponseShape> {
  return store.isResting ? store.exists(keysIn(request, call)) : exists(store, request, call);
}

export function exists(
  store: KvStore,
  request: codec.ExistsRequestShape,
  call: ReplyAccount,
): codec.ExistsResponseShape {
  return store.existsVisible(keysIn(request, call));
}

export function existsIn(
  view: View,
  request: codec.ExistsRequestShape,
  call: ReplyAccount,
): codec.ExistsResponseShape {
  return reads.exists(view, keysIn(request, call));
}

/** The keys that are asked for, whose answers are charged. */
function keysIn({ keys, keysBytes }: codec.ExistsRequestShape, call: ReplyAccount): Key[] {
  const asked = keysOf(keys, keysBytes);
  call.chargeReply(asked.length * ANSWER_BYTES);
  return asked;
}

export async function increment(
  store: KvStore,
  request: codec.IncrementRequestShape,
  call: OwnAccount,
): Promise<codec.IncrementResponseShape> {
  const ttlMs = timeToLiveMs('ttl', request.ttl);
  return store.increment(keyIn(request), request.delta, given({ ttlMs }), call);
}

export function incrementIn(view: View, request: codec.IncrementRequestShape): codec.IncrementResponseShape {
  return writes.increment(view, keyIn(request), request.delta, timeToLiveMs('ttl', request.ttl));
}

export async function touch(
  store: KvStore,
  request: codec.TouchRequestShape,
  call: OwnAccount,
): Promise<codec.TouchResponseShape> {
  const ttlMs = milliseconds('ttl', request.ttl);
  return touchResponse(await store.touch(keyIn(request), given({ ttlMs }), call));
}

export function touchIn(view: View, request: codec.TouchRequestShape): codec.TouchResponseShape {
  return touchResponse(writes.touch(view, keyIn(request), milliseconds('ttl', request.ttl)));
}

function touchResponse({ revision, entry }: TouchResult): codec.TouchResponseShape {
  return { revision, entry: entryShape(entry) };
}
