/** Copies of the arguments of calls that wait, since callers may change theirs as soon as they have a promise. */
import { isAnyArrayBuffer } from 'node:util/types';
import type { Key, PutOptions } from '../../api.ts';
import { isRecord } from '../../arguments/shape.ts';
import { bytesOf } from '../../arguments/value.ts';

/** A copy of objects of named members, lists and bytes, to their depth; all else, such as functions and signals, is what it was. */
export function keptArguments<Value>(value: Value): Value {
  return copyOf(value) as Value;
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value) || isAnyArrayBuffer(value)) return Buffer.from(bytesOf(value));
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isRecord(value)) return value;
  return Object.fromEntries(namesIn(value).map((name) => [name, copyOf(value[name])]));
}

/** Of all members, also inherited ones and those that a class computes: a call that does not wait sees them, too. */
function namesIn(value: object): readonly string[] {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return Object.keys(value);
  const names = new Set(Object.getOwnPropertyNames(value));
  for (let at = prototype; isRecord(at) && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  return [...names];
}

/** Options that stay as they are. */
export function keptConditional<Options extends Pick<PutOptions, 'condition'>>(options: Options): Options {
  // The copy of most is a quick one.
  const isPlain = Object.getPrototypeOf(options) === Object.prototype;
  return isPlain && options.condition === undefined ? { ...options } : keptArguments(options);
}

/** A key that stays as it is. */
export function keptKey(key: Key): Key {
  return typeof key === 'string' ? key : Buffer.from(key);
}
