/** Codecs as callers hand them in. */
import type { Key, Value } from '../../api.ts';
import { type Check, mustBe } from '../../arguments/check.ts';
import { isRecord } from '../../arguments/shape.ts';
import { KelpError } from '../errors/error.ts';
import type { Codec } from './codec.ts';

/** A value that its codec can't read, since something else has written it. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
  /** Of the entry, with the prefix. */
  readonly key: Key;

  constructor(key: Key, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const shown = typeof key === 'string' ? JSON.stringify(key) : `of ${key.length} bytes`;
    super(`the value of the key ${shown} can't be read by its codec: ${reason}`, { cause });
    this.key = key;
  }
}

/** What its functions take and give shows when they are called. */
export function isCodec<ACodec>(): Check<ACodec> {
  return (given) => {
    if (!isRecord(given)) return mustBe(given, 'a codec, such as json() gives');
    const lacking = ['encode', 'decode'].find((name) => typeof given[name] !== 'function');
    return lacking === undefined
      ? undefined
      : ` has no function "${lacking}"; it must be a codec, such as json() gives`;
  };
}

/** @throws KelpError `invalidArgument` when the codec can't write it. */
export function encodeBy<Given>(codec: Codec<unknown, Given>, value: Given): Value {
  try {
    return codec.encode(value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KelpError('invalidArgument', `the codec can't write the value: ${reason}`, undefined, {
      cause,
    });
  }
}

/** @throws CodecError @param key of the value. */
export function decodeBy<Read>(codec: Codec<Read, never>, key: Key, value: Uint8Array): Read {
  try {
    return codec.decode(value);
  } catch (cause) {
    throw new CodecError(key, cause);
  }
}
