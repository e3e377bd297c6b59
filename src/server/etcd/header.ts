/**
 * The header of every response of etcd's API: whose it is, and the newest revision when the call was answered.
 *
 * The ids of the cluster and its one member are made of the store's id, so that they stay while the store does. They have 52 bits,
 * which every client can hold as a number, and are never 0.
 */
import type { ResponseHeaderShape } from '../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { toEtcd } from './revisions.ts';

export interface EtcdIds {
  readonly clusterId: number;
  readonly memberId: number;
}

const DIGITS = 13;

/** There is one leader, which was never another. */
export const RAFT_TERM = 1;

const idsByStore = new WeakMap<KvStore, EtcdIds>();

export function idsOf(store: KvStore): EtcdIds {
  const known = idsByStore.get(store);
  if (known !== undefined) return known;
  const digits = store.storeId;
  const idAt = (start: number): number => Number.parseInt(digits.slice(start, start + DIGITS), 16) || 1;
  const ids = { clusterId: idAt(0), memberId: idAt(DIGITS) };
  idsByStore.set(store, ids);
  return ids;
}

/** @param revision ours. */
export function headerOf(store: KvStore, revision: number): ResponseHeaderShape {
  const { clusterId, memberId } = idsOf(store);
  return { clusterId, memberId, revision: toEtcd(revision), raftTerm: RAFT_TERM };
}
