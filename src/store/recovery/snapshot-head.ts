/** The header of a snapshot, and whether it is the one that is looked for. */
import { readSnapshotHeader, type SnapshotHeaderShape } from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import { StoreError } from '../../errors.ts';
import { checkSnapshotFormat } from '../checkpoints/checkpoint.ts';
import { decode, refuse } from './decode.ts';
import { faultOfSnapshotHeader } from './recorded-items.ts';

/**
 * @param revision that its name says. @param storeId that of the log.
 * @throws StoreError `damaged`.
 */
export function readHeader(
  what: string,
  bytes: Uint8Array,
  revision: number,
  storeId: Uint8Array,
  path: string,
): SnapshotHeaderShape {
  const headerBytes = Buffer.from(bytes);
  const header = decode(what, () => readSnapshotHeader(headerBytes, 0, headerBytes.length));
  checkSnapshotFormat(header.formatVersion, path);
  if (Buffer.compare(header.storeId, storeId) !== 0)
    throw new StoreError('damaged', `${what} belongs to another store than the log`);
  if (header.revision !== revision) {
    throw new StoreError(
      'damaged',
      `the snapshot named for revision ${revision} holds revision ${header.revision}`,
    );
  }
  refuse(what, faultOfSnapshotHeader(header));
  return header;
}
