/** Opens a store as a volume of blobs. */
import { optionsOf } from '../arguments/shape.ts';
import { systemClock } from '../clock.ts';
import { StoreError } from '../errors.ts';
import { CheckedStore } from '../kv/checked-store.ts';
import { openUncheckedStore } from '../kv/open-store.ts';
import { OPTIONS_EXAMPLE, type StoreOptions, storeOptionsTable } from '../store/store-options.ts';
import { Blobs } from './blobs.ts';
import { VOLUME_ID_DEFAULT, isVolumeId } from './volume-id.ts';

export interface BlobsOptions extends StoreOptions {
  /** Tells volumes apart; default `vol-1`. Letters, digits, dots, dashes and underscores. */
  readonly volumeId?: string;
}

/**
 * Opens the store of a data directory as a volume of blobs, or makes a new one:
 *
 * ```ts
 * const blobs = await openBlobs({ dataDir: './data', volumeId: 'vol-2' });
 * const { etag, size } = await blobs.put('photo', bytes);
 * const blob = await blobs.get('photo');
 * for await (const key of blobs.list({ prefix: 'p' })) console.log(key);
 * await blobs.close();
 * ```
 *
 * Rejects as `openStore` does.
 */
export async function openBlobs(options: BlobsOptions): Promise<Blobs> {
  const wrong = blobsOptions(options);
  if (wrong !== undefined) throw new StoreError('invalidArgument', wrong);
  const { volumeId = VOLUME_ID_DEFAULT, ...storeOptions } = options;
  const opened = await openUncheckedStore(storeOptions);
  return new Blobs({
    store: new CheckedStore(opened),
    meanValueBytes: () => opened.meanValueBytes(),
    hold: () => opened.hold(0),
    volumeId,
    clock: options.clock ?? systemClock,
  });
}

const blobsOptions = optionsOf<BlobsOptions>(
  'openBlobs',
  { ...storeOptionsTable, volumeId: isVolumeId },
  OPTIONS_EXAMPLE,
);
