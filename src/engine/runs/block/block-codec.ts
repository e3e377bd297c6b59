/** The bytes of a block in a file: its head, and whether it is what was written. */
import { crc32 } from '../../../wire/crc32.ts';
import { decompress } from '../../compression.ts';
import { assert } from '../../../errors.ts';
import {
  BLOCK_COUNT_AT,
  BLOCK_COUNT_HIGH_SHIFT,
  BLOCK_COUNT_MAX,
  BLOCK_FLAGS_AT,
  BLOCK_HEAD_BYTES,
  BLOCK_IS_COMPRESSED,
  BLOCK_KIND_AT,
  blockKind,
  BLOCK_PLAIN_AT,
  blockSeed,
  BLOCK_STORED_AT,
} from '../format.ts';
import { Block } from './block.ts';

export interface BlockHead {
  readonly kind: number;
  readonly isCompressed: boolean;
  readonly count: number;
  readonly storedBytes: number;
  readonly plainBytes: number;
}

export function writeBlockHead(buffer: Buffer, at: number, head: BlockHead): void {
  buffer[at + BLOCK_KIND_AT] = head.kind;
  const { count } = head;
  assert(count <= BLOCK_COUNT_MAX, 'a block has no more records than its head can tell');
  const flags = head.isCompressed ? BLOCK_IS_COMPRESSED : 0;
  buffer[at + BLOCK_FLAGS_AT] = flags | ((count >>> 16) << BLOCK_COUNT_HIGH_SHIFT);
  buffer.writeUInt16LE(count & 0xffff, at + BLOCK_COUNT_AT);
  buffer.writeUInt32LE(head.storedBytes, at + BLOCK_STORED_AT);
  buffer.writeUInt32LE(head.plainBytes, at + BLOCK_PLAIN_AT);
}

/** Seals the block that fills `block`: writes its checksum, which is returned, too. */
export function sealBlock(block: Buffer, runNumber: number, offset: number): number {
  const checksum = crc32(block.subarray(BLOCK_KIND_AT), blockSeed(runNumber, offset));
  block.writeUInt32LE(checksum, 0);
  return checksum;
}

/** What is wrong with a block. */
export class BlockError extends Error {}

/** @returns the length with its head that a block claims to have; nothing of it is verified. */
export function claimedBytes(buffer: Buffer, at: number): number {
  return BLOCK_HEAD_BYTES + buffer.readUInt32LE(at + BLOCK_STORED_AT);
}

/** The checksum that a block has. */
export function checksumOf(block: Buffer): number {
  return block.readUInt32LE(0);
}

/** The kind of a block that was verified. */
export function kindOf(block: Buffer): number {
  return block[BLOCK_KIND_AT]!;
}

/** Records of a block that was verified. */
export function countOf(block: Buffer): number {
  return ((block[BLOCK_FLAGS_AT]! >>> BLOCK_COUNT_HIGH_SHIFT) << 16) + block.readUInt16LE(BLOCK_COUNT_AT);
}

/** Throws a `BlockError` when `block`, head and payload, is not what was written at this place. */
export function verifyBlock(block: Buffer, runNumber: number, offset: number): void {
  if (block.length < BLOCK_HEAD_BYTES || claimedBytes(block, 0) !== block.length)
    throw new BlockError('the block does not have the length that it should have');
  if (crc32(block.subarray(BLOCK_KIND_AT), blockSeed(runNumber, offset)) !== checksumOf(block))
    throw new BlockError('the checksum of the block does not match');
}

/**
 * The payload of a verified block, decompressed if need be, in a buffer of its own or, if `mayShare`, that of `block`. For blocks of
 * which the whole payload is compressed.
 */
export function openBlock(block: Buffer, mayShare: boolean): Block {
  const stored = block.subarray(BLOCK_HEAD_BYTES);
  const plainBytes = block.readUInt32LE(BLOCK_PLAIN_AT);
  const isCompressed = (block[BLOCK_FLAGS_AT]! & BLOCK_IS_COMPRESSED) !== 0;
  const kind = kindOf(block);
  const hasPlaces = kind !== blockKind.value && kind !== blockKind.filter && kind !== blockKind.record;
  const plain = isCompressed ? decompressed(stored, plainBytes) : mayShare ? stored : new Uint8Array(stored);
  const opened = new Block(plain, hasPlaces ? countOf(block) : 0);
  if (plain.length !== plainBytes || (hasPlaces && !opened.hasPlaces()))
    throw new BlockError('the block contradicts itself');
  return opened;
}

/** Of a verified block with one dense record: the payload before compression, and whether the value is compressed. */
export function plainBytesOf(block: Buffer): number {
  return block.readUInt32LE(BLOCK_PLAIN_AT);
}

export function isValueCompressed(block: Buffer): boolean {
  return (block[BLOCK_FLAGS_AT]! & BLOCK_IS_COMPRESSED) !== 0;
}

export function decompressed(stored: Uint8Array, plainBytes: number): Uint8Array {
  try {
    return decompress(stored, plainBytes);
  } catch (cause) {
    throw new BlockError('the payload of the block can not be decompressed', { cause });
  }
}
