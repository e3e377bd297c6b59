/** Copies of the arguments of calls that wait, since callers may change theirs as soon as they have a promise. */

/** A copy of plain objects, lists and bytes, to their depth; all else, such as functions, is what it was. */
export function keptArguments<Value>(value: Value): Value {
  return copyOf(value) as Value;
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(copyOf);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copyOf(part)]));
}
