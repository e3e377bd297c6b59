/**
 * Keys, values, times and sizes as text for people. Whatever is stored, what is shown is one line without control
 * characters: a key or value can't move the cursor or pass itself off as something else.
 */
import type { Key, StoreStatus } from '../../api.ts';
import { textOf } from '../../api-json.ts';
import type { Output } from './output.ts';
import { escapeUnprintable } from '../../server/logging/printable.ts';
import { unprintable } from '../../shell-words/unprintable.ts';

/**
 * A key as it is, or in quotes with escapes where that would be unsafe or look like something else; one that is not UTF-8
 * in hexadecimal digits.
 */
export function displayKey(key: Key): string {
  if (typeof key !== 'string') return `0x${Buffer.from(key).toString('hex')}`;
  return unprintable.test(key) || key.startsWith('"') || key.startsWith('0x') ? quote(key) : key;
}

/** Text in quotes, with the escapes of JSON. */
export function quote(text: string): string {
  return escapeUnprintable(JSON.stringify(text));
}

/**
 * The bytes as they are; to a terminal only what can't harm it. It stands here, since a file of its own would be one more to load for
 * each `kelp get`.
 */
export async function writeValue(output: Output, value: Uint8Array): Promise<void> {
  if (!output.isTerminal) return output.write(value);
  const text = textOf(value);
  if (text !== undefined && isPrintable(text)) {
    return output.write(text === '' || text.endsWith('\n') ? text : `${text}\n`);
  }
  output.note('not printable text, so shown in hexadecimal digits; redirect or pipe it to get the bytes');
  return output.writeLine(Buffer.from(value).toString('hex'));
}

/** The longest part of a value that is shown in a line. */
const VALUE_CHARACTERS_MAX = 100;

/** A value in a line: text in quotes, other bytes in hexadecimal digits; a long one is cut and its length told. */
export function displayValue(value: Uint8Array): string {
  // Reading more than can be shown would take long for nothing; a character takes up to 4 bytes.
  const isLong = value.length > 4 * VALUE_CHARACTERS_MAX;
  const text = textOf(isLong ? value.subarray(0, characterBoundary(value, 4 * VALUE_CHARACTERS_MAX)) : value);
  if (text === undefined) return displayBytes(value);
  const characters = Array.from(text);
  const isCut = isLong || characters.length > VALUE_CHARACTERS_MAX;
  const shown = quote(characters.slice(0, VALUE_CHARACTERS_MAX).join(''));
  return isCut ? `${shown}... (${value.length} bytes)` : shown;
}

/** The last place at or before `end` where no character of UTF-8 is cut. */
function characterBoundary(bytes: Uint8Array, end: number): number {
  let boundary = end;
  while (boundary > end - 4 && ((bytes[boundary] ?? 0) & 0xc0) === 0x80) boundary--;
  return boundary;
}

function displayBytes(value: Uint8Array): string {
  const shown = Buffer.from(value.subarray(0, VALUE_CHARACTERS_MAX / 2)).toString('hex');
  const isCut = value.length > VALUE_CHARACTERS_MAX / 2;
  return `0x${shown}${isCut ? '...' : ''} (${value.length} bytes)`;
}

/** Line ends, tabs, and what joins or parts letters (U+200C, U+200D), without which Persian, Hindi or emoji are not themselves. */
const harmless = /[\n\t\u200c\u200d]/g;

/** Whether text can go to a terminal as it is. */
export function isPrintable(text: string): boolean {
  return !unprintable.test(text.replace(harmless, ''));
}

const timeUnits = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** A length of time in its two largest units: `1d 4h`, `29s`, `0.4s`. */
export function displayDuration(ms: number): string {
  if (ms < 10_000) return `${(Math.max(0, ms) / 1000).toFixed(1)}s`;
  let rest = Math.round(ms / 1000) * 1000;
  const parts: string[] = [];
  for (const [unit, unitMs] of timeUnits) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
  }
  return parts.slice(0, 2).join(' ');
}

/** What is left until a deadline in milliseconds since 1970; 0 is no deadline. */
export function displayTimeLeft(deadlineMs: number): string {
  return deadlineMs === 0 ? '-' : displayDuration(deadlineMs - Date.now());
}

/** The keys and values of a store, and what those values take that are kept compressed. */
export function displayData(
  status: Pick<StoreStatus, 'dataBytes' | 'compressedPlainBytes' | 'compressedStoredBytes'>,
): string {
  const { dataBytes, compressedPlainBytes, compressedStoredBytes } = status;
  if (compressedPlainBytes === 0) return displaySize(dataBytes);
  return `${displaySize(dataBytes)}, of which ${displaySize(compressedPlainBytes)} are compressed to ${displaySize(compressedStoredBytes)}`;
}

/** `1 key`, `2 keys`. */
export function displayCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** What a backup or a snapshot holds. Most stores have no users, roles and tokens. */
export function displayHeld(
  counts: { readonly versionCount: number; readonly leaseCount: number; readonly accessCount: number },
  word: 'key' | 'version',
): string {
  const held = `${displayCount(counts.versionCount, word)}, ${displayCount(counts.leaseCount, 'lease')}`;
  return counts.accessCount === 0 ? held : `${held}, ${displayCount(counts.accessCount, 'access record')}`;
}

const byteUnits = ['KiB', 'MiB', 'GiB', 'TiB'];

/** A size in its largest unit: `812 B`, `1.5 GiB`. */
export function displaySize(bytes: number): string {
  let size = bytes;
  let unit = 'B';
  for (const next of byteUnits) {
    if (size < 1024) break;
    size /= 1024;
    unit = next;
  }
  return `${unit === 'B' ? size : size.toFixed(1)} ${unit}`;
}
