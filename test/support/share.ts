/**
 * How much of a long test is done. Files named `*.long.test.ts` go over every place of something large, or over seeds that
 * have no end. `npm test` tries a sample of each, `npm run test:long` all; `TEST_SHARE` is another share of the whole:
 * `TEST_SHARE=0.5 npm run test:long` tries half, `TEST_SHARE=10` ten times as many seeds.
 */
const SAMPLE = 1 / 40;

const share = Number(process.env['TEST_SHARE'] ?? SAMPLE);
if (!(share > 0)) throw new Error(`TEST_SHARE is ${process.env['TEST_SHARE']}; it must be a number above 0`);

/** Whether nothing is left out. */
export function isWhole(): boolean {
  return share >= 1;
}

/** The part of a share that is done of what other tests do, too, in another way; all of it where nothing is left out. */
export function partUnlessWhole(part: number): number {
  return isWhole() ? 1 : part;
}

/** How many of so many rounds are done; one at least. */
export function rounds(whole: number): number {
  return Math.max(1, Math.round(whole * share));
}

/**
 * The places of 0 to `count - 1` that are tried: spread evenly, the first one among them.
 * @param part of the share, where the same places are tried in several ways.
 */
export function* places(count: number, part = 1): Generator<number, undefined> {
  const stride = Math.max(1, 1 / (share * part));
  for (let index = 0; Math.floor(index * stride) < count; index++) yield Math.floor(index * stride);
}

/** What a test may take that takes `whole` milliseconds at most when it is done whole. */
export function timeLimitMs(whole: number): number {
  return Math.max(whole, whole * share);
}
