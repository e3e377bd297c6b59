/** `KV.Put`. */
import type { PutRequestShape, PutResponseShape } from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import type { KeyValueShape } from '../../../../gen/etcd/api/mvccpb/kv_codec.ts';
import { checkLease, checkWrite, type LeaseOwners } from '../../../access/checks.ts';
import type { Login } from '../../../access/login/login.ts';
import type { Version } from '../../../engine/version.ts';
import { StoreError } from '../../../errors.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { kinds, valueTypeOf } from '../../../store/collections/kinds.ts';
import { encodeKey } from '../../../store/views/keys.ts';
import type { View } from '../../../store/views/view.ts';
import type { Call } from '../../calls/call.ts';
import { etcdError } from '../errors.ts';
import { headerOf } from '../header.ts';
import { leaseIdOf } from '../lease-ids.ts';
import { checkKeyGiven, isPossibleKey } from './key-ranges.ts';
import { bytesOfKeyValue, keyValueOf } from './key-values.ts';
import type { Charge } from './range-reader.ts';

/** Throws what etcd refuses before it looks at the store. */
export function checkPut(request: PutRequestShape, valueBytesMax: number): void {
  checkKeyGiven(request);
  const { key, value, lease, ignoreValue, ignoreLease } = request;
  if (ignoreValue && value.length > 0) throw etcdError('valueProvided');
  if (ignoreLease && lease !== 0n) throw etcdError('leaseProvided');
  if (!isPossibleKey(key) || value.length > valueBytesMax) throw etcdError('requestTooLarge');
}

/** What a checked put needs. */
export function putNeeds(login: Login, request: PutRequestShape, leases: LeaseOwners): void {
  const { key, lease, prevKv, ignoreValue, ignoreLease } = request;
  checkWrite(login, key, prevKv || ignoreValue || ignoreLease);
  if (lease !== 0n) checkLease(login, leases, leaseIdOf(lease));
}

export async function put(store: KvStore, request: PutRequestShape, call: Call): Promise<PutResponseShape> {
  const { key, value, lease, prevKv, ignoreValue, ignoreLease } = request;
  if (lease === 0n && !prevKv && !ignoreValue && !ignoreLease) {
    const { revision } = await store.put(key, value, {}, call);
    return { header: headerOf(store, revision), prevKv: undefined };
  }
  const charge: Charge = (bytes) => call.chargeReply(bytes);
  const run = (view: View, kept: PutRequestShape) => ({
    previous: putIn(view, kept, charge),
    revision: view.replyRevision,
  });
  const { previous, revision } = await store.decideWith(request, run, call);
  return { header: headerOf(store, revision), prevKv: previous };
}

/** Throws what etcd refuses of a put in a transaction before it changes anything. */
export function checkPutIn(view: View, { key, lease, ignoreValue, ignoreLease }: PutRequestShape): void {
  if ((ignoreValue || ignoreLease) && view.readMeta(encodeKey(key)) === undefined)
    throw etcdError('keyNotFound');
  existingLease(view, lease);
}

/** @param request a checked one. @returns the key as it was, if that is wanted. */
export function putIn(view: View, request: PutRequestShape, charge: Charge): KeyValueShape | undefined {
  const { prevKv, ignoreValue, ignoreLease } = request;
  const leaseId = existingLease(view, request.lease);
  const key = encodeKey(request.key);
  const current = readCurrent(view, key, request);
  if ((ignoreValue || ignoreLease) && current === undefined) throw etcdError('keyNotFound');
  let previous: KeyValueShape | undefined;
  if (prevKv && current !== undefined) {
    previous = keyValueOf(new Uint8Array(request.key), current);
    charge(bytesOfKeyValue(previous));
  }
  const value = ignoreValue && current !== undefined ? keptValueOf(current) : request.value;
  const lifetime = ignoreLease && current !== undefined ? lifetimeOf(current) : { leaseId };
  view.put(key, value, lifetime);
  return previous;
}

/** 0: none. Throws `leaseNotFound`. */
function existingLease(view: View, id: bigint): number {
  const leaseId = leaseIdOf(id);
  if (leaseId !== 0 && view.lease(leaseId) === undefined) throw etcdError('leaseNotFound');
  return leaseId;
}

function readCurrent(
  view: View,
  key: Uint8Array,
  { prevKv, ignoreValue, ignoreLease }: PutRequestShape,
): Version | undefined {
  if (prevKv || ignoreValue) return view.read(key);
  return ignoreLease ? view.readMeta(key) : undefined;
}

/** The value that a key keeps: a collection has none that could be written. */
function keptValueOf({ kind, value }: Version): Uint8Array {
  if (kind !== kinds.plain) {
    throw new StoreError(
      'wrongType',
      `the key holds no plain value that ignore_value could keep: it is ${valueTypeOf(kind) ?? 'of another type'}`,
    );
  }
  return value;
}

/** A key that keeps its lease keeps a time to live of its own, too: etcd has none but leases. */
function lifetimeOf({ leaseId, ttlMs, expireTimeMs }: Version): {
  leaseId: number;
  ttlMs: number;
  expireTimeMs: number;
} {
  return { leaseId, ttlMs, expireTimeMs };
}
