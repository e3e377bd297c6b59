/** The bytes in parts that begin at these places. */
export function cutAt(bytes: Buffer, ...places: readonly number[]): Buffer[] {
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index]));
}
