/** Gets a node the state of another one: asks the writer for a snapshot, again and again, and puts it in place of what is there. */
import { isStoreError, StoreError } from '../../errors.ts';
import { cluster as limits } from '../../limits.ts';
import type { SharedLog } from '../../shared-log/shared-log.ts';
import type { LogPlace } from '../../wal/journal.ts';
import type { ClusterEvent } from '../cluster-event.ts';
import type { Peers } from '../node.ts';
import { parseNodeAddress } from '../node-address.ts';
import { pause } from '../waits/pause.ts';
import { firstPositionBehind, WriterSearch } from './find-writer.ts';
import { clearReset, type NodeDirectory, replaceState } from './replace-state.ts';

export interface FetchParts {
  readonly directory: NodeDirectory;
  readonly sharedLog: SharedLog;
  readonly peers: Peers;
  /** Of this node. */
  readonly address: string;
  readonly storeId: Uint8Array;
  readonly onEvent: (event: ClusterEvent) => void;
}

export interface FetchOptions {
  /** The first position that is kept. */
  readonly firstPosition: number;
  readonly damagedPath?: string | undefined;
  /** Default: it tries until it has one. */
  readonly msMax?: number;
}

/**
 * The store is not open. Rejects with the signal's reason, and with what says that the log is not what it was.
 * @returns `undefined`: the state is there; else why it is not, after so long: then that which was there still is, unless a disk has failed.
 */
export async function fetchState(
  { directory, sharedLog, peers, address: ownAddress, storeId, onEvent }: FetchParts,
  { firstPosition, damagedPath, msMax = Infinity }: FetchOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { clock } = directory;
  const endMs = clock.monotonicMs() + msMax;
  const search = new WriterSearch(sharedLog, firstPosition);
  for (;;) {
    let why = 'the newest writer is not known, or was this node itself';
    const found = await search.find(signal);
    const address = parseNodeAddress(found.address).http;
    if (address !== '' && address !== parseNodeAddress(ownAddress).http) {
      const name = `the snapshot of the node at ${address}`;
      const checkPlace = (place: LogPlace): Promise<void> => checkOfLog(sharedLog, name, place, signal);
      const wanted = { storeId, position: found.firstPosition, name, checkPlace, damagedPath };
      try {
        const fetched = await replaceState(directory, wanted, peers.snapshot(address, signal));
        onEvent({ kind: 'snapshotFetched', address, ...fetched });
        return undefined;
      } catch (error) {
        signal.throwIfAborted();
        onEvent({ kind: 'fetchFailed', address, error: error as Error });
        why = (error as Error).message;
        await clearReset(directory);
      }
    }
    if (clock.monotonicMs() >= endMs) return why;
    await pause(clock, limits.fetchRetryMs, signal);
  }
}

/** A node that holds another history than the log has would give that. */
async function checkOfLog(
  sharedLog: SharedLog,
  name: string,
  place: LogPlace,
  signal: AbortSignal,
): Promise<void> {
  try {
    await firstPositionBehind(sharedLog, place, signal);
  } catch (error) {
    if (!isStoreError(error, 'damaged')) throw error;
    const text = `${name} is of another history than the shared log: an older state of that was put back`;
    throw new StoreError('damaged', text, { cause: error });
  }
}
