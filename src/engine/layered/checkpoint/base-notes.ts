/** What a layered engine keeps in the notes of its base, around those of the store: the census and the totals (`base.proto`). */
import {
  type BaseCensusPartShape,
  type BaseNotesShape,
  readBaseNotes,
  sizeOfBaseNotes,
  writeBaseNotes,
} from '../../../../gen/kelp/storage/v1/base_codec.ts';
import { StoreError } from '../../../errors.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { WireError } from '../../../wire/wire-error.ts';
import { Census } from '../census/census.ts';
import { BUCKETS_MAX, CensusPart } from '../census/census-part.ts';
import type { DeadlineTotals } from '../deadline-totals.ts';

const WORD_BYTES = 4;

export interface DecodedNotes {
  readonly storeNotes: Uint8Array;
  readonly keyCount: number;
  readonly dataBytes: number;
  /** `undefined`: it is to be taken. */
  readonly census: Census | undefined;
}

/** What is kept beside the notes of the store. Without a census it is taken at the next start. */
export interface KeptState {
  readonly census: readonly CensusPart[];
  readonly keyCount: number;
  readonly dataBytes: number;
  readonly deadlines: DeadlineTotals;
}

export function encodeBaseNotes(storeNotes: Uint8Array, state: KeptState): Uint8Array {
  const message = {
    storeNotes,
    keyCount: state.keyCount,
    dataBytes: state.dataBytes,
    deadlines: state.deadlines.toNotes(),
    census: state.census.map(notesOfPart),
  };
  const bytes = Buffer.allocUnsafeSlow(sizeOfBaseNotes(message));
  writeBaseNotes(message, bytes, 0);
  return bytes;
}

/** @param deadlines takes over what the notes say of them. */
export function decodeBaseNotes(bytes: Uint8Array, deadlines: DeadlineTotals): DecodedNotes {
  if (bytes.length === 0) return { storeNotes: NO_BYTES, keyCount: 0, dataBytes: 0, census: new Census() };
  const message = readNotes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  deadlines.take(message.deadlines);
  const { keyCount, dataBytes } = message;
  const census = message.census.length === 0 ? undefined : new Census(message.census.map(partOf));
  if (census !== undefined && census.keyCount !== keyCount) throw damaged();
  return { storeNotes: new Uint8Array(message.storeNotes), keyCount, dataBytes, census };
}

/** What was encoded with them. */
export function storeNotesOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return NO_BYTES;
  const { storeNotes } = readNotes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  return new Uint8Array(storeNotes);
}

function readNotes(buffer: Buffer): BaseNotesShape {
  try {
    return readBaseNotes(buffer, 0, buffer.length);
  } catch (error) {
    throw error instanceof WireError ? damaged(error) : error;
  }
}

function damaged(cause?: WireError): StoreError {
  return new StoreError('damaged', 'the notes of the state on disk are not what they were written as', {
    cause,
  });
}

function notesOfPart(part: CensusPart): BaseCensusPartShape {
  const { bucketCount, fenceBytes } = part;
  return {
    fences: part.fences.subarray(0, fenceBytes),
    ends: bytesOf(part.ends, bucketCount),
    counts: bytesOf(part.counts, bucketCount),
  };
}

function partOf({ fences, ends, counts }: BaseCensusPartShape, index: number): CensusPart {
  const bucketCount = ends.length / WORD_BYTES;
  const isOfLength = Number.isInteger(bucketCount) && bucketCount >= 1 && bucketCount <= BUCKETS_MAX;
  if (!isOfLength || counts.length !== ends.length) throw damaged();
  const part = new CensusPart(0, bucketCount, fences.length);
  part.fences.set(fences);
  bytesOf(part.ends, bucketCount).set(ends);
  bytesOf(part.counts, bucketCount).set(counts);
  part.bucketCount = bucketCount;
  let end = 0;
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    if (part.ends[bucket]! < end) throw damaged();
    end = part.ends[bucket]!;
    part.keyCount += part.counts[bucket]!;
  }
  if (end !== fences.length || (index === 0 && part.ends[0] !== 0)) throw damaged();
  return part;
}

function bytesOf(words: Int32Array, count: number): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, count * WORD_BYTES);
}
