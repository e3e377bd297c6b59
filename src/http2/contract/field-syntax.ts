/**
 * What names and values of fields may be made of (RFC 9110, sections 5.1 and 5.5; RFC 9113, section 8.2.1), received or
 * sent. Each character stands for one byte.
 */

const refusedInName = /[^!#$%&'*+\-.^_`|~0-9a-z]/;
const refusedInToken = /[^!#$%&'*+\-.^_`|~0-9a-zA-Z]/;
const refusedInValue = /[^\t\x20-\x7e\x80-\xff]/;

const TAB = 0x09;
const SPACE = 0x20;

/** A name in lower case, no pseudo-header's. */
export function isFieldName(text: string): boolean {
  return text !== '' && !refusedInName.test(text);
}

export function isToken(text: string): boolean {
  return text !== '' && !refusedInToken.test(text);
}

/** No control characters, and no white space around it. */
export function isFieldValue(text: string): boolean {
  if (text === '') return true;
  return !(
    isSpace(text.charCodeAt(0)) ||
    isSpace(text.charCodeAt(text.length - 1)) ||
    refusedInValue.test(text)
  );
}

function isSpace(character: number): boolean {
  return character === SPACE || character === TAB;
}
