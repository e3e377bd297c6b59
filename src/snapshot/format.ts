/**
 * How a snapshot lies on disk. Writer and reader share this file; docs/format.md shows it byte by byte.
 *
 * A file is the magic bytes, then sections without a gap: one header, any number of blocks, one footer; then it ends.
 * A section is a fixed head and a payload. Numbers of the head are unsigned, 32 bits wide and little-endian:
 *
 * | offset | field           | meaning                                                    |
 * |--------|-----------------|------------------------------------------------------------|
 * | 0      | headChecksum    | CRC-32 of the other bytes of the head                      |
 * | 4      | kind            | 1 header, 2 block, 3 footer                                |
 * | 8      | storedBytes     | the length of the payload in the file                      |
 * | 12     | plainBytes      | its length before compression; only blocks are compressed  |
 * | 16     | itemCount       | the items in a block; 0 in the other sections              |
 * | 20     | payloadChecksum | CRC-32 of the payload as it is stored                      |
 *
 * The head has a checksum of its own so that the lengths in it can be trusted before memory is taken for the payload.
 * Sections that were swapped, repeated or left out are found by the footer: it counts the blocks, and has a checksum
 * over the payload checksums in their order.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { crc32 } from 'node:zlib';
import { SnapshotFooterSchema } from '../../gen/kelp/storage/v1/snapshot_pb.ts';
import { assert } from '../errors.ts';
import { fixed } from '../limits.ts';

export const MAGIC: Uint8Array = new TextEncoder().encode('KELPSNP1');

export const SECTION_HEAD_BYTES = 24;

/**
 * The longest payload, stored or plain. Every value that fits a frame of the log fits a block; the part on top is for
 * the key and the numbers beside it.
 */
export const PAYLOAD_BYTES_MAX = fixed.frameBytesMax + 1024 * 1024;

export const sectionKind = { header: 1, block: 2, footer: 3 } as const;

export type SectionKind = (typeof sectionKind)[keyof typeof sectionKind];

export interface SectionHead {
  readonly kind: SectionKind;
  readonly storedBytes: number;
  readonly plainBytes: number;
  readonly itemCount: number;
  readonly payloadChecksum: number;
}

const HEAD_CHECKSUM_AT = 0;
const KIND_AT = 4;
const STORED_BYTES_AT = 8;
const PLAIN_BYTES_AT = 12;
const ITEM_COUNT_AT = 16;
const PAYLOAD_CHECKSUM_AT = 20;
assert(PAYLOAD_CHECKSUM_AT + 4 === SECTION_HEAD_BYTES, 'the fields of a section head fill it');

export function encodeSectionHead(head: SectionHead): Buffer {
  const bytes = Buffer.alloc(SECTION_HEAD_BYTES);
  bytes.writeUInt32LE(head.kind, KIND_AT);
  bytes.writeUInt32LE(head.storedBytes, STORED_BYTES_AT);
  bytes.writeUInt32LE(head.plainBytes, PLAIN_BYTES_AT);
  bytes.writeUInt32LE(head.itemCount, ITEM_COUNT_AT);
  bytes.writeUInt32LE(head.payloadChecksum, PAYLOAD_CHECKSUM_AT);
  bytes.writeUInt32LE(crc32(bytes.subarray(KIND_AT)), HEAD_CHECKSUM_AT);
  return bytes;
}

/** @returns what is wrong with the head, when something is. */
export function decodeSectionHead(bytes: Buffer): SectionHead | string {
  if (bytes.readUInt32LE(HEAD_CHECKSUM_AT) !== crc32(bytes.subarray(KIND_AT, SECTION_HEAD_BYTES))) {
    return 'the checksum of the section head does not match';
  }
  const kind = bytes.readUInt32LE(KIND_AT);
  if (!isSectionKind(kind)) return `there is no section of kind ${kind}`;
  const head: SectionHead = {
    kind,
    storedBytes: bytes.readUInt32LE(STORED_BYTES_AT),
    plainBytes: bytes.readUInt32LE(PLAIN_BYTES_AT),
    itemCount: bytes.readUInt32LE(ITEM_COUNT_AT),
    payloadChecksum: bytes.readUInt32LE(PAYLOAD_CHECKSUM_AT),
  };
  if (Math.max(head.storedBytes, head.plainBytes) > PAYLOAD_BYTES_MAX) {
    return `a payload of more than ${PAYLOAD_BYTES_MAX} bytes`;
  }
  if (kind !== sectionKind.block && head.storedBytes !== head.plainBytes) {
    return 'a header or footer is never compressed';
  }
  return head;
}

function isSectionKind(kind: number): kind is SectionKind {
  return kind === sectionKind.header || kind === sectionKind.block || kind === sectionKind.footer;
}

/** What the footer says of the sections before it; writer and reader each keep one and must come to the same. */
export class Tally {
  blockCount = 0;
  itemCount = 0;
  plainBytes = 0;
  checksum = 0;
  readonly #checksumBytes = Buffer.alloc(4);

  add(head: SectionHead): void {
    if (head.kind === sectionKind.block) {
      this.blockCount++;
      this.itemCount += head.itemCount;
      this.plainBytes += head.plainBytes;
    }
    this.#checksumBytes.writeUInt32LE(head.payloadChecksum);
    this.checksum = crc32(this.#checksumBytes, this.checksum);
  }
}

/** The payload of the footer behind the sections of a tally. */
export function encodeFooter(tally: Tally): Uint8Array {
  return toBinary(
    SnapshotFooterSchema,
    create(SnapshotFooterSchema, {
      blockCount: BigInt(tally.blockCount),
      itemCount: BigInt(tally.itemCount),
      plainBytes: BigInt(tally.plainBytes),
      checksum: tally.checksum,
    }),
  );
}
