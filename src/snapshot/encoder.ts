/**
 * A snapshot as a stream of bytes: the same as `SnapshotWriter` writes to a file, for whoever sends it elsewhere. Pieces
 * are to be put one behind the other, and must not be changed.
 */
import { crc32 } from 'node:zlib';
import { BlockCompressor } from './compression.ts';
import { encodeFooter, encodeSectionHead, MAGIC, sectionKind, Tally } from './format.ts';
import type { SectionKind } from './format.ts';

export class SnapshotEncoder {
  readonly #tally = new Tally();
  readonly #compressor = new BlockCompressor();

  /** The beginning of the file. `header` is given to whoever reads the snapshot, as it is. */
  begin(header: Uint8Array): Uint8Array[] {
    return [MAGIC, ...this.#section(sectionKind.header, [header], header.length, 0)];
  }

  /** A block that holds `itemCount` items; its bytes are the caller's again when the promise has settled. */
  async block(block: Uint8Array, itemCount: number): Promise<Uint8Array[]> {
    const stored = await this.#compressor.compress(block);
    return this.#section(sectionKind.block, stored, block.length, itemCount);
  }

  /** The end of the file. */
  finish(): Uint8Array[] {
    const footer = encodeFooter(this.#tally);
    return this.#section(sectionKind.footer, [footer], footer.length, 0);
  }

  /** Gives back what the compressor holds; may be called at any time. */
  close(): void {
    this.#compressor.close();
  }

  #section(
    kind: SectionKind,
    parts: readonly Uint8Array[],
    plainBytes: number,
    itemCount: number,
  ): Uint8Array[] {
    let storedBytes = 0;
    let payloadChecksum = 0;
    for (const part of parts) {
      storedBytes += part.length;
      payloadChecksum = crc32(part, payloadChecksum);
    }
    const head = { kind, storedBytes, plainBytes, itemCount, payloadChecksum };
    this.#tally.add(head);
    return [encodeSectionHead(head), ...parts];
  }
}
