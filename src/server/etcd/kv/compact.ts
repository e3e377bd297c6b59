/** `KV.Compact`: history before a revision goes, at once; `physical` has nothing to wait for. */
import type {
  CompactionRequestShape,
  CompactionResponseShape,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { etcdError } from '../errors.ts';
import { headerOf } from '../header.ts';
import { fromEtcd } from '../revisions.ts';

export async function compact(
  store: KvStore,
  { revision }: CompactionRequestShape,
): Promise<CompactionResponseShape> {
  const wanted = fromEtcd(revision);
  const { oldestRevision, revision: newest } = await store.status();
  if (wanted > newest) throw etcdError('futureRevision');
  // Of 0 and 1, in etcd's count, nothing could be dropped, and etcd takes them.
  if (wanted > 0) {
    if (wanted <= oldestRevision) throw etcdError('compacted');
    await store.compact(wanted);
  } else if (wanted < fromEtcd(0) || oldestRevision > 0) throw etcdError('compacted');
  return { header: headerOf(store, store.visibleRevision) };
}
