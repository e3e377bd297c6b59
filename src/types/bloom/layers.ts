/**
 * The metadata of a Bloom filter, kind 6: what it was made for, and its layers. Numbers are big-endian.
 *
 *     00 options:u8 expansion:u32 layer bits               packed: one layer, whose bits are in the value
 *     01 items(varint) options:u8 expansion:u32 layer*     spread: bits in pages of 1 KiB, one behind the other layer for layer
 *
 *     layer = capacity:u64 items:u64 errorRate:f64 bytes:u64 hashes:u8
 *
 * Bit 0 of `options`: it does not grow. Else, when the last layer has as many items as its capacity, one is added for
 * `expansion` times as many at half the error rate, so that all layers together stay below the rate that was asked for
 * (Almeida, Baquero, Preguiça, Hutchison, "Scalable Bloom Filters").
 *
 * What is counted as an item was not in the filter when it was added, by the filter's own word.
 */
import type { Version } from '../../engine/version.ts';
import { assert } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { PACKED, PACKED_BYTES_MAX, readCount, spreadMetadata } from '../collections/metadata.ts';

export const PAGE_BYTES = 1024;
/** A page's number has 32 bits. */
const PAGES_MAX = 2 ** 32;

const FIXED = 1;
const HEAD_BYTES = 5;
const LAYER_BYTES = 33;
const TIGHTENING = 0.5;

export interface FilterOptions {
  /** Between 0 and 1, both excluded. */
  readonly errorRate: number;
  /** How many items the first layer is for, from 1. */
  readonly capacity: number;
  /** How many times as many the next layer is for, from 1. */
  readonly expansion: number;
  readonly isScaling: boolean;
}

export interface Layer {
  readonly capacity: number;
  readonly errorRate: number;
  readonly bytes: number;
  readonly hashes: number;
  /** The page at which its bits begin. */
  readonly firstPage: number;
  itemCount: number;
}

export interface Filter {
  readonly expansion: number;
  readonly isScaling: boolean;
  readonly layers: Layer[];
  /** Of the one layer, when the filter is packed: in memory of their own. */
  packedBits: Uint8Array | undefined;
}

/** @returns `undefined`: it would be larger than a filter can be. */
export function newFilter({ errorRate, capacity, expansion, isScaling }: FilterOptions): Filter | undefined {
  const layer = newLayer(capacity, isScaling ? errorRate * TIGHTENING : errorRate, 0);
  if (layer === undefined) return undefined;
  const isPacked = 1 + HEAD_BYTES + LAYER_BYTES + layer.bytes <= PACKED_BYTES_MAX;
  return {
    expansion,
    isScaling,
    layers: [layer],
    packedBits: isPacked ? new Uint8Array(layer.bytes) : undefined,
  };
}

/** The layer behind the last one; `undefined`: the filter can't be that large, or has as many as it may have. */
export function nextLayer({ layers, expansion }: Filter): Layer | undefined {
  const last = layers.at(-1);
  if (last === undefined || layers.length >= fixed.bloomLayersMax) return undefined;
  return newLayer(last.capacity * expansion, last.errorRate * TIGHTENING, last.firstPage + pagesOf(last));
}

export function pagesOf({ bytes }: Layer): number {
  return Math.ceil(bytes / PAGE_BYTES);
}

export function itemCountOf({ layers }: Filter): number {
  return layers.reduce((count, layer) => count + layer.itemCount, 0);
}

/** Whole words of 64 bits, as many as the error rate takes, and the number of hashes that goes with them. */
function newLayer(capacity: number, errorRate: number, firstPage: number): Layer | undefined {
  const bitsPerItem = -Math.log(errorRate) / Math.LN2 ** 2;
  const bytes = Math.max(1, Math.ceil(Math.floor(capacity * bitsPerItem) / 64)) * 8;
  const hashes = Math.ceil(Math.LN2 * bitsPerItem);
  if (!Number.isFinite(bytes) || hashes > 255 || firstPage + Math.ceil(bytes / PAGE_BYTES) > PAGES_MAX)
    return undefined;
  return { capacity, errorRate, bytes, hashes, firstPage, itemCount: 0 };
}

export function encodeFilter(filter: Filter): Uint8Array {
  const { layers, packedBits } = filter;
  const restBytes = HEAD_BYTES + layers.length * LAYER_BYTES;
  if (packedBits === undefined) {
    const { value, restStart } = spreadMetadata(itemCountOf(filter), restBytes);
    writeRest(value, restStart, filter);
    return value;
  }
  const value = Buffer.alloc(1 + restBytes + packedBits.length);
  value[0] = PACKED;
  value.set(packedBits, writeRest(value, 1, filter));
  return value;
}

function writeRest(value: Buffer, start: number, { expansion, isScaling, layers }: Filter): number {
  value.writeUInt8(isScaling ? 0 : FIXED, start);
  value.writeUInt32BE(expansion, start + 1);
  let at = start + HEAD_BYTES;
  for (const { capacity, itemCount, errorRate, bytes, hashes } of layers) {
    value.writeBigUInt64BE(BigInt(capacity), at);
    value.writeBigUInt64BE(BigInt(itemCount), at + 8);
    value.writeDoubleBE(errorRate, at + 16);
    value.writeBigUInt64BE(BigInt(bytes), at + 24);
    value.writeUInt8(hashes, at + 32);
    at += LAYER_BYTES;
  }
  return at;
}

export function decodeFilter(version: Version): Filter {
  const { buffer, byteOffset, length } = version.value;
  const value = Buffer.from(buffer, byteOffset, length);
  const isPacked = value[0] === PACKED;
  const start = isPacked ? 1 : readCount(version).restStart;
  const layersStart = start + HEAD_BYTES;
  const layersEnd = isPacked ? layersStart + LAYER_BYTES : length;
  assert((layersEnd - layersStart) % LAYER_BYTES === 0, 'the layers of a Bloom filter end with its metadata');
  const layers: Layer[] = [];
  let firstPage = 0;
  for (let at = layersStart; at < layersEnd; at += LAYER_BYTES) {
    const layer = {
      capacity: Number(value.readBigUInt64BE(at)),
      itemCount: Number(value.readBigUInt64BE(at + 8)),
      errorRate: value.readDoubleBE(at + 16),
      bytes: Number(value.readBigUInt64BE(at + 24)),
      hashes: value.readUInt8(at + 32),
      firstPage,
    };
    layers.push(layer);
    firstPage += pagesOf(layer);
  }
  return {
    expansion: value.readUInt32BE(start + 1),
    isScaling: value.readUInt8(start) !== FIXED,
    layers,
    packedBits: isPacked ? new Uint8Array(value.subarray(layersEnd)) : undefined,
  };
}
