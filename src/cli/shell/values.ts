/** A value as GET prints it. */
import { textOf } from '../../api-json.ts';
import { isPrintable, quote } from '../terminal/display.ts';

/** Of bytes that are no text, a terminal gets so many. */
const SHOWN_BYTES_MAX = 256;

/**
 * The text as it is, but on a terminal, where control characters could do harm, in quotes with escapes if it has any;
 * bytes that are no text in hexadecimal digits, with their length on a terminal.
 */
export function showValue(value: Uint8Array, isTerminal: boolean): string {
  const text = textOf(value);
  if (text === undefined) return showBytes(value, isTerminal);
  return isTerminal && (text === '' || !isPrintable(text)) ? quote(text) : text;
}

function showBytes(value: Uint8Array, isTerminal: boolean): string {
  const isCut = isTerminal && value.length > SHOWN_BYTES_MAX;
  const digits = Buffer.from(isCut ? value.subarray(0, SHOWN_BYTES_MAX) : value).toString('hex');
  return isTerminal ? `0x${digits}${isCut ? '...' : ''} (${value.length} bytes)` : `0x${digits}`;
}
