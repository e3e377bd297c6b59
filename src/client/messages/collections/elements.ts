/** Names, members and elements as parts of a request. What a caller hands in has been checked by then. */
import type { Value } from '../../../api-value.ts';
import { copyOf } from '../../../arguments/value.ts';
import { fixed } from '../../../limits.ts';
import { checkBytes } from '../request.ts';

/** What an element takes besides its bytes, at most: lengths, tags, a score. */
const BYTES_BESIDE = 24;

/** Copies: a call waits for its connection and may be sent again. */
export function toElements(values: readonly Value[]): Uint8Array[] {
  let byteCount = fixed.keyBytesMax;
  const elements = values.map((value) => {
    const bytes = copyOf(value);
    byteCount += bytes.length + BYTES_BESIDE;
    return bytes;
  });
  checkBytes(byteCount);
  return elements;
}
