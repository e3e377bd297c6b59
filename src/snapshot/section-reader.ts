/**
 * The sections of a snapshot file as they are stored: what the reader of blocks stands on. Nothing is handed out whose checksum
 * is wrong, and a length is checked against the file before memory is taken for it.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { crc32 } from 'node:zlib';
import { SnapshotFooterSchema } from '../../gen/kelp/storage/v1/snapshot_pb.ts';
import type { SnapshotFooter } from '../../gen/kelp/storage/v1/snapshot_pb.ts';
import { SnapshotDamageError } from './damage.ts';
import { decodeSectionHead, MAGIC, SECTION_HEAD_BYTES, sectionKind, Tally } from './format.ts';
import type { SectionHead } from './format.ts';

/** Where the bytes of a snapshot come from: a file, or a stream, whose length is not known before its end. */
export interface SnapshotSource {
  /** Reads as `DiskFile.read` does. Each read begins where the one before has ended. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

export interface Section {
  readonly head: SectionHead;
  /** In memory of its own. */
  readonly payload: Buffer<ArrayBuffer>;
  /** Where the section ends in the file. */
  readonly endOffset: number;
}

/**
 * Reads the sections of a snapshot in their order and checks what can be checked of stored bytes: heads, checksums,
 * order, the footer, the end of the file. One call at a time.
 */
export class SectionReader {
  readonly fileBytes: number;
  readonly #path: string;
  readonly #file: SnapshotSource;
  readonly #tally = new Tally();
  /** Where the next section begins. */
  #offset = MAGIC.length;
  /** The head of the next section, which was read together with the payload before it. */
  #nextHead: Buffer = Buffer.alloc(0);
  #isAtEnd = false;

  /** @param fileBytes infinite when the length is not known. */
  constructor(path: string, file: SnapshotSource, fileBytes: number) {
    this.#path = path;
    this.#file = file;
    this.fileBytes = fileBytes;
  }

  get #isLengthKnown(): boolean {
    return Number.isFinite(this.fileBytes);
  }

  get offset(): number {
    return this.#offset;
  }

  /** The payload of the first section. */
  async readHeader(): Promise<Buffer> {
    const start = await this.#read(0, MAGIC.length + SECTION_HEAD_BYTES);
    if (!start.subarray(0, MAGIC.length).equals(MAGIC)) throw this.damage('this is not a snapshot', 0);
    this.#nextHead = start.subarray(MAGIC.length);
    const { head, payload } = await this.#readSection();
    if (head.kind !== sectionKind.header)
      throw this.damage('the first section is not a header', MAGIC.length);
    return payload;
  }

  /** The next block as it is stored; `undefined` when there is no other and the snapshot is whole. */
  async readBlock(): Promise<Section | undefined> {
    if (this.#isAtEnd) return undefined;
    const startOffset = this.#offset;
    const section = await this.#readSection();
    switch (section.head.kind) {
      case sectionKind.header:
        throw this.damage('a second header', startOffset);
      case sectionKind.block:
        return section;
      case sectionKind.footer:
        this.#checkFooter(section.payload, startOffset);
        if (this.#nextHead.length > 0 || (this.#isLengthKnown && this.#offset !== this.fileBytes))
          throw this.damage('the file goes on after the footer', this.#offset);
        this.#isAtEnd = true;
        return undefined;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  damage(what: string, offset: number, options?: ErrorOptions): SnapshotDamageError {
    return new SnapshotDamageError(this.#path, offset, what, options);
  }

  async #readSection(): Promise<Section> {
    const startOffset = this.#offset;
    if (this.#nextHead.length < SECTION_HEAD_BYTES) throw this.damage('the file ends early', startOffset);
    const head = decodeSectionHead(this.#nextHead);
    if (typeof head === 'string') throw this.damage(head, startOffset);
    const payloadOffset = startOffset + SECTION_HEAD_BYTES;
    if (payloadOffset + head.storedBytes > this.fileBytes) {
      throw this.damage('the file ends early', startOffset);
    }
    // One read brings the payload and the head behind it.
    const bytes = await this.#read(payloadOffset, head.storedBytes + SECTION_HEAD_BYTES);
    if (bytes.length < head.storedBytes) throw this.damage('the file ends early', startOffset);
    const payload = bytes.subarray(0, head.storedBytes);
    if (crc32(payload) !== head.payloadChecksum) {
      throw this.damage('the checksum of the section does not match', startOffset);
    }
    this.#nextHead = Buffer.from(bytes.subarray(head.storedBytes));
    this.#offset = payloadOffset + head.storedBytes;
    if (head.kind !== sectionKind.footer) this.#tally.add(head);
    return { head, payload, endOffset: this.#offset };
  }

  #checkFooter(payload: Buffer, offset: number): void {
    let footer: SnapshotFooter;
    try {
      footer = fromBinary(SnapshotFooterSchema, payload);
    } catch (cause) {
      throw this.damage('the footer is not readable', offset, { cause });
    }
    const tally = this.#tally;
    if (footer.blockCount !== BigInt(tally.blockCount)) {
      throw this.damage(`${tally.blockCount} blocks where the footer counts ${footer.blockCount}`, offset);
    }
    if (footer.itemCount !== BigInt(tally.itemCount)) {
      throw this.damage(`${tally.itemCount} items where the footer counts ${footer.itemCount}`, offset);
    }
    if (footer.plainBytes !== BigInt(tally.plainBytes)) {
      throw this.damage(`${tally.plainBytes} bytes where the footer counts ${footer.plainBytes}`, offset);
    }
    if (footer.checksum !== tally.checksum) {
      throw this.damage('the blocks are not those, or not in the order, that the footer knows', offset);
    }
  }

  /** Reads `length` bytes, or fewer at the end of the file. */
  async #read(offset: number, length: number): Promise<Buffer<ArrayBuffer>> {
    const buffer = Buffer.allocUnsafe(Math.min(length, this.fileBytes - offset));
    const count = await this.#file.read(buffer, offset);
    if (count === buffer.length) return buffer;
    if (!this.#isLengthKnown) return buffer.subarray(0, count);
    throw this.damage('the file became shorter while it was read', offset + count);
  }
}
