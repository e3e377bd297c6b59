/** Bytes in parts, cut at every place and in many other ways: what becomes of them must be the same. */
import { expect, test } from 'vitest';

/** Thousands of sessions, on a machine that has other things to do. */
const TIMEOUT_MS = 120_000;

/** The bytes in parts that begin at these places. */
export function cutAt(bytes: Buffer, ...places: readonly number[]): Buffer[] {
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index]));
}

/**
 * Two tests that frames come to the same in whatever parts they come.
 * @param outcomeOf what becomes of bytes that come in these parts, as text.
 */
export function testSplits(
  frames: readonly Uint8Array[],
  outcomeOf: (parts: readonly Uint8Array[]) => string,
): void {
  const bytes = Buffer.concat(frames);
  const whole = outcomeOf([bytes]);

  test('cut in two anywhere it comes to the same', { timeout: TIMEOUT_MS }, () => {
    for (let place = 1; place < bytes.length; place++) {
      expect(outcomeOf(cutAt(bytes, place)), `cut at ${place}`).toBe(whole);
    }
  });

  test(
    'byte by byte, frame by frame and by other lengths it comes to the same',
    { timeout: TIMEOUT_MS },
    () => {
      expect(outcomeOf(frames), 'by frames').toBe(whole);
      for (const length of [1, 2, 3, 5, 8, 9, 10, 13, 64]) {
        const places = Array.from(
          { length: Math.ceil(bytes.length / length) - 1 },
          (_, index) => (index + 1) * length,
        );
        expect(outcomeOf(cutAt(bytes, ...places)), `by ${length}`).toBe(whole);
      }
    },
  );
}
