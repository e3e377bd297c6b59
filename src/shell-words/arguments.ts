/** What words mean to commands. All of these throw a `UsageError` that says what was expected. */
import type { Key } from '../api-value.ts';
import { durationMsOf } from '../arguments/duration.ts';
import { fixed } from '../limits.ts';
import { quoteWord } from './quote.ts';
import type { Word } from './split-words.ts';
import { UsageError } from './usage-error.ts';

export function toKey({ bytes, text }: Word): Key {
  if (bytes.length === 0) throw new UsageError('a key is empty; it has 1 byte at least');
  if (bytes.length > fixed.keyBytesMax) {
    throw new UsageError(`a key has ${bytes.length} bytes, more than ${fixed.keyBytesMax}`);
  }
  return text ?? bytes;
}

/** An option, or what is given with it: capitals and small letters are the same. */
export function toOption({ text = '' }: Word): string {
  return text.toUpperCase();
}

/** A number of seconds, or a time with its unit. */
export function toTtlMs(word: Word): number {
  return isDigits(word) ? ttl(Number(word.text) * 1000, word) : ttl(durationMs(word), word);
}

export function toMilliseconds(word: Word): number {
  return ttl(isDigits(word) ? Number(word.text) : durationMs(word), word);
}

function isDigits({ text = '' }: Word): boolean {
  return /^\d{1,16}$/.test(text);
}

function durationMs(word: Word): number {
  const ms = durationMsOf(word.text ?? '');
  if (typeof ms === 'number') return ms;
  throw new UsageError(`expected a number, or a time with its unit such as 1h30m, not ${shown(word)}`);
}

function ttl(ms: number, word: Word): number {
  if (ms >= 1 && ms <= fixed.ttlMsMax) return ms;
  throw new UsageError(
    `expected a time from 1ms to ${fixed.ttlMsMax / 86_400_000}d, not ${shown(word)}${ms === 0 ? '; DEL deletes a key' : ''}`,
  );
}

/** A signed number of 64 bits. */
export function toDelta(word: Word): bigint {
  const { text = '' } = word;
  const number = /^[+-]?\d{1,19}$/.test(text) ? BigInt(text.replace('+', '')) : undefined;
  if (number === undefined || BigInt.asIntN(64, number) !== number) {
    throw new UsageError(`expected a whole number of 64 bits, such as 5 or -5, not ${shown(word)}`);
  }
  return number;
}

export function toWholeNumber(word: Word, max: number): number {
  const number = isDigits(word) ? Number(word.text) : 0;
  if (number < 1 || number > max) {
    throw new UsageError(`expected a whole number from 1 to ${max}, not ${shown(word)}`);
  }
  return number;
}

/** What was typed, as far as it fits into a line. */
export function shown({ text, bytes }: Word): string {
  const word = quoteWord(text ?? bytes);
  return word.length > 60 ? `${word.slice(0, 60)}...` : word;
}

const STAR = 0x2a;
const BACKSLASH = 0x5c;

export interface KeyPattern {
  /** All keys that begin so, or the one key. */
  readonly bytes: Uint8Array;
  readonly isPrefix: boolean;
}

/**
 * A key, or with `*` at its end all keys that begin so; `\*` is the character. No other place may have a star: what stands
 * for keys here must be one range of them.
 */
export function toKeyPattern(word: Word): KeyPattern {
  const { bytes } = word;
  const taken: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === STAR && at === bytes.length - 1) return { bytes: Uint8Array.from(taken), isPrefix: true };
    if (byte === STAR) {
      throw new UsageError(
        `${shown(word)}: a * stands at the end, for all keys that begin so; '\\*' is the character`,
      );
    }
    const isEscaped = byte === BACKSLASH && at + 1 < bytes.length;
    taken.push(isEscaped ? (bytes[++at] ?? 0) : byte);
  }
  return { bytes: Uint8Array.from(taken), isPrefix: false };
}
