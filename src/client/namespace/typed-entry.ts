/** An entry of a namespace: its key below the prefix, and its value as the codec reads it. */
import type { Entry } from '../messages/entry.ts';
import type { Codec } from './codec.ts';
import { decodeBy } from './given-codec.ts';
import type { Prefix } from './prefix.ts';

export class TypedEntry<Read> {
  /** Below the prefix of the namespace; empty when it is no text. */
  readonly key: string;
  /** Declared only: it is not there when the key is text. */
  declare readonly keyBytes?: Uint8Array;
  /** As it is in the store. */
  readonly raw: Entry;
  readonly #codec: Codec<Read, never>;
  #decoded: { readonly value: Read } | undefined;

  /** @internal */
  constructor(raw: Entry, prefix: Prefix, codec: Codec<Read, never>) {
    const { key, keyBytes } = prefix.namedOf(raw);
    this.key = key;
    if (keyBytes !== undefined) this.keyBytes = keyBytes;
    this.raw = raw;
    this.#codec = codec;
  }

  /** Read when it is first asked for, once. Throws a `CodecError` when it holds something else: one such value is in no other's way. */
  get value(): Read {
    this.#decoded ??= { value: this.#decode() };
    return this.#decoded.value;
  }

  /** With it, a write can be made on the condition that this is still what is there. */
  get modRevision(): number {
    return this.raw.modRevision;
  }

  #decode(): Read {
    const { key, keyBytes, value } = this.raw;
    return decodeBy(this.#codec, keyBytes ?? key, value);
  }
}
