/**
 * Bloom filters that grow: whether an item was added, surely not or probably so.
 *
 *     user's key               → metadata (`layers.ts`), with the bits while they fit into 512 bytes
 *     FA id 'b' page:u32       → 1 KiB of bits
 *
 * Invariants: an item that was added is found for ever; the layers' pages follow each other; only the last layer takes items.
 */
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { expectKind, putMetadata, readCollection } from '../collections/metadata.ts';
import { kinds } from '../../store/collections/kinds.ts';
import {
  decodeFilter,
  encodeFilter,
  type Filter,
  type FilterOptions,
  itemCountOf,
  newFilter,
  nextLayer,
} from './layers.ts';
import { Pages } from './pages.ts';

export type { FilterOptions } from './layers.ts';

/** Of a filter that is made without a word of how: as RedisBloom has them. */
export const filterDefaults: FilterOptions = {
  errorRate: 0.01,
  capacity: 100,
  expansion: 2,
  isScaling: true,
};

/** `full`: the filter does not grow, and has as many items as it was made for. */
export type Added = 'added' | 'present' | 'full';

export interface FilterInfo {
  /** How many items all layers are for. */
  readonly capacity: number;
  readonly layerCount: number;
  readonly itemCount: number;
  /** 0: it does not grow. */
  readonly expansion: number;
  /** Of the bits of all layers. */
  readonly bytes: number;
}

/** Makes an empty filter. @returns whether there was none at the key. @throws StoreError `limitReached`. */
export function reserveFilter(view: View, key: Uint8Array, options: FilterOptions): boolean {
  const version = view.readMeta(key);
  if (version !== undefined) {
    expectKind(version, kinds.bloomFilter);
    return false;
  }
  const filter = createFilter(options);
  const collectionId = filter.packedBits === undefined ? view.newCollectionId() : 0;
  putMetadata(view, key, kinds.bloomFilter, encodeFilter(filter), undefined, collectionId);
  return true;
}

/**
 * Adds items until the filter is full.
 * @param options of the filter that is made when there is none; `undefined`: none is.
 * @returns what became of each, up to the first that finds it full. @throws StoreError `keyNotFound`.
 */
export function addItems(
  view: View,
  key: Uint8Array,
  count: number,
  itemAt: (index: number) => Uint8Array,
  options: FilterOptions | undefined,
): Added[] {
  const version = readCollection(view, key, kinds.bloomFilter);
  const filter = version === undefined ? createFilter(options) : decodeFilter(version);
  let collectionId = version?.collectionId ?? 0;
  const pages = new Pages(view, filter, collectionId);
  const results: Added[] = [];
  let isWritten = version === undefined;
  for (let index = 0; index < count && results.at(-1) !== 'full'; index++) {
    pages.select(itemAt(index));
    const result = addSelected(filter, pages);
    if (result === 'added') isWritten = true;
    results.push(result);
  }
  if (!isWritten) return results;
  if (filter.packedBits === undefined && collectionId === 0) collectionId = view.newCollectionId();
  pages.write(view, collectionId);
  putMetadata(view, key, kinds.bloomFilter, encodeFilter(filter), version, collectionId);
  return results;
}

/** @param tell whether each item was added, in their order; of no filter none was. */
export function hasItems(
  view: ReadView,
  key: Uint8Array,
  count: number,
  itemAt: (index: number) => Uint8Array,
  tell: (isPresent: boolean) => void,
): void {
  const version = readCollection(view, key, kinds.bloomFilter);
  const filter = version === undefined ? undefined : decodeFilter(version);
  const pages = filter === undefined ? undefined : new Pages(view, filter, version?.collectionId ?? 0);
  for (let index = 0; index < count; index++) {
    if (filter === undefined || pages === undefined) tell(false);
    else {
      pages.select(itemAt(index));
      tell(isPresent(filter, pages));
    }
  }
}

/** `undefined`: there is no filter. */
export function readFilterInfo(view: ReadView, key: Uint8Array): FilterInfo | undefined {
  const version = readCollection(view, key, kinds.bloomFilter);
  if (version === undefined) return undefined;
  const filter = decodeFilter(version);
  const { layers, isScaling, expansion } = filter;
  return {
    capacity: layers.reduce((sum, layer) => sum + layer.capacity, 0),
    layerCount: layers.length,
    itemCount: itemCountOf(filter),
    expansion: isScaling ? expansion : 0,
    bytes: layers.reduce((sum, layer) => sum + layer.bytes, 0),
  };
}

function addSelected(filter: Filter, pages: Pages): Added {
  if (isPresent(filter, pages)) return 'present';
  let layer = filter.layers.at(-1);
  if (layer === undefined || layer.itemCount >= layer.capacity) {
    if (!filter.isScaling) return 'full';
    layer = nextLayer(filter);
    if (layer === undefined) {
      throw new StoreError(
        'limitReached',
        `the filter has as many layers (at most ${fixed.bloomLayersMax}) or bits as a filter may have; reserve one with a greater capacity`,
      );
    }
    pages.unpack();
    filter.layers.push(layer);
  }
  pages.addTo(layer);
  layer.itemCount++;
  return 'added';
}

/** Whether the selected item is in any layer; the last one is the largest, so most items are there. */
function isPresent({ layers }: Filter, pages: Pages): boolean {
  for (let index = layers.length - 1; index >= 0; index--) {
    const layer = layers[index];
    if (layer !== undefined && pages.isIn(layer)) return true;
  }
  return false;
}

function createFilter(options: FilterOptions | undefined): Filter {
  if (options === undefined) throw new StoreError('keyNotFound', 'there is no such filter');
  const filter = newFilter(options);
  if (filter === undefined) throw new StoreError('limitReached', 'could not create filter');
  return filter;
}
