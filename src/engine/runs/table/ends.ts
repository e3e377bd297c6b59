/** Header and footer of a run. */
import { crc32 } from '../../../wire/crc32.ts';
import {
  DELETED_COUNT_AT,
  DIRECTORY_BYTES_AT,
  DIRECTORY_OFFSET_AT,
  ENGINE_AT,
  engineKind,
  FILE_BYTES_AT,
  FOOTER_BYTES,
  FOOTER_CRC_AT,
  FOOTER_MAGIC,
  FOOTER_NUMBER_AT,
  FORM_AT,
  FORMAT,
  FORMAT_AT,
  HEADER_BYTES,
  HEADER_CRC_AT,
  HEADER_MAGIC,
  MAX_REVISION_AT,
  MIN_REVISION_AT,
  NUMBER_AT,
  RECORD_COUNT_AT,
  runForm,
  TALLY_AT,
} from '../format.ts';
import type { RunEngine, RunForm } from '../format.ts';

export function encodeHeader(engine: RunEngine, form: RunForm, number: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  HEADER_MAGIC.copy(bytes);
  bytes.writeUInt32LE(FORMAT, FORMAT_AT);
  bytes[ENGINE_AT] = engineKind[engine];
  bytes[FORM_AT] = runForm[form];
  bytes.writeBigUInt64LE(BigInt(number), NUMBER_AT);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_CRC_AT)), HEADER_CRC_AT);
  return bytes;
}

export interface Footer {
  readonly directoryOffset: number;
  readonly directoryBytes: number;
  readonly tally: number;
  readonly recordCount: number;
  readonly deletedCount: number;
  readonly minRevision: number;
  readonly maxRevision: number;
  readonly fileBytes: number;
  readonly number: number;
  readonly checksum: number;
}

/** The file ends with the footer, behind the directory. */
export function encodeFooter(footer: Omit<Footer, 'checksum' | 'fileBytes'>): Buffer {
  const bytes = Buffer.alloc(FOOTER_BYTES);
  FOOTER_MAGIC.copy(bytes);
  writeNumber(bytes, DIRECTORY_OFFSET_AT, footer.directoryOffset);
  bytes.writeUInt32LE(footer.directoryBytes, DIRECTORY_BYTES_AT);
  bytes.writeUInt32LE(footer.tally, TALLY_AT);
  writeNumber(bytes, RECORD_COUNT_AT, footer.recordCount);
  writeNumber(bytes, DELETED_COUNT_AT, footer.deletedCount);
  writeNumber(bytes, MIN_REVISION_AT, footer.minRevision);
  writeNumber(bytes, MAX_REVISION_AT, footer.maxRevision);
  writeNumber(bytes, FILE_BYTES_AT, footer.directoryOffset + footer.directoryBytes + FOOTER_BYTES);
  writeNumber(bytes, FOOTER_NUMBER_AT, footer.number);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, FOOTER_CRC_AT)), FOOTER_CRC_AT);
  return bytes;
}

/** The checksum that an encoded footer has: the run's identity. */
export function footerChecksum(bytes: Buffer): number {
  return bytes.readUInt32LE(FOOTER_CRC_AT);
}

/** @returns what is wrong, when something is. */
export function decodeFooter(bytes: Buffer): Footer | string {
  if (!bytes.subarray(0, FOOTER_MAGIC.length).equals(FOOTER_MAGIC)) return 'a run does not end like this';
  const checksum = footerChecksum(bytes);
  if (crc32(bytes.subarray(0, FOOTER_CRC_AT)) !== checksum)
    return 'the checksum of the footer does not match';
  return {
    directoryOffset: readNumber(bytes, DIRECTORY_OFFSET_AT),
    directoryBytes: bytes.readUInt32LE(DIRECTORY_BYTES_AT),
    tally: bytes.readUInt32LE(TALLY_AT),
    recordCount: readNumber(bytes, RECORD_COUNT_AT),
    deletedCount: readNumber(bytes, DELETED_COUNT_AT),
    minRevision: readNumber(bytes, MIN_REVISION_AT),
    maxRevision: readNumber(bytes, MAX_REVISION_AT),
    fileBytes: readNumber(bytes, FILE_BYTES_AT),
    number: readNumber(bytes, FOOTER_NUMBER_AT),
    checksum,
  };
}

/** Whether the first bytes of a file are a header that is read here: `newer` is one of a format of which nothing is known. */
export function checkHeader(
  bytes: Buffer,
  engine: RunEngine,
  form: RunForm,
  number: number,
): 'good' | 'newer' | 'bad' {
  if (bytes.equals(encodeHeader(engine, form, number))) return 'good';
  const isWhole =
    bytes.subarray(0, HEADER_MAGIC.length).equals(HEADER_MAGIC) &&
    crc32(bytes.subarray(0, HEADER_CRC_AT)) === bytes.readUInt32LE(HEADER_CRC_AT);
  return isWhole && bytes.readUInt32LE(FORMAT_AT) > FORMAT ? 'newer' : 'bad';
}

function writeNumber(bytes: Buffer, at: number, value: number): void {
  bytes.writeBigUInt64LE(BigInt(value), at);
}

function readNumber(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}
