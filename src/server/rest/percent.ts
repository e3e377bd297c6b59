/** Keys in targets of requests: percent-encoded bytes (RFC 3986, section 2.1), of which those of UTF-8 are text. */
import { isUtf8 } from 'node:buffer';
import type { Key } from '../../api.ts';
import { StoreError } from '../../errors.ts';

/** Visible ASCII that stands for itself: all but `%`. */
const PLAIN = /^[!-$&-~]*$/;
const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

/**
 * What an encoded text stands for: text, or bytes where they are not UTF-8.
 * @param what names it in errors.
 * @param isForm whether `+` is a space, as queries have it that forms and most clients make.
 */
export function percentDecoded(encoded: string, what: string, isForm = false): Key {
  if (PLAIN.test(encoded) && !(isForm && encoded.includes('+'))) return encoded;
  const bytes = Buffer.allocUnsafe(encoded.length);
  let length = 0;
  for (let at = 0; at < encoded.length; at++) {
    let code = encoded.charCodeAt(at);
    if (code === PERCENT) {
      code = hexAt(encoded, at + 1) * 16 + hexAt(encoded, at + 2);
      if (Number.isNaN(code)) {
        const rest = encoded.slice(at, at + 3);
        throw wrong(what, `"${rest}" is no percent-encoded byte; a % that stands for itself is %25`);
      }
      at += 2;
    } else if (code <= SPACE || code > 0x7e) {
      throw wrong(what, 'a byte that is not visible ASCII is written as % and two hexadecimal digits');
    } else if (isForm && code === PLUS) {
      code = SPACE;
    }
    bytes[length++] = code;
  }
  const decoded = bytes.subarray(0, length);
  return isUtf8(decoded) ? decoded.toString('utf8') : decoded;
}

/** Text alone. */
export function percentDecodedText(encoded: string, what: string, isForm = false): string {
  const decoded = percentDecoded(encoded, what, isForm);
  if (typeof decoded !== 'string') throw wrong(what, 'its bytes are no UTF-8');
  return decoded;
}

function wrong(what: string, why: string): StoreError {
  return new StoreError('invalidArgument', `${what} is malformed: ${why}`);
}

/** NaN where there is no such digit. */
function hexAt(text: string, at: number): number {
  const code = text.charCodeAt(at) | 0x20;
  if (code >= 0x30 && code <= 0x39 && text.charCodeAt(at) >= 0x30) return code - 0x30;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  return Number.NaN;
}
