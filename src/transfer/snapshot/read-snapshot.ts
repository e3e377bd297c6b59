/**
 * The entries of a snapshot file: the newest version of each key. What else it holds, leases and older versions, is
 * read over, but checked as far as it can be without keeping it; that the file is whole shows at its end.
 */
import {
  readSnapshotBlock,
  readSnapshotHeader,
  type SnapshotVersionShape,
} from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import { canonicalKey } from '../../arguments/key.ts';
import { SnapshotDamageError } from '../../snapshot/damage.ts';
import { openSnapshotStream, type SnapshotReader } from '../../snapshot/reader.ts';
import type { SnapshotSource } from '../../snapshot/section-reader.ts';
import { checkSnapshotFormat } from '../../store/checkpoints/checkpoint.ts';
import { kinds } from '../../store/collections/kinds.ts';
import {
  SnapshotOrder,
  faultOfItemCount,
  faultOfSnapshotHeader,
} from '../../store/recovery/recorded-items.ts';
import { isUserKey, toUserKey } from '../../store/views/regions.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { TransferEntry } from '../contract/entry.ts';

/** @throws StoreError `damaged`. */
export async function* readSnapshotEntries(
  name: string,
  source: SnapshotSource,
): AsyncGenerator<readonly TransferEntry[], void, undefined> {
  const reader = await openSnapshotStream(name, source);
  try {
    const order = new SnapshotOrder(revisionOf(name, reader));
    for (let offset = reader.bytesRead; ; offset = reader.bytesRead) {
      const next = await reader.next();
      if (next === undefined) return;
      const refuse = (fault: string | undefined): void => {
        if (fault !== undefined) throw new SnapshotDamageError(name, offset, fault);
      };
      const { block, itemCount } = next;
      const { leases, versions } = decoded(name, offset, () => readSnapshotBlock(block, 0, block.length));
      refuse(faultOfItemCount(leases.length + versions.length, itemCount));
      for (const lease of leases) refuse(order.faultOfLease(lease));
      for (const version of versions) refuse(order.faultOfVersion(version));
      const entries = versions.filter(isEntry).map(toEntry);
      if (entries.length > 0) yield entries;
    }
  } finally {
    await reader.close();
  }
}

function revisionOf(name: string, reader: SnapshotReader): number {
  const bytes = Buffer.from(reader.header);
  const header = decoded(name, 0, () => readSnapshotHeader(bytes, 0, bytes.length));
  checkSnapshotFormat(header.formatVersion, name);
  const fault = faultOfSnapshotHeader(header);
  if (fault !== undefined) throw new SnapshotDamageError(name, 0, fault);
  return header.revision;
}

function decoded<Message>(name: string, offset: number, read: () => Message): Message {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new SnapshotDamageError(name, offset, `it can not be understood (${error.message})`, {
      cause: error,
    });
  }
}

/** Not of what the store keeps for itself, such as who may do what. */
function isEntry({ key, deleted, replacedBy }: SnapshotVersionShape): boolean {
  return !deleted && replacedBy === 0 && isUserKey(key);
}

function toEntry({ key, value, leaseId, expireTimeMs, kind }: SnapshotVersionShape): TransferEntry {
  const isCollection = kind !== kinds.plain;
  const isLeased = leaseId !== 0;
  return { key: canonicalKey(toUserKey(key)), value, expireTimeMs, isLeased, isCollection };
}
