/** What a watch of etcd's API tells of a store, from its first revision on. Revisions are etcd's less 1. */
import type { EtcdClient } from '../../server/etcd/support/etcd-client.ts';
import { Watched } from '../../server/etcd/support/watched.ts';

export interface ToldChange {
  readonly revision: number;
  readonly key: string;
  /** `undefined`: it was deleted. */
  readonly value: string | undefined;
}

const FIRST = Uint8Array.of(0);

/** Nothing may be written meanwhile. @returns the changes up to the newest revision, as they came. */
export async function toldSinceTheFirst(client: EtcdClient): Promise<ToldChange[]> {
  const changes: ToldChange[] = [];
  const watched = new Watched(client);
  try {
    const { header } = await client.kv.range({ key: FIRST });
    watched.create({ key: FIRST, rangeEnd: FIRST, startRevision: 1n });
    watched.askProgress();
    for (;;) {
      const { events, watchId, canceled, cancelReason } = await watched.next();
      if (canceled) throw new Error(`the watch is over: ${cancelReason}`);
      if (watchId === -1n) break;
      for (const { type, kv } of events) {
        if (kv === undefined) throw new Error('an event has no key');
        changes.push({
          revision: Number(kv.modRevision) - 1,
          key: Buffer.from(kv.key).toString(),
          value: type === 0 ? Buffer.from(kv.value).toString() : undefined,
        });
      }
    }
    const newest = Number(header?.revision) - 1;
    if ((changes.at(-1)?.revision ?? 0) !== newest) throw new Error(`it has not come to revision ${newest}`);
    return changes;
  } finally {
    watched.stop();
  }
}
