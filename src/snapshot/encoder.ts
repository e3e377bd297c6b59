/**
 * A snapshot as a stream of bytes: the same as `SnapshotWriter` writes to a file, to be sent elsewhere. The pieces are
 * the caller's, to be put one behind the other.
 */
import { crc32 } from 'node:zlib';
import { BlockCompressor } from './compression.ts';
import { encodeFooter, encodeSectionHead, MAGIC, sectionKind, Tally } from './format.ts';
import type { SectionKind } from './format.ts';

export class SnapshotEncoder {
  readonly #tally = new Tally();
  readonly #compressor = new BlockCompressor();

  /** The beginning of the file. Readers of the snapshot are given `header` as it is. */
  begin(header: Uint8Array): Buffer {
    return Buffer.concat([MAGIC, this.#section(sectionKind.header, [header], header.length, 0)]);
  }

  /** A block that holds `itemCount` items; its bytes are the caller's again when the promise has settled. */
  async block(block: Uint8Array, itemCount: number): Promise<Buffer> {
    const stored = await this.#compressor.compress(block);
    const section = this.#section(sectionKind.block, stored, block.length, itemCount);
    this.#compressor.giveBack(stored);
    return section;
  }

  /** The end of the file. */
  finish(): Buffer {
    const footer = encodeFooter(this.#tally);
    return this.#section(sectionKind.footer, [footer], footer.length, 0);
  }

  /** Gives back what the compressor holds; may be called at any time. */
  close(): void {
    this.#compressor.close();
  }

  #section(kind: SectionKind, parts: readonly Uint8Array[], plainBytes: number, itemCount: number): Buffer {
    let storedBytes = 0;
    let payloadChecksum = 0;
    for (const part of parts) {
      storedBytes += part.length;
      payloadChecksum = crc32(part, payloadChecksum);
    }
    const head = { kind, storedBytes, plainBytes, itemCount, payloadChecksum };
    this.#tally.add(head);
    return Buffer.concat([encodeSectionHead(head), ...parts]);
  }
}
