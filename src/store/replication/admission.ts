/**
 * Whether a data directory may be opened as what it is to be: a store that is alone, or one of a cluster. A node's directory that went on
 * alone would have what no other node has, and one of another store what no batch can follow.
 */
import { StoreError } from '../../errors.ts';
import type { JournalPlace } from '../../wal/journal.ts';
import type { RecoveredState } from '../recovery/recovering.ts';
import type { StoreOptions } from '../store-options.ts';
import type { Followed, Replication } from './replication.ts';

const BEFORE_THE_FIRST: JournalPlace = { position: 0, epoch: 0, checksum: 0, writerAddress: '', revision: 0 };

/** What can't go together with replication yet; `undefined`: nothing. */
export function faultOfReplication({ replication, engine, fsync }: StoreOptions): string | undefined {
  if (replication === undefined) return undefined;
  if (engine !== undefined && engine !== 'memory')
    return `the engine ${engine} keeps no node of a cluster yet; use the engine memory`;
  return fsync === undefined
    ? undefined
    : 'fsync has no meaning for a node of a cluster, whose writes are durable once the shared log has them; leave it out';
}

/** @throws StoreError `invalidArgument` when the log that is there is of another store. */
export function checkStoreId({ storeId, follows }: Replication, found: Uint8Array): void {
  if (typeof storeId === 'function') return;
  if (Buffer.compare(storeId, found) === 0) return;
  throw new StoreError(
    'invalidArgument',
    follows === 'server'
      ? 'the data directory is of another store than the server that it is to follow; use an empty one, or follow the right server'
      : 'the data directory is of another store than the cluster; use an empty one for this node: it gets its data from the others',
  );
}

/**
 * @returns where a node goes on.
 * @throws StoreError `invalidArgument` when the directory is one of another kind.
 */
export function placeOf(
  { follows = 'sharedLog' }: Pick<Replication, 'follows'>,
  { place, revision, leases, replayedBytes }: RecoveredState,
): JournalPlace {
  if (place !== undefined) {
    // What follows a server names it; a node of a cluster that is behind no batch yet names none.
    const isBeforeTheFirst = place.position === 0 && place.writerAddress === '';
    if (isBeforeTheFirst || kindOf(place) === follows) return place;
    throw new StoreError('invalidArgument', foreignTexts[follows]);
  }
  if (revision === 0 && leases.size === 0 && replayedBytes === 0) return BEFORE_THE_FIRST;
  throw new StoreError('invalidArgument', aloneTexts[follows]);
}

/** @throws StoreError `invalidArgument` when the state is that of a node. */
export function checkAlone({ place }: RecoveredState): void {
  if (place !== undefined) throw new StoreError('invalidArgument', followingTexts[kindOf(place)]);
}

/** A server that is followed has no epochs. */
function kindOf({ epoch }: JournalPlace): Followed {
  return epoch === 0 ? 'server' : 'sharedLog';
}

/** Of directories that follow the other. */
const foreignTexts: Record<Followed, string> = {
  sharedLog:
    'the data directory follows a running server (--follow), not the shared log of a cluster; use an empty one for this node: it gets its data from the others',
  server:
    'the data directory is of a node of a cluster (--log), and follows no running server; use an empty one: it gets its data from the server that it follows',
};

const aloneTexts: Record<Followed, string> = {
  sharedLog:
    'the data directory is of a store that is alone; use an empty one for this node. To bring its data into a cluster, start it as it was, export it, and import that',
  server:
    'the data directory is of a store that is alone; use an empty one: it gets its data from the server that it follows',
};

const followingTexts: Record<Followed, string> = {
  sharedLog:
    'the data directory is of a node of a cluster, and would go on without the others; start it with the shared log of its cluster (--log). To make a single store of it, take a backup of the cluster, and restore that into an empty directory',
  server:
    'the data directory follows a running server, and would go on without it; start it with --follow. To make a store of it that takes writes, take a backup of it while it runs, and restore that into an empty directory',
};
