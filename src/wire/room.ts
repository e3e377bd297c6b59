/** What generated encoders assert of their buffer: before they write, that there is room; after it, that it is filled. */
import { assert } from '../errors.ts';

/**
 * Where a message of `size` bytes that begins at `offset` ends. Breaks when the buffer ends before: a write outside of
 * a buffer would be dropped without a word.
 */
export function endOfRoom(buffer: Buffer, offset: number, size: number): number {
  const end = offset + size;
  assert(offset >= 0 && end <= buffer.length, 'the caller made room for the whole message');
  return end;
}

/** Breaks when a message does not begin where its size said: size and bytes must always agree. */
export function assertFilled(start: number, offset: number): void {
  assert(start === offset, 'a message has the size that was told before');
}
