/** Values of keys, in all the forms in which a program may have them. */
import { isAnyArrayBuffer } from 'node:util/types';
import type { Value } from '../api-value.ts';
import { type Check, mustBe, text } from './check.ts';

export const value: Check<Value> = (given) => {
  if (typeof given === 'string') return text(given);
  if (!isView(given) && !isAnyArrayBuffer(given)) {
    return mustBe(given, 'text or bytes (a Uint8Array, ArrayBuffer or other view of one)');
  }
  // The bytes of one that was transferred are gone; an empty value would be taken for them.
  if (given.byteLength === 0 && isDetached('buffer' in given ? given.buffer : given)) {
    return ' is the view of a buffer that was transferred away; it must hold its bytes';
  }
  return undefined;
};

/** The bytes of a value that has passed the check. They are those of the caller where it gave bytes. */
export function bytesOf(given: Value): Uint8Array {
  if (given instanceof Uint8Array) return given;
  if (typeof given === 'string') return Buffer.from(given, 'utf8');
  if (!isView(given)) return new Uint8Array(given);
  return new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
}

/** Bytes of a value that stay as they are when the caller writes over its own. */
export function copyOf(given: Value): Uint8Array {
  const bytes = bytesOf(given);
  return typeof given === 'string' ? bytes : new Uint8Array(bytes);
}

function isView(given: unknown): given is ArrayBufferView {
  return given instanceof Uint8Array || ArrayBuffer.isView(given);
}

/** Whether the bytes of a buffer are gone. */
export function isDetached(buffer: ArrayBufferLike): boolean {
  return 'detached' in buffer && buffer.detached;
}
