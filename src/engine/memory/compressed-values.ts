/**
 * Values that are kept compressed in memory: those that are long enough and give way, in blocks, in the undo ring and as long values
 * alike. A version says by an extra how long its value is when it is whole (`layout.ts`); what stands in the value's place is a frame.
 *
 * All readers get whole values. A scan that asks for keys alone unpacks none: `PlacedChange` does it when the value is asked for.
 */
import { fixed } from '../../limits.ts';
import { type CompressionFigures, decompress, tryCompress } from '../compression.ts';
import type { CompressedSums } from '../engine.ts';
import type { PackedValues } from '../version.ts';

/** How values are compressed; tests have one of their own. */
export interface ValueCodec {
  /** A shorter value is not tried. */
  readonly plainBytesMin: number;
  /** @returns what is kept in place of the value, shorter than it; `undefined`: the value itself is. */
  compress(plain: Uint8Array): Uint8Array | undefined;
  decompress(stored: Uint8Array, plainBytes: number): Uint8Array;
}

/** @param figures is told what was tried. */
export function zstdCodec(level: number, figures: CompressionFigures): ValueCodec {
  return {
    plainBytesMin: fixed.compressedValueBytesMin,
    compress: (plain) => tryCompress(plain, level, figures),
    decompress,
  };
}

export class CompressedValues implements CompressedSums, PackedValues {
  readonly codec: ValueCodec;
  /** The values that are kept compressed now, in all versions: their bytes, and what they take. */
  plainBytes = 0;
  storedBytes = 0;
  /** How many were unpacked so far. */
  unpackedCount = 0;

  constructor(codec: ValueCodec) {
    this.codec = codec;
  }

  /** One more value is kept, or one less. */
  count(sign: 1 | -1, plainBytes: number, storedBytes: number): void {
    this.plainBytes += sign * plainBytes;
    this.storedBytes += sign * storedBytes;
  }

  unpack(stored: Uint8Array, plainBytes: number): Uint8Array {
    this.unpackedCount++;
    return this.codec.decompress(stored, plainBytes);
  }
}
