/** The order of keys: byte by byte. */
export function compareBytes(first: Uint8Array, second: Uint8Array): number {
  const length = first.length < second.length ? first.length : second.length;
  for (let index = 0; index < length; index++) {
    const difference = first[index]! - second[index]!;
    if (difference !== 0) return difference;
  }
  return first.length - second.length;
}
