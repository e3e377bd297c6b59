/**
 * Takes a snapshot apart and puts it together again with checksums, lengths and counts that are right, so that changes
 * in it are not found by those.
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { decodeSectionHead, encodeFooter, encodeSectionHead, MAGIC } from '../../src/snapshot/format.ts';
import { SECTION_HEAD_BYTES, sectionKind, type SectionKind, Tally } from '../../src/snapshot/format.ts';
import { crc32 } from '../../src/wire/crc32.ts';

/** A header or a block; the footer follows from the others. */
export interface SnapshotSection {
  kind: SectionKind;
  /** As it is in the file. */
  stored: Buffer;
  plainBytes: number;
  itemCount: number;
}

export function takeApart(content: Uint8Array): SnapshotSection[] {
  const bytes = Buffer.from(content);
  const sections: SnapshotSection[] = [];
  for (let offset = MAGIC.length; offset < bytes.length;) {
    const head = decodeSectionHead(bytes.subarray(offset, offset + SECTION_HEAD_BYTES));
    if (typeof head === 'string') throw new Error(head);
    const start = offset + SECTION_HEAD_BYTES;
    offset = start + head.storedBytes;
    const { kind, plainBytes, itemCount } = head;
    if (kind === sectionKind.footer) break;
    sections.push({ kind, plainBytes, itemCount, stored: bytes.subarray(start, offset) });
  }
  return sections;
}

export function putTogether(sections: readonly SnapshotSection[]): Buffer {
  const tally = new Tally();
  const parts: Uint8Array[] = [MAGIC];
  for (const section of sections) parts.push(...seal(section, tally));
  const footer = Buffer.from(encodeFooter(tally));
  const { footer: kind } = sectionKind;
  parts.push(...seal({ kind, stored: footer, plainBytes: footer.length, itemCount: 0 }, tally));
  return Buffer.concat(parts);
}

export function plainOf({ kind, stored }: SnapshotSection): Buffer {
  return kind === sectionKind.block ? zstdDecompressSync(stored) : stored;
}

/** The section with another payload. */
export function withPlain(section: SnapshotSection, plain: Buffer): SnapshotSection {
  const stored = section.kind === sectionKind.block ? zstdCompressSync(plain) : plain;
  return { ...section, stored, plainBytes: plain.length };
}

function seal({ kind, stored, plainBytes, itemCount }: SnapshotSection, tally: Tally): Uint8Array[] {
  const head = { kind, storedBytes: stored.length, plainBytes, itemCount, payloadChecksum: crc32(stored) };
  tally.add(head);
  return [encodeSectionHead(head), stored];
}
