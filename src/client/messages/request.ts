/** Requests on keys, from their plain form, which has been checked, to that of the protocol. */
import type { DurationShape } from '../../../gen/google/protobuf/duration_codec.ts';
import type { ConditionShape, KeyRangeShape } from '../../../gen/kelp/v1/types_codec.ts';
import type { Condition, DeletedRange, Key } from '../../api.ts';
import { canonicalKey } from '../../arguments/key.ts';
import { client as limits } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { KelpError } from '../errors/error.ts';
import { toDuration } from './scalar.ts';

/** How a request names a key: as text, or, where it is not UTF-8, in bytes. */
interface KeyFields {
  readonly key: string;
  readonly keyBytes: Uint8Array;
}

/** A key as a part of a request. Bytes are a copy: a call waits for its connection and may be sent again. */
export function toKey(given: Key): KeyFields {
  const key = canonicalKey(given);
  return typeof key === 'string' ? { key, keyBytes: NO_BYTES } : { key: '', keyBytes: key };
}

/** Keys as a part of a request: where one is not UTF-8, an empty text stands for its bytes. */
export function toKeyList(keys: readonly Key[]): {
  readonly keys: string[];
  readonly keysBytes: Uint8Array[];
} {
  const named = keys.map(toKey);
  return {
    keys: named.map(({ key }) => key),
    keysBytes: named.flatMap(({ keyBytes }) => (keyBytes.length === 0 ? [] : [keyBytes])),
  };
}

export function toRange(range: DeletedRange): KeyRangeShape {
  const { key = '', prefix = '', start = '', end = '' } = 'all' in range ? {} : range;
  const [ofPrefix, ofStart, ofEnd] = [toKey(prefix), toKey(start), toKey(end)];
  return {
    ...toKey(key),
    prefix: ofPrefix.key,
    prefixBytes: ofPrefix.keyBytes,
    start: ofStart.key,
    startBytes: ofStart.keyBytes,
    end: ofEnd.key,
    endBytes: ofEnd.keyBytes,
    all: 'all' in range,
  };
}

/** A time to live as a part of a request. */
export function toTtl(ttlMs: number | undefined): DurationShape | undefined {
  return ttlMs === undefined ? undefined : toDuration(ttlMs);
}

/** A condition as a part of a request. */
export function toCondition(condition: Condition | undefined): ConditionShape | undefined {
  switch (condition?.kind) {
    case undefined:
      return undefined;
    case 'mustNotExist':
    case 'mustExist':
      return { condition: { case: condition.kind, value: true } };
    case 'modRevisionEquals':
      return { condition: { case: 'modRevisionEquals', value: condition.modRevision } };
  }
}

/**
 * The transport would refuse a message that is too long, too, but not say that nothing was sent.
 * @param byteCount at most, of keys and values.
 */
export function checkBytes(byteCount: number): void {
  if (byteCount <= limits.messageBytesMax) return;
  throw new KelpError(
    'limitReached',
    `the request may take ${byteCount} bytes; at most ${limits.messageBytesMax} are sent at once. Split it`,
    undefined,
  );
}
