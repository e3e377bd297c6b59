/**
 * Tokens that carry a paged read from one call to the next: the revision and the instant at which all its pages read, and
 * the key to go on from. They are text for the client, and checked as untrusted input when they come back.
 */
import { crc32 } from 'node:zlib';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { fromIncarnation, INCARNATION_BYTES, toIncarnation } from '../../store/history/incarnations.ts';

export interface PageToken {
  readonly revision: number;
  /** The incarnation that wrote it; '': not known. */
  readonly incarnation: string;
  /** Entries whose deadline is at or before this are left out, on all pages alike; 0: none is. */
  readonly instantMs: number;
  /** The first key of the next page, in the direction of the read. */
  readonly nextKey: Uint8Array;
}

/** Version 2 of a token: version, fingerprint, revision, instant, incarnation (zeros: not known), key. */
const VERSION = 2;
const INCARNATION_AT = 1 + 4 + 8 + 8;
const HEADER_BYTES = INCARNATION_AT + INCARNATION_BYTES;
const NO_INCARNATION = toIncarnation(new Uint8Array(INCARNATION_BYTES));
const TEXT_LENGTH_MAX = Math.ceil(((HEADER_BYTES + fixed.engineKeyBytesMax + 1) * 4) / 3);

/** @param request all that must be the same in the call that brings the token back, as text. */
export function encodePageToken(token: PageToken, request: string): string {
  const bytes = Buffer.alloc(HEADER_BYTES + token.nextKey.length);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeUInt32LE(crc32(request), 1);
  bytes.writeDoubleLE(token.revision, 5);
  bytes.writeDoubleLE(token.instantMs, 13);
  bytes.set(fromIncarnation(token.incarnation), INCARNATION_AT);
  bytes.set(token.nextKey, HEADER_BYTES);
  return bytes.toString('base64url');
}

/** Throws `invalidArgument` for a token that is none, or belongs to another request. */
export function decodePageToken(text: string, request: string): PageToken {
  const bytes = text.length <= TEXT_LENGTH_MAX ? Buffer.from(text, 'base64url') : Buffer.alloc(0);
  if (bytes.length < HEADER_BYTES || bytes[0] !== VERSION) {
    throw new StoreError(
      'invalidArgument',
      'page_token is not one that this store gave out; begin without a token',
    );
  }
  if (bytes.readUInt32LE(1) !== crc32(request)) {
    throw new StoreError(
      'invalidArgument',
      'page_token belongs to another request, or to another store; only the limit may change between pages',
    );
  }
  const revision = bytes.readDoubleLE(5);
  const instantMs = bytes.readDoubleLE(13);
  if (!Number.isSafeInteger(revision) || revision < 0 || !Number.isSafeInteger(instantMs) || instantMs < 0) {
    throw new StoreError('invalidArgument', 'page_token is damaged; begin without a token');
  }
  const id = toIncarnation(bytes.subarray(INCARNATION_AT, HEADER_BYTES));
  const incarnation = id === NO_INCARNATION ? '' : id;
  return { revision, instantMs, incarnation, nextKey: bytes.subarray(HEADER_BYTES) };
}
