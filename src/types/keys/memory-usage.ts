/**
 * How much memory a key takes, by an estimate: MEMORY USAGE. Its bytes and those of its value, and of a spread collection as many
 * elements as there are, each as long as those of a sample. Older versions that history keeps are not counted.
 */
import type { EngineRange } from '../../engine/engine.ts';
import type { Version } from '../../engine/version.ts';
import { ELEMENT_HEAD_BYTES, elementsOf } from '../../store/collections/collection-keys.ts';
import type { View } from '../../store/views/view.ts';

/** What the engine takes for an entry beside key and value, as measured with 1,000,000 keys of 16 bytes. */
const ENTRY_BYTES = 51;
const SAMPLES_MAX = 1000;

/**
 * @param sampleCount of elements; 0: as many as are looked at for one figure.
 * @returns `undefined`: there is no such key. Throws `limitReached`.
 */
export function memoryUsageOf(view: View, key: Uint8Array, sampleCount: number): number | undefined {
  const version = view.read(key);
  if (version === undefined) return undefined;
  const elements = elementBytes(view, version, sampleCount, ENTRY_BYTES);
  return ENTRY_BYTES + key.length + version.value.length + elements;
}

/** The bytes of a value, and of names and values of elements that have entries of their own, by an estimate. Throws `limitReached`. */
export function contentBytesOf(view: View, version: Version): number {
  return version.value.length + elementBytes(view, version, 0, -ELEMENT_HEAD_BYTES);
}

/** @param bytesBeside what an element counts beside its key and value. */
function elementBytes(
  view: View,
  { collectionId }: Version,
  sampleCount: number,
  bytesBeside: number,
): number {
  if (collectionId === 0) return 0;
  const range = elementsOf(collectionId);
  const count = view.count(range);
  const samples = Math.min(count, sampleCount === 0 ? SAMPLES_MAX : sampleCount, SAMPLES_MAX);
  if (samples === 0) return 0;
  return Math.round((count * bytesOfSamples(view, range, count, { samples, bytesBeside })) / samples);
}

/** Of elements that lie equally far apart. */
function bytesOfSamples(
  view: View,
  range: EngineRange,
  count: number,
  { samples, bytesBeside }: { readonly samples: number; readonly bytesBeside: number },
): number {
  const places = Float64Array.from({ length: samples }, (_, sample) =>
    Math.floor((sample * count) / samples),
  );
  let bytes = 0;
  for (const key of view.selectAll(range, places))
    bytes += bytesBeside + key.length + (view.read(key)?.value.length ?? 0);
  return bytes;
}
