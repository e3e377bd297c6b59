/**
 * Keys at the border of the store: text or bytes outside, bytes inside.
 *
 * A key is 1 to `fixed.keyBytesMax` bytes. Outside it is text where those are UTF-8. Inside it is the bytes, in the region of
 * users' keys (`regions.ts`); where a JavaScript map needs one as its key it is a `KeyText`: one character per byte (latin1), so
 * that comparing texts compares bytes.
 */
import type { Key } from '../../api.ts';
import { canonicalKey } from '../../arguments/key.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { isEscaped, toUserKey, writeEscaped } from './regions.ts';

/** A key as a map of JavaScript holds it: one character for each byte. */
export type KeyText = string & { readonly brand: 'KeyText' };

/** A key as the engine has it, in bytes of its own. Throws `invalidArgument` for what is no key. */
export function encodeKey(key: Key): Uint8Array {
  const scratch = ownScratch.encode(key);
  return Uint8Array.prototype.slice.call(scratch);
}

/** A bound of a range or a prefix, as its user has it: like a key, but it may be empty. */
export function encodeBound(bound: Key, what: string): Uint8Array {
  if (bound.length === 0) return NO_BYTES;
  if (typeof bound === 'string' && !bound.isWellFormed())
    throw new StoreError('invalidArgument', `${what} is not well-formed Unicode text`);
  const bytes = typeof bound === 'string' ? Buffer.from(bound, 'utf8') : new Uint8Array(bound);
  if (bytes.length > fixed.keyBytesMax) {
    throw new StoreError(
      'invalidArgument',
      `${what} is ${bytes.length} bytes long; at most ${fixed.keyBytesMax} are allowed`,
    );
  }
  return bytes;
}

/** A key of the engine as it is handed out. */
export function decodeKey(engineKey: Uint8Array): Key {
  const bytes = toUserKey(engineKey);
  const text = textOf(bytes, 'utf8');
  // It stands for what is not UTF-8, unless the key has it itself.
  return text.includes('\ufffd') ? canonicalKey(bytes) : text;
}

export function toKeyText(bytes: Uint8Array): KeyText {
  return textOf(bytes, 'latin1') as KeyText;
}

export function fromKeyText(text: KeyText): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** The lowest key above `key`: the key with a zero byte after it. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}

const textScratch = Buffer.alloc(fixed.engineKeyBytesMax);
/** Below this a loop copies faster than `TypedArray.set`. */
const LOOP_BYTES_MAX = 32;

/** To make a `Buffer` of a view takes 600 ns and more; to copy the view to one that is there and make the text, 130. */
function textOf(bytes: Uint8Array, encoding: 'utf8' | 'latin1'): string {
  const { length } = bytes;
  if (length > textScratch.length) return Buffer.from(bytes).toString(encoding);
  if (length > LOOP_BYTES_MAX) textScratch.set(bytes);
  else for (let index = 0; index < length; index++) textScratch[index] = bytes[index] ?? 0;
  return textScratch.toString(encoding, 0, length);
}

/**
 * Encodes keys without making garbage: the bytes it returns are a view of one buffer and hold only until the next call.
 */
class KeyScratch {
  /** Another number after each call of `encode`: what it returned before holds no longer. */
  generation = 0;
  readonly #bytes = Buffer.alloc(fixed.engineKeyBytesMax);
  /** A view of each length, made when it is first needed. */
  readonly #views: (Uint8Array | undefined)[] = [];

  encode(key: Key): Uint8Array {
    const length = key.length;
    this.generation++;
    if (length === 0) throw new StoreError('invalidArgument', 'the key is empty; a key has at least 1 byte');
    if (typeof key !== 'string') return this.#copy(key);
    if (length > fixed.keyBytesMax) throw tooLong(Buffer.byteLength(key, 'utf8'));
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) {
      const code = key.charCodeAt(i);
      if (code >= 0x80) return this.#encodeUnicode(key);
      bytes[i] = code;
    }
    return this.#view(length);
  }

  #copy(key: Uint8Array): Uint8Array {
    if (key.length > fixed.keyBytesMax) throw tooLong(key.length);
    if (isEscaped(key)) {
      writeEscaped(this.#bytes, key);
      return this.#view(key.length + 1);
    }
    this.#bytes.set(key);
    return this.#view(key.length);
  }

  #encodeUnicode(key: string): Uint8Array {
    if (!key.isWellFormed()) {
      throw new StoreError(
        'invalidArgument',
        'the key is not well-formed Unicode text (it has a lone surrogate)',
      );
    }
    const length = Buffer.byteLength(key, 'utf8');
    if (length > fixed.keyBytesMax) throw tooLong(length);
    this.#bytes.write(key, 'utf8');
    return this.#view(length);
  }

  #view(length: number): Uint8Array {
    return (this.#views[length] ??= this.#bytes.subarray(0, length));
  }
}

function tooLong(length: number): StoreError {
  return new StoreError(
    'invalidArgument',
    `the key is ${length} bytes long; at most ${fixed.keyBytesMax} are allowed`,
  );
}

/** The one scratch of this thread: all uses are synchronous and never nest. */
export const keyScratch = new KeyScratch();
/** For keys that are copied: a decision that calls a function which encodes one keeps its own. */
const ownScratch = new KeyScratch();
